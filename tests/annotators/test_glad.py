"""GLAD: its integral, crowd-kit's posterior, skills found again."""

from dataclasses import replace

import jax
import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats
from scipy.special import expit
from tests.studies import score

from consilience.annotators.glad import MODEL
from consilience.model import belief, posterior_of_truth
from consilience.responses import read
from consilience.spaces import space_of
from consilience.truth import observe

ROWS = [
    ("i", "a", "x"),
    ("i", "b", "y"),
    ("i", "c", "x"),
    ("j", "a", "z"),
    ("j", "b", "z"),
    ("k", "c", "y"),
    ("k", "b", "x"),
]
SKILL = {"a": 1.5, "b": -0.3, "c": 0.8}
# crowd-kit 1.4's GLAD: posterior of x, y, z after an E-step from the skills above and
# a log-ease of .4 for every item.
CROWD_KIT = [
    [0.9819079165, 0.0101513443, 0.0079407392],
    [0.0385173092, 0.0385173092, 0.9229653817],
    [0.1440382673, 0.7432899248, 0.1126718079],
]


@pytest.fixture(scope="module")
def space():
    return space_of(read(pd.DataFrame(ROWS, columns=["item", "annotator", "label"])))


def scored(space, **prior):
    """Posterior of the truth, and log p(state, answers), at the skills above."""
    model = replace(MODEL, prior=replace(MODEL.prior, **prior))
    with jax.enable_x64(True):
        skill = np.array([SKILL[name] for name in space.annotators])
        scores = score(model, observe(space), {"skill": skill})
        truth = posterior_of_truth(model, belief(scores))
        joint = np.logaddexp.reduce(np.asarray(scores).reshape(3, 3, -1), axis=2)
        return np.asarray(truth), joint


def test_items_of_one_known_ease_are_those_of_crowd_kit(space):
    truth, _ = scored(space, ease=0.4, ease_spread=1e-9)
    assert np.allclose(truth, CROWD_KIT, atol=1e-9)


def test_with_items_that_differ_it_is_another_posterior(space):
    truth, _ = scored(space, ease=0.4)
    assert np.abs(truth - CROWD_KIT).max() > 0.01


def integrated(said, truth):
    """P(truth, answers): the log-ease of the item integrated by SciPy."""

    def at(ease):
        chance = stats.norm.pdf(ease)
        for name, label in said:
            right = expit(SKILL[name] * np.exp(ease))
            chance *= right if label == truth else (1 - right) / 2
        return chance

    value, _ = integrate.quad(at, -12, 12, epsabs=0, epsrel=1e-11, limit=500)
    return value / 3


def test_the_ease_of_an_item_is_integrated_out(space):
    _, joint = scored(space, nodes=201)
    answers = {
        item: [(who, label) for at, who, label in ROWS if at == item] for item in "ijk"
    }
    exact = [[integrated(answers[item], label) for label in "xyz"] for item in "ijk"]
    assert np.allclose(np.exp(joint), exact, rtol=1e-8, atol=0)
