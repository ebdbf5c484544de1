"""Contains, all three models: every parameter is found again, and bounds hold it.

A study each, drawn from the model at parameters of its prior; what was drawn is looked
up in what is found. The same checks fail where annotators are mistaken for one another,
or bounds are of half the spread.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from numpyro.handlers import substitute

from consilience.annotators import load
from consilience.checks.simulated_fits import answered
from consilience.inference import em, vb
from consilience.inference.ascent import Steps
from consilience.inference.result import QUANTILE
from consilience.model import simulate
from consilience.responses import read
from consilience.truth import space_of

PEOPLE, MASS, DRAWS = 20, 0.9, 24
SHARED = ("mean", "scale", "share", "width", "weight", "group_shift")
SPREADS = tuple(
    f"{name}_spread"
    for name in ("threshold", "own_group", "own_width", "own_discrimination")
)
OWN = ("threshold", "own_group", "own_width", "own_discrimination", "lapse")


def design(pairs, per_pair, *, people=PEOPLE, rich=False):
    """So many annotators of so many pairs, in two groups and with a column if rich."""
    generator = np.random.default_rng(0)
    who = generator.random((pairs, people)).argsort(1)[:, :per_pair]
    rows = pd.DataFrame(
        {
            "item": np.repeat([f"i{number:04d}" for number in range(pairs)], per_pair),
            "annotator": [f"a{j:02d}" for j in who.ravel()],
            "label": np.repeat(np.resize(["husky", "cup"], pairs), per_pair),
            "answer": np.resize(["no", "maybe", "yes"], pairs * per_pair),
        }
    )
    if not rich:
        return space_of(read(rows, kind="contains"))
    labels = pd.DataFrame({"label": ["husky", "cup"], "parent": ["dogs", "things"]})
    known = rows[["item", "label"]].drop_duplicates()
    known["listed"] = generator.normal(size=pairs).round(3)
    return space_of(read(rows, kind="contains", labels=labels), lists=known)


def study(name, space, key, values=None):
    """Answers drawn from a model, and its parameters."""
    model = load(name)
    data = {site: jnp.asarray(value) for site, value in (values or {}).items()}
    with jax.enable_x64(True):
        made = substitute(lambda: simulate(model, space, jax.random.key(key)), data)()
    truth = {site: np.asarray(value) for site, value in made.parameters.items()}
    return answered(space, np.asarray(made.answer)), truth


def fitted(name, space, draws=DRAWS):
    effort = em.Effort(steps=Steps(restarts=1, tolerance=1e-6), draws=draws)
    with jax.enable_x64(True):
        return em.fit(load(name), space, jax.random.key(0), effort).parameters


def held(found, truth, width=1.0):
    """Whether 90 % bounds, drawn together so far, hold each element of a parameter."""
    draws = np.asarray(found).reshape(-1, *truth.shape)
    middle = draws.mean(0)
    tails = [(1 - MASS) / 2, (1 + MASS) / 2]
    bounds = np.quantile(draws, tails, axis=0, method=QUANTILE)
    lower, upper = middle + width * (bounds - middle)
    return ((lower <= truth) & (truth <= upper)).ravel()


def off(inside):
    """How far coverage is from what is said, in standard errors of as many elements."""
    return abs(inside.mean() - MASS) / np.sqrt(MASS * (1 - MASS) / inside.size)


def errors(found, truth):
    """How far the mean of the draws is off, in their standard deviations."""
    draws = np.asarray(found).reshape(-1, *truth.shape)
    return (np.abs(draws.mean(0) - truth) / draws.std(0, ddof=1)).ravel()


# Of one of a few draws the standard deviation is known to a seventh.
MOST = 4 * (1 + 1 / np.sqrt(2 * DRAWS))


@pytest.fixture(scope="module")
def scale():
    """The model of appearance: what was drawn, and what is found."""
    space, truth = study("contains", design(900, 5, rich=True), 1)
    return truth, fitted("contains", space)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*SHARED, *SPREADS])
def test_what_annotators_share_is_found_again(scale, name):
    truth, found = scale
    assert errors(found[name], truth[name]).max() < MOST


@pytest.mark.slow
@pytest.mark.parametrize("name", OWN)
def test_bounds_of_annotators_hold_them_as_often_as_they_say(scale, name):
    truth, found = scale
    assert off(held(found[name], truth[name])) < 4


@pytest.mark.slow
def test_the_same_check_catches_annotators_mistaken_for_one_another(scale):
    truth, found = scale
    names = ("threshold", "own_width", "own_discrimination")
    inside = [held(found[name], np.roll(truth[name], 1, axis=0)) for name in names]
    assert off(np.concatenate(inside)) > 4


@pytest.mark.slow
def test_the_same_check_catches_bounds_of_half_the_spread(scale):
    truth, found = scale
    inside = [held(found[name], truth[name], width=0.5) for name in OWN]
    assert off(np.concatenate(inside)) > 4


STUDIES = 4


@pytest.fixture(scope="module")
def states():
    """Three states, some studies: confusions drawn, and found."""
    model, space = load("contains_states"), design(600, 6, people=24)
    told = []
    with jax.enable_x64(True):
        for key in range(STUDIES):
            answers, truth = study("contains_states", space, key)
            effort = vb.Effort(steps=Steps(restarts=1), draws=100)
            result = vb.fit(model, answers, jax.random.key(0), effort)
            told.append((truth, result.parameters))
    return told


def test_every_confusion_and_the_prevalence_of_states_are_held(states):
    for name in ("prevalence", "confusion"):
        each = [held(found[name], truth[name]) for truth, found in states]
        assert off(np.concatenate(each)) < 4


def test_the_same_check_catches_confusions_of_another_annotator(states):
    each = [
        held(found["confusion"], np.roll(truth["confusion"], 1, axis=0))
        for truth, found in states
    ]
    assert off(np.concatenate(each)) > 4


COUNTS = {
    "mean": [-2.5, 0.0, 2.5],
    "concentration": [8.0, 4.0, 8.0],
    "share": [-1.0, -0.5],
    "maybe": 0.4,
}


@pytest.fixture(scope="module")
def counts():
    """Counts: what was drawn, and what is found; last of answers dealt anew."""
    space, truth = study("contains_counts", design(500, 6), 0, COUNTS)
    word = space.answer[space.n > 0]
    mixed = answered(design(500, 6), np.random.default_rng(0).permutation(word))
    return truth, fitted("contains_counts", space), fitted("contains_counts", mixed)


@pytest.mark.parametrize("name", list(COUNTS))
def test_every_parameter_of_counts_is_found_again(counts, name):
    truth, found, _ = counts
    assert errors(found[name], truth[name]).max() < MOST


def test_the_same_check_catches_answers_dealt_to_other_pairs(counts):
    # As many of each answer, but no pair is like itself: frequencies are all alike.
    truth, _, mixed = counts
    worst = max(errors(mixed[name], truth[name]).max() for name in COUNTS)
    assert worst > MOST
