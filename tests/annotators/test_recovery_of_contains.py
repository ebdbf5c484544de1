"""Contains: every class of parameters found again, and as sure as it says."""

import jax
import numpy as np
import pandas as pd
import pytest

from consilience.annotators.contains import MODEL
from consilience.checks.simulated_fits import answered
from consilience.inference import em
from consilience.inference.ascent import Steps
from consilience.model import simulate
from consilience.responses import read
from consilience.truth import space_of

ITEMS, PEOPLE, PER_ITEM, DRAWS = 500, 24, 6, 24
WORDS = ["no", "maybe", "yes"]
EFFORT = em.Effort(steps=Steps(restarts=1, tolerance=1e-6), draws=DRAWS)
POPULATION = ("mean", "scale", "share", "width", "group_shift", "weight")
CLASSES = ("threshold", "own_width", "own_discrimination", "own_group", "lapse")
SPREADS = ("threshold", "own_width", "own_discrimination")


def design():
    """Who answers what: two groups of labels, one number known beforehand."""
    generator = np.random.default_rng(0)
    who = generator.random((ITEMS, PEOPLE)).argsort(1)[:, :PER_ITEM]
    rows = pd.DataFrame(
        {
            "item": np.repeat([f"i{number:04d}" for number in range(ITEMS)], PER_ITEM),
            "annotator": [f"a{j:02d}" for j in who.ravel()],
            "label": np.repeat(np.resize(["husky", "cup"], ITEMS), PER_ITEM),
            "answer": np.resize(WORDS, ITEMS * PER_ITEM),
        }
    )
    labels = pd.DataFrame({"label": ["husky", "cup"], "parent": ["dogs", "things"]})
    known = rows[["item", "label"]].drop_duplicates()
    known["listed_by"] = generator.normal(size=ITEMS)
    return space_of(read(rows, kind="contains", labels=labels), lists=known)


@pytest.fixture(scope="module")
def found():
    """What was drawn, and draws of the fit, by how often each answer is counted."""
    space = design()
    with jax.enable_x64(True):
        made = simulate(MODEL, space, jax.random.key(3))
        fits = {
            power: em.fit(
                MODEL,
                answered(space, np.asarray(made.answer), power=power),
                jax.random.key(1),
                EFFORT,
            ).parameters
            for power in (1, 4)
        }
    return made.parameters, fits


def squares(found, power, names):
    """Squared distances of the truth from the mean, in posterior variances."""
    truth, fits = found
    away = []
    for name in names:
        draws = fits[power][name][0]
        error = np.asarray(truth[name]) - draws.mean(0)
        away.append(np.ravel(error / draws.std(0, ddof=1)) ** 2)
    return np.concatenate(away)


def most(number):
    """Mean of that many squares, if they are of Student's t, and four errors more.

    Of D draws the squares have the mean (1 + 1/D) (D - 1)/(D - 3), and next to twice
    its square as variance.
    """
    mean = (1 + 1 / DRAWS) * (DRAWS - 1) / (DRAWS - 3)
    return mean * (1 + 4 * np.sqrt(2 / number))


@pytest.mark.parametrize("names", [*[(name,) for name in CLASSES], POPULATION])
def test_the_truth_is_as_near_as_the_draws_say(found, names):
    away = squares(found, 1, names)
    assert away.mean() < most(away.size)


def test_the_same_check_catches_answers_counted_four_times(found):
    away = squares(found, 4, CLASSES[:3])
    assert away.mean() > most(away.size)


@pytest.mark.parametrize("name", CLASSES[:3])
def test_annotators_are_told_apart(found, name):
    truth, fits = found
    drawn = np.ravel(truth[name])
    error = fits[1][name][0].mean(0).ravel() - drawn
    # Better than saying the same of all.
    assert np.mean(error**2) < 0.7 * drawn.var()


@pytest.mark.parametrize("name", SPREADS)
def test_spreads_between_annotators_are_found_again(found, name):
    truth, fits = found
    spread, drawn = fits[1][f"{name}_spread"][0, 0], np.std(truth[name])
    # The logarithm of a standard deviation of J numbers errs by 1 / sqrt(2 J).
    assert abs(np.log(spread / drawn)) < 4 / np.sqrt(2 * PEOPLE)
