"""Gamma draws, against their distributions by SciPy."""

import numpy as np
import pytest
from scipy import stats

from consilience.inference.closed_form.dirichlet import log_gamma

DRAWS = 20_000
SURE = 1e-6  # chance that a test of right draws fails; at this size a distance of .019


def drawn(shape, seed=0):
    return log_gamma(np.random.default_rng(seed), np.full(DRAWS, shape))


@pytest.mark.parametrize("shape", [0.1, 0.5, 1.0, 5.0, 1e5])
def test_draws_are_gamma(shape):
    place = stats.gamma(shape).cdf(np.exp(drawn(shape)))
    assert stats.kstest(place, "uniform").pvalue > SURE


@pytest.mark.parametrize("shape", [0.1, 0.5, 1.0, 5.0, 1e5])
def test_the_same_test_catches_a_shape_a_tenth_too_large(shape):
    place = stats.gamma(shape).cdf(np.exp(drawn(1.1 * shape)))
    assert stats.kstest(place, "uniform").pvalue < SURE


def test_the_smallest_shapes_have_finite_logarithms():
    logs = drawn(1e-3)
    assert np.isfinite(logs).all()
    # The power of a uniform number: -log is exponential of mean 1/shape nearly.
    assert stats.kstest(-logs * 1e-3, "expon").statistic < 0.019
