"""Item difficulty and random effects: the item's integral, by SciPy; spreads found."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from numpyro.handlers import seed, substitute
from scipy import integrate, stats
from scipy.special import expit

from consilience.annotators import item_difficulty, logistic_random_effects
from consilience.inference.engines import em
from consilience.model import simulate
from consilience.model.contract import nothing_prepared
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
        program = substitute(seed(module.parameters, 0), data=data)
        scores = model.score(observations, program(observations, prior))
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


def exact(away):
    table = []
    for answers in ((0, 1), (1, 1)):
        row = []
        for state in (0, 1):
            sign = 1 - 2 * state  # the contrast is that of x over y
            logits = sign * TWO * (CENTRE[state, 0] + away[:, state, 0])
            width = HARDER[state]
            row.append(integrated(answers, state, logits, stats.norm(scale=width).pdf))
        table.append(row)
    return np.array(table)


def test_the_difficulty_of_an_item_is_integrated_out(space):
    result = np.exp(joint(item_difficulty, space))
    assert np.allclose(result, exact(np.zeros((2, 2, 1))), rtol=1e-8, atol=0)


def test_with_annotators_that_differ_it_is_integrated_too(space):
    result = joint(
        logistic_random_effects, space, distance=AWAY / SPREAD, spread=SPREAD
    )
    assert np.allclose(np.exp(result), exact(AWAY), rtol=1e-8, atol=0)


def test_annotators_that_differ_are_not_all_alike(space):
    result = joint(
        logistic_random_effects, space, distance=AWAY / SPREAD, spread=SPREAD
    )
    assert np.abs(np.exp(result) - exact(np.zeros((2, 2, 1)))).max() > 0.01


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


@pytest.fixture(scope="module")
def many():
    """Eighty annotators, thirty items each, five an item, two labels."""
    generator = np.random.default_rng(1)
    who = generator.random((480, 80)).argsort(1)[:, :5]
    frame = pd.DataFrame(
        {
            "item": np.repeat([f"i{number:03d}" for number in range(480)], 5),
            "annotator": [f"a{code:02d}" for code in who.ravel()],
            "label": np.tile(["x", "y"], 1200),
        }
    )
    drawn = {"spread": 0.8, "difficulty": [1.0, 1.0], "population": [[1.5], [-1.5]]}
    with jax.enable_x64(True):
        space = space_of(read(frame))
        data = {name: jnp.asarray(value) for name, value in drawn.items()}
        model = replace(
            logistic_random_effects.MODEL,
            parameters=substitute(logistic_random_effects.parameters, data=data),
        )
        made = simulate(model, space, jax.random.key(4))
    return replace(space, answer=np.asarray(made.answer, np.int32))


def spread_found(model, space):
    with jax.enable_x64(True):
        result = em.fit(model, space, 0, em.Options())
    return float(result.parameters["spread"][0, 0])


# A standard deviation of 160 rows known each to within the error of some 15 answers,
# sqrt(1 / (15 * .12)) = .75 in log-odds and .53 in the contrast: relative error
# (1 + .53^2 / .8^2) / sqrt(2 * 160).
ERROR = (1 + 0.53**2 / 0.8**2) / np.sqrt(2 * 160)


@pytest.mark.study
def test_em_finds_the_spread_between_annotators(many):
    result = spread_found(logistic_random_effects.MODEL, many)
    assert abs(np.log(result / 0.8)) < 4 * ERROR


@pytest.mark.study
def test_in_coordinates_that_ignore_the_answers_it_finds_too_much(many):
    result = spread_found(
        replace(logistic_random_effects.MODEL, prepare=nothing_prepared), many
    )
    assert np.log(result / 0.8) > 4 * ERROR
