"""How closely annotators keep to the population is learned, and used."""

import numpy as np
import pytest
from scipy.stats import dirichlet_multinomial

from consilience.posterior.shrinkage import (
    CENTRE,
    SPREAD,
    individual_cells,
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
    result = learned(counts)
    logs = np.log(result.value)
    error = np.sqrt(result.weight @ (logs - np.log(result.mean)) ** 2)
    # The grid is half as fine as the prior's deviation divided by five.
    assert abs(np.log(result.mean / precision)) < 4 * error + 0.25


def test_the_weight_of_a_node_is_dirichlet_multinomial():
    _, counts = drawn(5.0, 4, 6)
    result = learned(counts)
    logs = np.array(
        [
            dirichlet_multinomial.logpmf(counts, value * SHARE, 6).sum()
            - ((np.log(value) - CENTRE) / SPREAD) ** 2 / 2
            for value in result.value
        ]
    )
    expected = np.exp(logs - logs.max())
    assert np.allclose(result.weight, expected / expected.sum())


def test_one_answer_each_says_nothing_of_the_precision():
    _, counts = drawn(50.0, 500, 1)
    assert learned(counts).mean == pytest.approx(np.exp(CENTRE), rel=0.01)


def test_a_known_population_and_precision_give_the_posterior_by_hand():
    _, counts = drawn(1e4, 300, 30)
    precision = learned(counts)
    share = SHARE[:1]
    cell = shrunken(np.array([3.0]), np.array([10.0]), share, share**2, precision, 0.9)
    mean, lower, upper = cell.parts()
    value = precision.weight @ ((3 + precision.value * 0.6) / (10 + precision.value))
    assert mean[0] == pytest.approx(value)
    assert lower[0] < mean[0] < upper[0]


def test_each_annotator_has_all_pairs_of_the_labels_they_met():
    # Annotator 0 met label 0 alone, and 1 both; label 2 is nobody's truth.
    who = np.array([0, 0, 1, 1])
    pair = np.array([0, 1, 1, 4])
    pairs, share = np.array([0, 1, 4]), np.array([0.5, 0.5, 1.0])
    owner, place, cells = individual_cells(
        (who, pair, np.ones(4)), pairs, (share, share**2), 3, 0.9
    )
    mean = cells.mean
    assert owner.tolist() == [0, 0, 1, 1, 1]
    assert place.tolist() == [0, 1, 0, 1, 2]
    assert mean[:2].tolist() == pytest.approx([0.5, 0.5])
    assert mean[2] < 0.5 < mean[3]
    assert mean[4] == pytest.approx(1)


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
