"""Small studies that every model is tried on."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from consilience.responses import read
from consilience.spaces import space_of


@pytest.fixture(scope="session")
def every_answer():
    """A space whose units hold all answers that two annotators can give to an item."""

    def build(kind, num_labels, lists=None):
        labels = [f"l{code}" for code in range(num_labels)]
        words = labels if kind == "choice" else ["no", "maybe", "yes"]
        pairs = list(itertools.product(words, repeat=2))
        rows = [
            (f"i{number:03d}", annotator, word)
            for number, pair in enumerate(pairs)
            for annotator, word in zip(("ann", "bob"), pair, strict=True)
        ]
        frame = pd.DataFrame(rows, columns=["item", "annotator", "label"])
        if kind == "contains":
            frame = frame.rename(columns={"label": "answer"}).assign(label="l0")
        responses = read(
            frame, kind=kind, labels=labels if kind == "choice" else ["l0"]
        )
        return space_of(responses, lists=lists)

    return build


@pytest.fixture(scope="session")
def design():
    """300 items, five of twelve annotators each, three labels."""
    generator = np.random.default_rng(0)
    annotator = generator.random((300, 12)).argsort(1)[:, :5]
    frame = pd.DataFrame(
        {
            "item": np.repeat([f"i{number:03d}" for number in range(300)], 5),
            "annotator": [f"a{code:02d}" for code in annotator.ravel()],
            "label": np.tile(["x", "y", "z"], 500),
        }
    )
    return space_of(read(frame))


@pytest.fixture(scope="session")
def objects_design():
    """60 items of three labels, four responses each that name one label or two."""
    generator = np.random.default_rng(0)
    rows = []
    for item in range(60):
        for response in range(4):
            named = generator.permutation(3)[: 1 + generator.integers(2)]
            rows += [
                (f"i{item:03d}", f"r{item}-{response}", f"l{label}", place, place == 0)
                for place, label in enumerate(named)
            ]
    columns = ["item", "response_id", "label", "object", "main"]
    frame = pd.DataFrame(rows, columns=columns)
    return space_of(read(frame, kind="objects"))


@pytest.fixture(scope="session")
def contains_design():
    """300 items, five of twelve annotators each, one label asked about."""
    generator = np.random.default_rng(0)
    annotator = generator.random((300, 12)).argsort(1)[:, :5]
    frame = pd.DataFrame(
        {
            "item": np.repeat([f"i{number:03d}" for number in range(300)], 5),
            "annotator": [f"a{code:02d}" for code in annotator.ravel()],
            "label": "l0",
            "answer": np.tile(["no", "maybe", "yes"], 500),
        }
    )
    return space_of(read(frame, kind="contains"))


@pytest.fixture
def answered():
    """Put other answers into a space."""
    return lambda space, answer: replace(space, answer=np.asarray(answer, np.int32))
