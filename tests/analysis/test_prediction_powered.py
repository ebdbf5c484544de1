"""Corrections of groups: judges who miss flaws, and systems of which few are bad."""

from dataclasses import replace

import numpy as np
import pytest

from consilience.analysis import prediction_powered
from consilience.analysis.prediction_powered import estimated
from consilience.analysis.references import Questions

SYSTEMS, ITEMS, JUDGED, STUDIES = 16, 100, 100, 30
PAIRS = np.triu_indices(SYSTEMS, 1)


def evaluation(seed):
    """Rate from 1 to 5, mostly 5: two systems are bad, and judges miss flaws."""
    random = np.random.default_rng(seed)
    group = np.repeat(np.arange(SYSTEMS), ITEMS)
    flawed = random.beta(1, 15, SYSTEMS)
    flawed[random.choice(SYSTEMS, 2, replace=False)] = random.uniform(0.3, 0.6, 2)
    flaw = random.random(len(group)) < flawed[group]
    truth = 5.0 - flaw * random.integers(1, 5, len(group))
    seen, false = random.uniform(0.4, 0.8, SYSTEMS), random.beta(2, 18, SYSTEMS)
    noticed = random.random((2, len(group))) < np.where(flaw, seen[group], false[group])
    judge = (5.0 - noticed * random.integers(1, 5, noticed.shape)).mean(0)
    judged = np.isin(np.arange(len(group)), random.permutation(len(group))[:JUDGED])
    asked = Questions(
        label="",
        by="system",
        groups=tuple(map(str, range(SYSTEMS))),
        unit=np.arange(len(group)),
        group=group,
        cluster=None,
        truth=np.where(judged, truth, np.nan),
        weight=np.ones(len(group)),
        noise=np.zeros(len(group)),
        predictions=judge[:, None],
        answered=judge,
        of_each=judge[:, None],
        model=judge,
        bounds=(1.0, 5.0),
    )
    return asked, judged, np.bincount(group, truth) / ITEMS


def share_held():
    """Return the share of intervals that hold: of systems, and of their differences."""
    held, apart = [], []
    for seed in range(STUDIES):
        asked, judged, true = evaluation(seed)
        some = estimated(asked, judged, population=False)
        each = np.eye(SYSTEMS)
        stated = np.array([some.sum_of(row, 0.9)[1:3] for row in each])
        held.append((stated[:, 0] <= true) & (true <= stated[:, 1]))
        pairs = [
            some.sum_of(each[i] - each[j], 0.9)[1:3] for i, j in np.transpose(PAIRS)
        ]
        lower, upper = np.transpose(pairs)
        difference = true[PAIRS[0]] - true[PAIRS[1]]
        apart.append((lower <= difference) & (difference <= upper))
    return np.array(held), np.array(apart)


def error(held):
    """Return the standard error of a share, studies being independent."""
    return held.mean(1).std(ddof=1) / np.sqrt(len(held))


def test_intervals_hold_where_judges_miss_flaws_and_few_systems_are_bad():
    for held in share_held():
        assert abs(held.mean() - 0.9) < 0.03 + 3 * error(held)


def test_the_same_check_catches_corrections_taken_for_equal(monkeypatch):
    monkeypatch.setattr(prediction_powered, "_GRID", np.array([1e-4]))
    for held in share_held():
        assert held.mean() < 0.87 - 3 * error(held)


def test_a_group_that_nobody_judged_is_on_the_line_of_the_others():
    """With corrections that are a line of the predictions, it is exactly on it."""
    usual = np.linspace(1.0, 5.0, 8)
    correction = 0.5 - 0.25 * (usual - 3.0)
    number = np.array([9] * 7 + [0])
    noise = np.diag(np.full(8, 1e-6))
    mean, covariance = prediction_powered.shared(correction, noise, number, usual)
    assert mean[7] == pytest.approx(correction[7], abs=0.05)
    assert covariance[7, 7] > covariance[0, 0]
    flat, _ = prediction_powered.shared(correction, noise, number, np.ones(8))
    assert flat[7] == pytest.approx(correction[:7].mean(), abs=0.05)


def test_of_groups_that_people_judged_whole_nothing_is_unknown():
    asked, _, true = evaluation(0)
    random = np.random.default_rng(1)
    truth = np.where(asked.answered == 5, 5.0, random.integers(1, 6, len(asked.group)))
    asked, true = replace(asked, truth=truth), np.bincount(asked.group, truth) / ITEMS
    weights = [*np.eye(SYSTEMS), *np.eye(SYSTEMS)[0] - np.eye(SYSTEMS)[1:]]

    def bounds(judged):
        some = estimated(asked, judged, population=False)
        return np.array([some.sum_of(weight, 0.9)[1:3] for weight in weights])

    every = np.ones(len(truth), bool)
    stated = np.stack([weights @ true] * 2, 1)
    np.testing.assert_allclose(bounds(every), stated, rtol=0, atol=1e-6)
    every[0] = False  # the twin
    assert np.ptp(bounds(every)[0]) > 1e-3


def share_of_rare_held(groups):
    """Return how often the rate of all items, one in 25 or so, is inside."""
    held = []
    for seed in range(200):
        random = np.random.default_rng(seed)
        group = np.arange(600) % groups
        truth = (random.random(len(group)) < 0.04).astype(float)
        judge = np.where(truth == 1, random.beta(2, 2, 600), random.beta(1, 9, 600))
        judged = np.isin(np.arange(600), random.permutation(600)[:60])
        asked = replace(
            evaluation(0)[0],
            groups=tuple(map(str, range(groups))),
            unit=np.arange(600),
            group=group,
            truth=np.where(judged, truth, np.nan),
            weight=np.ones(600),
            noise=np.zeros(600),
            predictions=judge[:, None],
            answered=judge,
            of_each=judge[:, None],
            model=judge,
            bounds=(0.0, 1.0),
        )
        some = estimated(asked, judged, population=False)
        _, lower, upper, _ = some.sum_of(some.items / 600, 0.9)
        held.append(lower <= truth.mean() <= upper)
    return np.mean(held)


@pytest.mark.parametrize("groups", [1, 2, 6])
def test_rates_of_what_is_rare_hold(groups):
    assert abs(share_of_rare_held(groups) - 0.9) < 3 * np.sqrt(0.09 / 200)


def test_the_same_check_catches_bounds_that_are_symmetric(monkeypatch):
    monkeypatch.setattr(
        prediction_powered.Estimated, "_wilson", lambda _, mean, *__: (mean, mean)
    )
    assert share_of_rare_held(1) < 0.9 - 3 * np.sqrt(0.09 / 200)
