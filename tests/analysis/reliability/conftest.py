"""Responses made straight from arrays, without a file."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from consilience import Responses, read


@pytest.fixture(scope="session")
def rated() -> Callable[..., Responses]:
    """Return a function that reads a table of items x annotators; None is no answer."""

    def make(table, **options) -> Responses:
        rows = [
            {"item": f"i{i:04d}", "annotator": f"a{j:02d}", "label": str(label)}
            for i, row in enumerate(table)
            for j, label in enumerate(row)
            if label is not None
        ]
        return read(pd.DataFrame(rows), **options)

    return make


@pytest.fixture(scope="session")
def four_raters(rated) -> Responses:
    """Return the 12 units of Gwet's `cac.raw4raters`, in irrCAC, with gaps."""
    _ = None
    table = [
        [1, 1, _, 1],
        [2, 2, 3, 2],
        [3, 3, 3, 3],
        [3, 3, 3, 3],
        [2, 2, 2, 2],
        [1, 2, 3, 4],
        [4, 4, 4, 4],
        [1, 1, 2, 1],
        [2, 2, 2, 2],
        [_, 5, 5, 5],
        [_, _, 1, 1],
        [_, _, 3, _],
    ]
    return rated(table)


@pytest.fixture(scope="session")
def two_abstractors(rated) -> Responses:
    """Return the 100 records of Gwet's `cont3x3abstractors`, in irrCAC."""
    counts = [[13, 0, 0], [0, 20, 7], [0, 4, 56]]
    names = ("Ectopic", "AIU", "NIU")
    table = [
        [names[one], names[other]]
        for one in range(3)
        for other in range(3)
        for _ in range(counts[one][other])
    ]
    return rated(table)


@pytest.fixture(scope="session")
def simulated() -> Callable[..., Responses]:
    """Return a function that draws a crowd whose agreement is known exactly."""
    template = read(
        pd.DataFrame({"item": ["0"], "annotator": ["0"], "label": ["0"]}),
        labels=["0", "1", "2"],
    )

    def draw(generator, *, items, annotators, theta, prevalence, times=1) -> Responses:
        truth = generator.choice(len(prevalence), size=items, p=prevalence)
        chance = generator.random((items, annotators, 1))
        answer = (chance > np.cumsum(theta, axis=1)[truth][:, None, :]).sum(axis=2)
        answer = np.tile(answer, (times, 1))
        items *= times
        item = np.repeat(np.arange(items), annotators)
        annotator = np.tile(np.arange(annotators), items)

        def column(codes, size):
            names = pd.Index([f"{i:05d}" for i in range(size)], dtype="str")
            return pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(names))

        table = pd.DataFrame(
            {
                "item": column(item, items),
                "annotator": column(annotator, annotators),
                "kind": pd.Categorical(["choice"] * len(item)),
                "label": pd.Categorical.from_codes(
                    answer.ravel(), dtype=template.table["label"].dtype
                ),
                "n": np.ones(len(item), np.int64),
            }
        )
        return replace(template, table=table)

    return draw
