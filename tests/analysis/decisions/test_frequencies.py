"""Frequencies of single labels and of whole data sets, told with honest bounds."""

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.errors import OptionError
from consilience.responses import read

WORDS = ("no", "maybe", "yes")
PAIRS, ANSWERS, MAYBE = 500, 5, 0.4
CUTS = (0.3, 0.5, 0.9)


def study(seed, pairs=PAIRS, times=1):
    """Answers of nobody in particular, and the frequencies behind them."""
    generator = np.random.default_rng(seed)
    often = generator.random(pairs) < 0.3
    frequency = np.where(
        often, generator.beta(5, 2, pairs), generator.beta(0.4, 6, pairs)
    )
    both = 2 * MAYBE * frequency * (1 - frequency)
    chances = np.stack([1 - frequency - both / 2, both, frequency - both / 2], 1)
    said = times * generator.multinomial(ANSWERS, chances)
    at = np.argwhere(said)
    table = pd.DataFrame(
        {
            "item": [f"i{pair:04d}" for pair, _ in at],
            "label": "cat",
            "answer": [WORDS[word] for _, word in at],
            "n": said[tuple(at.T)],
        }
    )
    return read(table), frequency


def fitted(responses):
    return cs.fit(
        responses,
        model="contains_counts",
        engine="em",
        effort=cs.EngineOptions(restarts=1),
    )


@pytest.fixture(scope="module")
def one():
    responses, _ = study(0)
    return responses, fitted(responses)


@pytest.fixture(scope="module")
def tables():
    results = []
    for seed in range(24):
        responses, frequency = study(seed)
        table = cs.contains.selection_frequencies(fitted(responses), CUTS)
        results.append(table.assign(true=[(frequency > cut).mean() for cut in CUTS]))
    return results


def held(tables, name):
    """How often bounds hold the truth at each threshold, drawn about that column."""
    each = [
        (table["lower"] - table["share"] + table[name] <= table["true"])
        & (table["true"] <= table["upper"] - table["share"] + table[name])
        for table in tables
    ]
    return np.mean(each, 0)


@pytest.mark.study
def test_bounds_of_a_data_set_hold_its_frequencies(tables):
    # They are of the population that the pairs are drawn from, so they may hold the
    # share among these pairs more often than in nine cases of ten, not less often.
    assert (held(tables, "share") > 0.9 - 4 * np.sqrt(0.09 / len(tables))).all()


@pytest.mark.study
def test_the_same_check_catches_the_shares_that_were_observed(tables):
    # Five yeses of five are common, frequencies above .9 are not.
    assert held(tables, "observed")[-1] < 0.9 - 4 * np.sqrt(0.09 / len(tables))


@pytest.mark.study
def test_bounds_hold_the_population(tables):
    population = []
    for cut in CUTS:
        generator = np.random.default_rng(99)
        high, low = generator.beta(5, 2, 400_000), generator.beta(0.4, 6, 400_000)
        population.append(0.3 * (high > cut).mean() + 0.7 * (low > cut).mean())
    drawn = [table.assign(true=population) for table in tables]
    error = np.sqrt(0.09 / len(tables))
    assert (np.abs(held(drawn, "share") - 0.9) < 4 * error).all()
    narrow = [
        table.assign(
            lower=table["share"] + (table["lower"] - table["share"]) / 5,
            upper=table["share"] + (table["upper"] - table["share"]) / 5,
        )
        for table in drawn
    ]
    assert (np.abs(held(narrow, "share") - 0.9) > 4 * error).any()


@pytest.mark.parametrize(("times", "right"), [(1, True), (4, False)])
def test_bounds_of_a_pair_hold_its_frequency_unless_answers_count_four_times(
    times, right
):
    responses, frequency = study(50, pairs=1500, times=times)
    table = cs.contains.frequencies(fitted(responses), [0.5]).sort_values("item")
    inside = (table["lower"] <= frequency) & (frequency <= table["upper"])
    holds = abs(inside.mean() - 0.9) < 4 * np.sqrt(0.09 / len(inside))
    assert bool(holds) is right


def test_a_threshold_may_be_chosen_afterwards(one):
    responses, fit = one
    table = cs.contains.frequencies(fit, [0.5, 0.8])
    assert np.allclose(table["above_0.5"], fit.labels()["probability"], atol=1e-6)
    other = cs.fit(
        responses,
        model="contains_counts",
        engine="em",
        prior={"threshold": 0.8},
        effort=cs.EngineOptions(restarts=1),
    )
    assert np.allclose(table["above_0.8"], other.labels()["probability"], atol=0.01)
    assert (table["above_0.8"] <= table["above_0.5"]).all()
    assert table["frequency"].between(table["lower"], table["upper"]).all()


def test_frequencies_are_of_counts_and_between_zero_and_one(one):
    responses, fit = one
    with pytest.raises(OptionError, match="fit contains_counts"):
        cs.contains.frequencies(cs.fit(responses, model="majority"))
    with pytest.raises(OptionError, match="not a frequency"):
        cs.contains.selection_frequencies(fit, [1.0])
