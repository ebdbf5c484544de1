"""Intervals hold as often as they say, and the checks of that can fail."""

import numpy as np
import pytest

from consilience.analysis import agreement
from consilience.analysis.ratings import (
    assign_groups,
    table_of_sums,
    weighted_sums,
)
from consilience.analysis.similarity import pairs_within
from consilience.intervals import resampled_counts

PREVALENCE = np.array([0.5, 0.3, 0.2])
THETA = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.1, 0.2, 0.7]])
STUDIES = 60
TOLERANCE = 4 * np.sqrt(0.9 * 0.1 / STUDIES)


def truths():
    """Coefficients of infinitely many items, all annotators being alike."""
    said = PREVALENCE @ THETA
    agreed = PREVALENCE @ (THETA**2).sum(axis=1)
    chance = {
        "percent": 0.0,
        "fleiss": (said**2).sum(),
        "conger": (said**2).sum(),
        "cohen": (said**2).sum(),
        "krippendorff": (said**2).sum(),
        "brennan_prediger": 1 / 3,
        "gwet_ac1": (said * (1 - said)).sum() / 2,
    }
    return {name: (agreed - by) / (1 - by) for name, by in chance.items()}


def coverage(simulated, lower, upper, *, times=1, bootstrap=0):
    """How often the interval of each coefficient holds the truth."""
    held = dict.fromkeys(truths(), 0)
    for seed in range(STUDIES):
        crowd = simulated(
            np.random.default_rng(seed),
            items=100,
            annotators=4,
            theta=THETA,
            prevalence=PREVALENCE,
            times=times,
        )
        result = agreement(crowd, bootstrap=bootstrap, seed=seed).coefficients
        result = result.set_index("coefficient")
        for name, truth in truths().items():
            held[name] += result[lower][name] <= truth <= result[upper][name]
    return {name: count / STUDIES for name, count in held.items()}


def test_nine_tenths_of_bootstrap_intervals_hold_the_truth(simulated):
    for name, held in coverage(simulated, "lower", "upper", bootstrap=300).items():
        assert abs(held - 0.9) < TOLERANCE, name


def test_nine_tenths_of_linearised_intervals_hold_the_truth(simulated):
    for name, held in coverage(simulated, "se_lower", "se_upper").items():
        assert abs(held - 0.9) < TOLERANCE, name


def test_the_same_checks_catch_items_that_are_counted_eight_times(simulated):
    for name, held in coverage(simulated, "se_lower", "se_upper", times=8).items():
        assert held < 0.9 - TOLERANCE, name
    bootstrapped = coverage(simulated, "lower", "upper", times=8, bootstrap=200)
    for name, held in bootstrapped.items():
        assert held < 0.9 - TOLERANCE, name


def spread_over_resamples(value, group):
    shape = (int(group.max()) + 1, 1)
    table = table_of_sums(group, np.zeros_like(group), value, shape)
    generator = np.random.default_rng(1)
    blocks = resampled_counts(len(table), 2000, 1, generator)
    return np.std(
        np.concatenate([weighted_sums(block, table)[:, 0] for block in blocks])
    )


def test_groups_of_items_vary_as_items_do():
    # Values drift along the file, as where batches differ.
    generator = np.random.default_rng(0)
    value = generator.normal(size=4000) + np.linspace(-2, 2, 4000)
    wanted = np.sqrt(((value - value.mean()) ** 2).sum())
    group = assign_groups(np.arange(4000), generator, most=400)
    assert set(np.bincount(group)) == {10}
    # The error of a variance from 400 groups, and from 2000 resamples, halved.
    tolerance = 4 * (np.sqrt(2 / 400) + np.sqrt(2 / 2000)) / 2
    assert abs(spread_over_resamples(value, group) / wanted - 1) < tolerance


def test_the_same_check_catches_groups_in_the_order_of_the_file():
    generator = np.random.default_rng(0)
    value = generator.normal(size=4000) + np.linspace(-2, 2, 4000)
    wanted = np.sqrt(((value - value.mean()) ** 2).sum())
    tolerance = 4 * (np.sqrt(2 / 400) + np.sqrt(2 / 2000)) / 2
    spread = spread_over_resamples(value, np.arange(4000) // 10)
    assert spread / wanted - 1 > tolerance


def test_few_items_are_not_grouped():
    item = np.array([0, 0, 1, 2, 2])
    assert assign_groups(item, np.random.default_rng(0)).tolist() == item.tolist()


@pytest.mark.parametrize("block", [1, 3, 1000])
def test_pairs_within_groups_are_all_ordered_pairs_whatever_the_block(block):
    group = np.array([2, 2, 5, 7, 7, 7])
    results = [
        (int(i), int(j))
        for one, other in pairs_within(group, block)
        for i, j in zip(one, other, strict=True)
    ]
    wanted = [(i, j) for i in range(6) for j in range(6) if group[i] == group[j]]
    assert results == wanted
