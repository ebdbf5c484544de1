"""Item difficulty and random effects: the item's integral, by SciPy; spreads found."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats
from scipy.special import expit
from tests.studies import score

from consilience.annotators import item_difficulty, logistic_random_effects
from consilience.responses import read
from consilience.spaces import space_of
from consilience.truth import observe

TWO = np.sqrt(2)  # log-odds of two answers are so many times the contrast
CENTRE = np.array([[0.9], [-1.3]])  # of each state, in the zero-sum basis
HARDER = np.array([1.5, 0.7])
AWAY = np.array([[[0.4], [-0.2]], [[-0.8], [0.3]]])  # annotator, state
SPREAD = 0.6
ROWS = [("i", "a", "x"), ("i", "b", "y"), ("j", "a", "y"), ("j", "b", "y")]


@pytest.fixture(scope="module")
def space():
    frame = pd.DataFrame(ROWS, columns=["item", "annotator", "label"])
    return space_of(read(frame))


def joint(module, space, **drawn):
    """Log p(state, answers) with 201 nodes."""
    prior = replace(module.MODEL.prior, nodes=201)
    model = replace(module.MODEL, prior=prior)
    data = {"prevalence": [0.3, 0.7], "population": CENTRE, "difficulty": HARDER}
    with jax.enable_x64(True):
        data = {name: jnp.asarray(value) for name, value in {**data, **drawn}.items()}
        scores = score(model, observe(space), data)
        return np.logaddexp.reduce(np.asarray(scores).reshape(2, 2, -1), axis=2)


def integrated(answers, state, logits, scale):
    """P(state, answers), the item's difficulty integrated, by right answers' logits."""

    def at(difficulty):
        chance = stats.norm.pdf(difficulty, scale=scale)
        for logit, answer in zip(logits, answers, strict=True):
            right = expit(logit - difficulty)
            chance *= right if answer == state else 1 - right
        return chance

    value, _ = integrate.quad(at, -12, 12, epsabs=0, epsrel=1e-11, limit=500)
    return [0.3, 0.7][state] * value


def exact(away, harder=HARDER):
    table = []
    for answers in ((0, 1), (1, 1)):
        row = []
        for state in (0, 1):
            sign = 1 - 2 * state  # the contrast is that of x over y
            logits = sign * TWO * (CENTRE[state, 0] + away[:, state, 0])
            row.append(integrated(answers, state, logits, harder[state]))
        table.append(row)
    return np.array(table)


def test_the_difficulty_of_an_item_is_integrated_out(space):
    result = np.exp(joint(item_difficulty, space))
    assert np.allclose(result, exact(np.zeros((2, 2, 1))), rtol=1e-8, atol=0)


def of_rows(space, away):
    """Log p(state, answers) of logistic random effects, which has one spread of items.

    Its five nodes err by less than two hundredths here.
    """
    model = logistic_random_effects.MODEL
    data = {
        "prevalence": [0.3, 0.7],
        "population": CENTRE[None],
        "spread": np.full((1, 2), SPREAD),
        "distance": away / SPREAD,
        "difficulty": HARDER[0],
    }
    with jax.enable_x64(True):
        data = {name: jnp.asarray(value) for name, value in data.items()}
        scores = np.asarray(score(model, observe(space), data))
    return np.logaddexp.reduce(scores.reshape(2, 2, -1), axis=2)


def test_with_annotators_that_differ_it_is_integrated_too(space):
    result = np.exp(of_rows(space, AWAY))
    assert np.allclose(result, exact(AWAY, HARDER[[0, 0]]), rtol=0.02, atol=0)
    alike = exact(np.zeros((2, 2, 1)), HARDER[[0, 0]])
    assert np.abs(result / alike - 1).max() > 0.1
