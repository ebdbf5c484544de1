"""Decisions: expected F as all worlds enumerated have it, and what is decided."""

from itertools import product

import numpy as np
import pytest
from tests.analysis.made import choice_fit, contains_fit

import consilience as cs
from consilience.analysis.decisions import expected_f, minimise_loss
from consilience.errors import OptionError


def enumerated(chance, called, cost):
    """Expected F of calling so many of the first, over all worlds."""
    total = 0.0
    for world in product([0, 1], repeat=len(chance)):
        there = np.array(world)
        weight = np.where(there, chance, 1 - chance).prod()
        hits, number = there[:called].sum(), there.sum()
        below = (1 + cost) * hits + cost * (number - hits) + called - hits
        total += weight * ((1 + cost) * hits / below if below else 1.0)
    return total


SURE = np.array([1.0, 1.0, 0.6, 0.0])


@pytest.mark.parametrize("cost", [1.0, 4.0])
@pytest.mark.parametrize("seed", range(2))
def test_expected_f_is_that_of_all_worlds(seed, cost):
    generator = np.random.default_rng(seed)
    chance = np.sort(generator.beta(0.5, 1.0, size=10))[::-1] if seed else SURE
    result = expected_f(chance, cost)
    by_hand = [enumerated(chance, k, cost) for k in range(len(chance) + 1)]
    # The integral is cut at 1e-11 of its scale, and its nodes err less than that.
    assert result == pytest.approx(by_hand, abs=1e-9)
    assert result != pytest.approx(by_hand[::-1], abs=1e-3)


def test_many_labels_are_as_the_law_of_large_numbers_has_them():
    chance = np.sort(np.random.default_rng(0).beta(0.3, 1.5, size=30_000))[::-1]
    result, number = expected_f(chance, 1.0), np.arange(1, 30_001)
    # Of so many the denominator is known to some 1 / sqrt(number of labels there).
    limit = 2 * np.cumsum(chance) / (number + chance.sum())
    assert np.abs(result[1:] / limit - 1).max() < 10 / chance.sum()


def best_of_all(chance):
    """Of all sets of labels, the best F1 to be expected, with its set."""
    sets = list(product([False, True], repeat=len(chance)))
    values = []
    for chosen in sets:
        order = np.argsort(~np.array(chosen), kind="stable")
        values.append(enumerated(chance[order], sum(chosen), 1.0))
    return max(values), sets[int(np.argmax(values))]


@pytest.mark.parametrize("seed", range(2))
def test_no_other_set_of_labels_has_more_to_expect(seed):
    chance = np.random.default_rng(seed).beta(0.5, 1.0, size=7)
    present, loss = minimise_loss(chance, "f1", 1.0)
    value, chosen = best_of_all(chance)
    assert 1 - loss == pytest.approx(value)
    assert tuple(present) == chosen


def test_labels_as_probable_are_called_alike():
    chance = np.array([0.9] + [0.31] * 4)
    present, _ = minimise_loss(chance, "f1", 1.0)
    assert len(set(present[1:])) == 1


@pytest.fixture(scope="module")
def fit():
    rows = [(f"i{number}", "cat", 1, 0, 1) for number in range(60)]
    return contains_fit(rows, np.random.default_rng(0).beta(0.5, 1.0, 60))


def test_a_fit_is_decided_label_by_label(fit):
    result = cs.contains.decide(fit, loss="f1")
    assert list(result.labels) == ["item", "label", "probability", "present"]
    chance, present = (result.labels[name] for name in ("probability", "present"))
    assert chance[present].min() == result.threshold
    assert chance[~present].max() < result.threshold
    assert 0 < result.expected_loss < 1


def test_what_is_no_loss_is_refused(fit):
    with pytest.raises(OptionError, match="choose one of errors, f1"):
        cs.contains.decide(fit, loss="f2")
    with pytest.raises(OptionError, match="a number above 0"):
        cs.contains.decide(fit, false_negative_cost=0.0)
    with pytest.raises(OptionError, match="kind contains"):
        cs.contains.decide(choice_fit([[0.5, 0.5]], "xy"))
