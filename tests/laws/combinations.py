"""What the laws are tried on: every model, engine and kind that the registry offers.

A new model is under the laws without a line here.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience import annotators
from consilience.model import Model
from consilience.posterior import Fit
from consilience.spaces import space_of

NAMES = ["x", "y", "z"]
LABELS = {"choice": NAMES, "contains": None, "objects": NAMES}
# A quick fit, without draws where there need be none: then results are exact.
EFFORT = {
    "em": cs.EngineOptions(draws=0),
    "vb": cs.EngineOptions(draws=0),
    "gibbs": cs.EngineOptions(draws=60, tune=60, chains=2),
    "nuts": cs.EngineOptions(draws=100, tune=150, chains=2),
    "rule": cs.EngineOptions(),
    "auto": cs.EngineOptions(draws=60, tune=60, chains=2),
}


class Combination(NamedTuple):
    """A model, an engine that fits it, and a kind of responses that it takes."""

    model: str
    engine: str
    kind: str

    @property
    def exact(self) -> bool:
        """Whether no random number enters the result, but for where starts begin."""
        return self.engine in ("em", "vb", "rule")

    @property
    def compiled(self) -> bool:
        """Whether JAX compiles it, once for each size of study."""
        return annotators.load(self.model).by_gradient(SPACE)

    def fit(self, table: pd.DataFrame, labels: list[str] | None = None, **how) -> Fit:
        """Fit a table of answers."""
        how = {"effort": EFFORT[self.engine], **how}
        ordered = self.model == "ordinal_dawid_skene"
        if self.model == "class_confusion":
            how["gold"] = _first(table)
        if self.model == "contains_counts":
            table = table.drop(columns="annotator")
        responses = read(table, self.kind, labels)
        return cs.fit(
            responses, model=self.model, engine=self.engine, ordered=ordered, **how
        )


def read(
    table: pd.DataFrame, kind: str, labels: list[str] | None = None
) -> cs.Responses:
    """Read a table of answers, of which all rows count."""
    labels = labels or LABELS[kind]
    return cs.read(table, kind=kind, labels=labels, repeats="all")


def answers(
    kind: str, items: int = 24, annotators: int = 6, seed: int = 0
) -> pd.DataFrame:
    """Draw a small study by no model: most answers are right, four to an item."""
    generator = np.random.default_rng(seed)
    item, who = np.divmod(np.arange(items * annotators), annotators)
    asked = (item + who) % 3 < 2
    item, who = item[asked], who[asked]
    truth = generator.integers(3, size=items)[item]
    right = generator.random(len(item)) < np.linspace(0.6, 0.9, annotators)[who]
    given = np.where(right, truth, generator.integers(3, size=len(item)))
    table = pd.DataFrame(
        {
            "item": [f"i{number:03d}" for number in item],
            "annotator": [f"a{number}" for number in who],
            "label": np.array(["x", "y", "z"])[given],
        }
    )
    if kind == "contains":
        words = table["label"].map({"x": "yes", "y": "no", "z": "maybe"})
        label = np.where(item % 2, "cat", "dog")
        table = table.assign(answer=words, label=label)
    if kind == "objects":  # one in three names something else beside
        other = table.assign(label=np.array(["y", "z", "x"])[given], main=False)
        both = [table.assign(main=True), other[generator.random(len(other)) < 0.3]]
        table = pd.concat(both, ignore_index=True)
    return table


def _first(table: pd.DataFrame) -> pd.DataFrame:
    """Return a label of each item, whatever the order of rows, as its class."""
    return table.groupby("item", as_index=False)["label"].min()


def probabilities(fit: Fit) -> pd.Series:
    """Return P(label) by item and label, in order; of classes, P(answer | class)."""
    if fit.data.attrs["model"] == "class_confusion":
        table = fit.table("confusion").astype({"true_label": str, "given_label": str})
        table = table[table["annotator"].isna()]
        named = table.set_index(["true_label", "given_label"])["probability"]
        cells = pd.MultiIndex.from_product([NAMES, [*NAMES, "nobody says so"]])
        return named.reindex(cells).fillna(0.0)  # those that hardly ever occur
    table = fit.labels().set_index(["item", "label"])
    return table["probability"].sort_index()


def certainty(fit: Fit) -> float:
    """Return how sure the fit is of its labels, on average."""
    probability = probabilities(fit)
    if fit.data.attrs["kind"] == "contains":
        return float(np.maximum(probability, 1 - probability).mean())
    return float(probability.groupby("item").max().mean())


def gap_in_errors(one: np.ndarray, other: np.ndarray) -> float:
    """Return how far means over seeds (rows) lie apart, in standard errors of them.

    Errors of chains have long tails; a mean over all items is what a bias would move.
    """
    variance = (one.var(0, ddof=1) + other.var(0, ddof=1)) / len(one)
    gap = np.abs(one.mean(0) - other.mean(0))
    # Tables of classes are of draws whose seed is that of the package.
    return float(gap.mean() / np.sqrt(variance.mean() + 4e-6))


def _combinations() -> Iterator[Combination]:
    for name in annotators.names():
        model = annotators.load(name)
        if isinstance(model, Model):
            kinds = model.kinds[:1] if model.of_classes else model.kinds
            for kind in kinds:
                for engine in model.engines:
                    yield Combination(name, engine, kind)


def _known(name: str) -> bool:
    """Whether annotators of their own answer about items one by one."""
    model = annotators.load(name)
    return not (model.whole_items or "objects" in model.kinds or "counts" in name)


SPACE = space_of(read(answers("choice"), "choice"))
ALL = list(_combinations())
EVERY = [each for each in ALL if each.engine != "nuts" and _known(each.model)]
AUTO = [Combination("auto", "auto", kind) for kind in ("choice", "contains")]
# What takes seconds to compile is under fewer laws, all on studies of one size.
COMPILED = [each for each in ALL if each not in EVERY]
QUICK = [each for each in EVERY if not each.compiled]
EXACT = [each for each in EVERY if each.exact]


def thinned(combinations: list[Combination]) -> list[Any]:
    """Give all, of which the suite tries one engine of each model and kind.

    `make studies` tries the others.
    """
    first = {}
    for each in combinations:
        first.setdefault((each.model, each.kind), each)
    return [
        pytest.param(
            each,
            marks=[pytest.mark.study] * (each not in first.values()),
            id="-".join(each),
        )
        for each in combinations
    ]
