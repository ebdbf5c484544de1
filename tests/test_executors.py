"""Sums over parts are the same to the last digit, and parts are kept while they fit."""

import numpy as np
import pytest

from consilience.executors import FAN, Room, Sum, Threads, add


@pytest.mark.parametrize("number", [1, 2, FAN, FAN + 1, FAN**2, FAN**2 + FAN + 3])
def test_sums_are_added_up_in_one_order_only(number):
    generator = np.random.default_rng(number)
    values = generator.lognormal(0, 9, number)
    level = [Sum(float(value), {"a": np.full(2, value)}) for value in values]
    before = [each.arrays["a"].copy() for each in level]
    calls = Threads(level.__getitem__, number)
    total = calls.added(lambda part, _: part)
    np.testing.assert_array_equal(before, [each.arrays["a"] for each in level])
    while len(level) > 1:
        level = [add(level[first : first + FAN]) for first in range(0, len(level), FAN)]
    assert total.value == level[0].value
    np.testing.assert_array_equal(total.arrays["a"], level[0].arrays["a"])


def test_another_order_gives_other_digits():
    # The twin of the test above.
    values = np.random.default_rng(0).lognormal(0, 9, FAN**2 + FAN + 3)
    parts = [Sum(float(value), {}) for value in values]
    calls = Threads(parts.__getitem__, len(parts))
    assert calls.added(lambda part, _: part).value != add(parts).value


def test_parts_are_laid_out_once_while_there_is_room():
    laid_out = []

    def lay_out(place):
        laid_out.append(place)
        return range(place + 1)

    calls = Threads(lay_out, 3, keep=Room(2, len))
    for _ in range(2):
        assert list(calls.each(lambda part, place: (len(part), place))) == [
            (1, 0),
            (2, 1),
            (3, 2),
        ]
    assert 4 <= len(laid_out) <= 5
    assert laid_out.count(2) == 2
