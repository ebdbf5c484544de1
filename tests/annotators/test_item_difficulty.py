"""Item difficulty and random effects: the item's integral, by SciPy; spreads found."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats
from scipy.special import expit

from consilience.annotators import item_difficulty, logistic_random_effects
from consilience.inference.engines import gibbs
from consilience.model import given, score
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
    prior = replace(module.MODEL.prior, nodes=201.0)
    model = replace(module.MODEL, prior=prior)
    data = {"prevalence": [0.3, 0.7], "population": CENTRE, "difficulty": HARDER}
    with jax.enable_x64(True):
        data = {name: jnp.asarray(value) for name, value in {**data, **drawn}.items()}
        observations = observe(space)
        scores = score(given(model, observations, data), observations)
        return np.logaddexp.reduce(np.asarray(scores).reshape(2, 2, -1), axis=2)


def integrated(answers, state, logits, density, low=-12, high=12):
    """P(state, answers) with the item's difficulty integrated by SciPy.

    Parameters
    ----------
    logits
        Of the right answer over the other, of each annotator.
    """

    def at(difficulty):
        chance = density(difficulty)
        for logit, answer in zip(logits, answers, strict=True):
            right = expit(logit - difficulty)
            chance *= right if answer == state else 1 - right
        return chance

    value, _ = integrate.quad(at, low, high, epsabs=0, epsrel=1e-11, limit=500)
    return [0.3, 0.7][state] * value


def exact(away, harder=HARDER):
    table = []
    for answers in ((0, 1), (1, 1)):
        row = []
        for state in (0, 1):
            sign = 1 - 2 * state  # the contrast is that of x over y
            logits = sign * TWO * (CENTRE[state, 0] + away[:, state, 0])
            width = harder[state]
            row.append(integrated(answers, state, logits, stats.norm(scale=width).pdf))
        table.append(row)
    return np.array(table)


def test_the_difficulty_of_an_item_is_integrated_out(space):
    result = np.exp(joint(item_difficulty, space))
    assert np.allclose(result, exact(np.zeros((2, 2, 1))), rtol=1e-8, atol=0)


def test_with_two_answers_a_vector_of_difficulties_is_one_number(space):
    # Paun et al.: logits less theta, of each answer on its own; their difference is
    # normal with the root of the summed variances.
    result = np.exp(joint(item_difficulty, space))[0, 0]
    both = HARDER[0] * np.array([0.6, 0.8])
    logits = np.full(2, TWO * CENTRE[0, 0])

    def at(other, own):
        right = expit(logits - own + other)
        weight = stats.norm.pdf(own, scale=both[0]) * stats.norm.pdf(
            other, scale=both[1]
        )
        return weight * right[0] * (1 - right[1])

    value, _ = integrate.dblquad(at, -6, 6, -8, 8, epsrel=1e-7)
    assert np.isclose(result, 0.3 * value, rtol=1e-5)


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
        observations = observe(space)
        scores = np.asarray(score(given(model, observations, data), observations))
    return np.logaddexp.reduce(scores.reshape(2, 2, -1), axis=2)


def test_with_annotators_that_differ_it_is_integrated_too(space):
    result = np.exp(of_rows(space, AWAY))
    assert np.allclose(result, exact(AWAY, HARDER[[0, 0]]), rtol=0.02, atol=0)


def test_annotators_that_differ_are_not_all_alike(space):
    alike = exact(np.zeros((2, 2, 1)), HARDER[[0, 0]])
    assert np.abs(np.exp(of_rows(space, AWAY)) / alike - 1).max() > 0.1


@pytest.fixture(scope="module")
def many():
    """Eighty annotators, thirty items each, five an item, two labels."""
    generator = np.random.default_rng(1)
    who = generator.random((480, 80)).argsort(1)[:, :5]
    truth, harder = generator.integers(2, size=480), generator.normal(size=480)
    rows = 1.5 * TWO + 0.8 * TWO * generator.normal(size=(80, 2))
    right = expit(rows[who, truth[:, None]] - harder[:, None])
    said = np.where(
        generator.random(who.shape) < right, truth[:, None], 1 - truth[:, None]
    )
    frame = pd.DataFrame(
        {
            "item": np.repeat([f"i{number:03d}" for number in range(480)], 5),
            "annotator": [f"a{code:02d}" for code in who.ravel()],
            "label": np.array(["x", "y"])[said.ravel()],
        }
    )
    return space_of(read(frame))


@pytest.fixture(scope="module")
def log_spread(many):
    result = gibbs.fit(
        logistic_random_effects.MODEL, many, 0, gibbs.Options(tune=300, draws=800)
    )
    return np.log(result.parameters["spread"]).mean()


# A standard deviation of 160 rows known each to within the error of some 15 answers,
# sqrt(1 / (15 * .12)) = .75 in log-odds and .53 in the contrast: relative error
# (1 + .53^2 / .8^2) / sqrt(2 * 160); of each label's, of half the rows, root two more.
ERROR = (1 + 0.53**2 / 0.8**2) / np.sqrt(2 * 160)


def test_the_spread_between_annotators_is_recovered(log_spread):
    assert abs(log_spread - np.log(0.8)) < 4 * ERROR


def test_another_spread_is_told_from_it(log_spread):
    assert abs(log_spread - np.log(0.3)) > 4 * ERROR
