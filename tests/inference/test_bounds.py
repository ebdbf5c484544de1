"""Bounds of draws: as often as they say they hold one draw more, of few draws too."""

import numpy as np
import pytest

from consilience.inference.result import bounds
from consilience.posterior.draws import estimate

STUDIES, MASS = 20_000, 0.9
ERROR = 4 * np.sqrt(MASS * (1 - MASS) / STUDIES)


@pytest.fixture(scope="module", params=[20, 40, 200])
def drawn(request):
    """Draws of many quantities, and one more of each."""
    every = np.random.default_rng(0).normal(size=(request.param + 1, STUDIES))
    return every[1:], every[0]


def held(lower, upper, value):
    return ((lower <= value) & (value <= upper)).mean()


def test_bounds_of_parameters_hold_what_they_say(drawn):
    draws, value = drawn
    found = estimate(draws, MASS)
    assert abs(held(found.lower, found.upper, value) - MASS) < ERROR


def test_bounds_of_the_truth_hold_what_they_say(drawn):
    draws, value = drawn
    lower, upper = bounds(draws[:, :, None], MASS)
    assert abs(held(lower[:, 0], upper[:, 0], value) - MASS) < ERROR


def test_the_same_check_catches_quantiles_between_the_outermost_draws():
    value, *draws = np.random.default_rng(0).normal(size=(41, STUDIES))
    lower, upper = np.quantile(draws, [0.05, 0.95], axis=0)
    assert abs(held(lower, upper, value) - MASS) > ERROR
