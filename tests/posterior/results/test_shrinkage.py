"""How closely annotators keep to the population is learned, and used."""

import numpy as np
import pytest
from scipy.stats import dirichlet_multinomial

from consilience.posterior.shrinkage import (
    CENTRE,
    PRECISIONS,
    SPREAD,
    learn_precision,
    shrunken,
)

SHARE = np.array([0.6, 0.3, 0.1])


def drawn(precision, annotators, answers, seed=0):
    generator = np.random.default_rng(seed)
    theirs = generator.dirichlet(precision * SHARE, annotators)
    return theirs, np.stack([generator.multinomial(answers, row) for row in theirs])


def learned(counts):
    return learn_precision(
        counts.ravel().astype(float), np.tile(SHARE, len(counts)), counts.sum(1) * 1.0
    )


@pytest.mark.parametrize("precision", [2.0, 10.0, 60.0])
def test_the_precision_of_annotators_is_recovered(precision):
    _, counts = drawn(precision, 200, 40)
    weight, logs = learned(counts), np.log(PRECISIONS)
    mean = weight @ logs
    error = np.sqrt(weight @ (logs - mean) ** 2)
    # The grid is half as fine as the prior's deviation divided by five.
    assert abs(mean - np.log(precision)) < 4 * error + 0.25


def test_the_weight_of_a_node_is_dirichlet_multinomial():
    _, counts = drawn(5.0, 4, 6)
    weight = learned(counts)
    logs = np.array(
        [
            dirichlet_multinomial.logpmf(counts, value * SHARE, 6).sum()
            - ((np.log(value) - CENTRE) / SPREAD) ** 2 / 2
            for value in PRECISIONS
        ]
    )
    expected = np.exp(logs - logs.max())
    assert np.allclose(weight, expected / expected.sum())


def held(counts, theirs, spoil=1.0):
    precision = learned(counts)
    share = np.tile(SHARE, len(counts))
    total = np.repeat(counts.sum(1), 3) * 1.0
    cells = shrunken(counts.ravel() * 1.0, total, share, share**2, precision, 0.9)
    lower, upper = cells.lower, cells.upper
    middle, half = (lower + upper) / 2, spoil * (upper - lower) / 2
    inside = abs(theirs.ravel() - middle) <= half
    return inside.reshape(-1, 3).mean(1)


def test_intervals_hold_nine_times_in_ten():
    result = np.concatenate(
        [held(*drawn(6.0, 60, 12, seed)[::-1]) for seed in range(10)]
    )
    error = result.std(ddof=1) / np.sqrt(len(result))
    assert abs(result.mean() - 0.9) < 4 * error
    narrow = np.concatenate(
        [held(*drawn(6.0, 60, 12, seed)[::-1], 0.6) for seed in range(10)]
    )
    assert narrow.mean() < 0.9 - 4 * error
