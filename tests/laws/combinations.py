"""What the laws are tried on: every model, engine and kind that the registry offers.

A new model is under the laws without a line here.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

import consilience as cs
from consilience import annotators
from consilience.model import Model
from consilience.posterior import Fit
from consilience.spaces import space_of

LABELS = {"choice": ["x", "y", "z"], "contains": None}
# A quick fit, without draws where there need be none: then results are exact.
EFFORT = {
    "em": cs.EngineOptions(draws=0),
    "vb": cs.EngineOptions(draws=0),
    "gibbs": cs.EngineOptions(draws=60, tune=60, chains=2),
    "rule": cs.EngineOptions(),
}


class Combination(NamedTuple):
    """A model, an engine that fits it, and a kind of responses that it takes."""

    model: str
    engine: str
    kind: str

    @property
    def exact(self) -> bool:
        """Whether no random number enters the result, but for where starts begin."""
        return self.engine != "gibbs"

    @property
    def compiled(self) -> bool:
        """Whether JAX compiles it, once for each size of study."""
        return annotators.load(self.model).by_gradient(SPACE)

    def fit(self, table: pd.DataFrame, labels: list[str] | None = None, **how) -> Fit:
        """Fit a table of answers."""
        responses = read(table, self.kind, labels)
        how = {"effort": EFFORT[self.engine], **how}
        ordered = self.model == "ordinal_dawid_skene"
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
    return table


def probabilities(fit: Fit) -> pd.Series:
    """Return P(label) by item and label, in one order."""
    table = fit.labels().set_index(["item", "label"])
    return table["probability"].sort_index()


def certainty(fit: Fit) -> float:
    """Return how sure the fit is of its labels, on average."""
    probability = probabilities(fit)
    if fit.data.attrs["kind"] == "contains":
        return float(np.maximum(probability, 1 - probability).mean())
    return float(probability.groupby("item").max().mean())


def _combinations() -> Iterator[Combination]:
    for name in annotators.names():
        model = annotators.load(name)
        if isinstance(model, Model) and not (model.of_classes or model.whole_items):
            for kind in model.kinds:
                for engine in model.engines:
                    if kind != "objects" and engine in EFFORT:
                        yield Combination(name, engine, kind)


SPACE = space_of(read(answers("choice"), "choice"))
# Models that take no annotators, or only their counts, have tests of their own.
EVERY = [each for each in _combinations() if each.model != "contains_counts"]
QUICK = [each for each in EVERY if not each.compiled]
EXACT = [each for each in EVERY if each.exact]
