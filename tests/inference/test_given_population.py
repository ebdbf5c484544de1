"""Annotators and labels by all answers, given the population that some of them show."""

import jax
import numpy as np
import pytest
from benchmarks.simulation_based_calibration import replace_answers
from scipy.stats import binom
from tests.studies import crossed, inside

from consilience.annotators import load
from consilience.inference import EngineOptions, given_population
from consilience.inference.engines import gibbs
from consilience.inference.given_population import draw_given_population
from consilience.inference.sharded import result_of_draws
from consilience.model import PREVALENCE, TYPICAL, HostModel, simulate
from consilience.progress import silent
from consilience.responses import read
from consilience.spaces import space_of
from consilience.truth.coding import some_units

MODEL = load("correlated_dawid_skene", {"population": 0.3, "prevalence": 20.0})
ITEMS, PEOPLE, PER_ITEM = 240, 12, 4
QUICK = EngineOptions(chains=3, tune=60, draws=120)


@pytest.fixture(scope="module")
def design():
    frame = crossed(ITEMS, PEOPLE, PER_ITEM)
    return space_of(read(frame.assign(label=np.resize(["x", "y", "z"], len(frame)))))


def study(design, seed):
    """Return a study drawn from the prior, what is true, and a fit of some items."""
    with jax.enable_x64(True):
        made = simulate(MODEL, design, jax.random.key(seed))
    space = replace_answers(design, np.asarray(made.answer))
    some = some_units(space, np.arange(0, ITEMS, 4))
    return space, made, gibbs.fit(MODEL, some, seed, QUICK).parameters


def drawn(space, learned, seed=0, parts=1):
    """Return draws, the items lying in so many parts."""
    units = np.array_split(np.arange(space.num_units), parts)
    spaces = [some_units(space, each) for each in units]
    return draw_given_population(
        MODEL, spaces.__getitem__, parts, learned, seed, silent
    )


@pytest.fixture(scope="module")
def one(design):
    return study(design, 5)


def accuracy(parameters):
    """Return draws of how often each annotator is right."""
    rows = np.asarray(parameters[TYPICAL], float)
    prevalence = np.asarray(parameters[PREVALENCE], float)
    right = np.einsum("...k,...jkk->...j", prevalence, rows)
    return right.reshape(-1, right.shape[-1])


def apart(one, other):
    """Return how far means of annotators are apart, in standard deviations of one."""
    first, second = accuracy(one), accuracy(other)
    return np.abs((first.mean(0) - second.mean(0)) / first.std(0)).mean()


def test_annotators_are_those_of_all_answers(one):
    space, _, learned = one
    by_all = gibbs.fit(MODEL, space, 1, QUICK).parameters
    ours = apart(by_all, drawn(space, learned))
    assert ours < 0.5
    # The twin: what the sample says of annotators is not what all answers say.
    assert apart(by_all, learned) > 2 * ours


def test_labels_are_those_of_all_answers(one):
    space, _, learned = one
    by_all = gibbs.fit(MODEL, space, 1, QUICK)
    draws = drawn(space, learned)
    ours = result_of_draws(HostModel(MODEL, space), draws, None, 0.9)
    gap = np.abs(ours.belief - by_all.belief).mean()
    assert (ours.lower <= ours.belief).all()
    assert (ours.belief <= ours.upper).all()
    # The twin: each annotator is taken for another.
    mixed = {**draws, TYPICAL: np.roll(draws[TYPICAL], 1, 1)}
    others = result_of_draws(HostModel(MODEL, space), mixed, None, 0.9)
    assert gap < 0.4 * np.abs(others.belief - by_all.belief).mean()


def test_items_in_parts_give_the_same_but_for_chance(one):
    space, _, learned = one
    whole, parts = (drawn(space, learned, parts=number) for number in (1, 3))
    # Of two means of so many chains; the mean of the size of a standard normal is .8.
    error = np.sqrt(2 / given_population.CHAINS)
    assert apart(whole, parts) < 1.2 * error
    # The twin: with a third of the items alone, annotators are others.
    less = drawn(some_units(space, np.arange(ITEMS // 3)), learned)
    assert apart(whole, less) > 1.2 * error


@pytest.fixture(scope="module")
def studies(design):
    return [study(design, seed) for seed in range(12)]


def which_hold(studies, place=0):
    """Return which accuracies are in the 80 % intervals of who is so many places on."""
    held = []
    for seed, (space, made, learned) in enumerate(studies):
        draws = drawn(space, learned, seed)
        true = accuracy(made.parameters)[0]
        held.append(inside(np.roll(accuracy(draws), place, 1), true, 0.8))
    return np.concatenate(held)


@pytest.mark.study
def test_intervals_of_annotators_hold(studies):
    held = which_hold(studies)
    # Of twelve studies, in each of which annotators share a population.
    low, high = binom.ppf([0.001, 0.999], 12 * 6, 0.8) / (12 * 6)
    assert low < held.mean() < high


@pytest.mark.study
def test_intervals_of_another_annotator_do_not_hold(studies):
    held = which_hold(studies, place=1)
    assert held.mean() < binom.ppf(0.001, 12 * 6, 0.8) / (12 * 6)
