"""Bounds about models carry that annotators were themselves estimated.

A few gold items say how people answer: the posterior of their confusion is then exact,
a Dirichlet for each label, and is drawn from. It is used on many new items, so that
what is unknown of the confusion is most of what is unknown. In the twin that must fail
the confusion is taken for known.
"""

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.analysis import confusion, evaluation
from consilience.inference.result import Result
from consilience.model import DIMS
from consilience.posterior import Fit
from consilience.posterior.tree import tree
from consilience.spaces import space_of

GOLD, ITEMS, DRAWS = 12, 400, 40
LABELS = ["a", "b"]
PRIOR = np.array([[3.0, 1.0], [1.0, 3.0]])


def fit_of(answers, confusion, prevalence):
    """Return a fit of the pooled multinomial with these draws of its parameters."""
    items = [f"i{k:03d}" for k in range(len(answers))]
    frame = pd.DataFrame({"item": items, "label": np.array(LABELS)[answers]})
    space = space_of(cs.read(frame, labels=LABELS))
    joint = prevalence[:, None] * np.moveaxis(confusion[:, :, answers], 2, 1)
    belief = (joint / joint.sum(2, keepdims=True)).mean(0)
    nothing = np.full(belief.shape, np.nan)
    result = Result(
        parameters={"prevalence": prevalence[None], "confusion": confusion[None]},
        belief=belief,
        lower=nothing,
        upper=nothing,
        log_likelihood=None,
        sample_stats={},
        optimization=None,
    )
    attributes = {
        "model": "multinomial",
        "kind": "choice",
        "prob": 0.9,
        "settings": {"prior": {}},
        "classifiers": [],
        "assumptions": [],
    }
    dims = {**DIMS, "prevalence": ("true_class",)}
    dims["confusion"] = ("true_class", "given_class")
    return Fit(tree(space, result, dims, attributes))


def study(seed):
    """Return bounds of the accuracy of a follower, and what they should hold."""
    generator = np.random.default_rng(seed)
    confusion = np.stack([generator.dirichlet(row) for row in PRIOR])
    gold = np.arange(GOLD) % 2
    heard = (generator.random(GOLD) > confusion[gold, 0]).astype(int)
    counts = np.zeros((2, 2))
    np.add.at(counts, (gold, heard), 1)
    drawn = np.stack([generator.dirichlet(row, DRAWS) for row in PRIOR + counts], 1)
    truth = generator.integers(2, size=ITEMS)
    answers = (generator.random(ITEMS) > confusion[truth, 0]).astype(int)
    fit = fit_of(answers, drawn, np.full((DRAWS, 2), 0.5))
    rows = fit.items().astype({"item": "str", "label": "str"})
    said = pd.DataFrame(
        {"item": rows["item"], "label": np.array(LABELS)[answers], "rank": 1}
    )
    own = pd.DataFrame({"item": rows["item"], "label": "a"})
    evaluation = cs.evaluate(
        fit, said, dataset_labels=own, top=1, resamples=200, seed=seed
    )
    judged, named = evaluation.models, evaluation.confusion()
    called = named.within(0).set_index(["who", "statistic"])
    cells = [judged.iloc[0], called.loc[("people", "called_otherwise")]]
    right = confusion[[0, 1], [0, 1]].mean()
    return [(cell["lower"], cell["upper"]) for cell in cells], (right, 0.5)


def held(studies):
    """Return how often bounds hold what they should, over studies."""
    results = []
    for seed in range(studies):
        bounds, truth = study(seed)
        both = zip(bounds, truth, strict=True)
        results.append([low <= true <= high for (low, high), true in both])
    return np.mean(results, axis=0)


def tolerance(studies):
    return 4 * np.sqrt(0.9 * 0.1 / studies)


@pytest.mark.parametrize("studies", [24, pytest.param(120, marks=pytest.mark.study)])
def test_bounds_hold_what_is_unknown_of_annotators_nine_times_in_ten(studies):
    assert (np.abs(held(studies) - 0.9) < tolerance(studies)).all()


TWINS = 24


def test_the_same_check_catches_annotators_that_are_taken_for_known(monkeypatch):
    monkeypatch.setattr(evaluation, "MAX_DRAWS", 1)
    monkeypatch.setattr(confusion, "MAX_DRAWS", 1)
    assert (np.abs(held(TWINS) - 0.9) > tolerance(TWINS)).all()
