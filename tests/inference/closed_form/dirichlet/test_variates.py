"""Draws of Dirichlet vectors, against the distributions of their parts by SciPy."""

import numpy as np
import pytest
from scipy import stats

from consilience.inference.closed_form.dirichlet import log_dirichlet

DRAWS = 20_000
SURE = 1e-6  # chance that a test of right draws fails


def first_share(first, rest):
    concentration = np.tile([first, *rest], (DRAWS, 1))
    logs = log_dirichlet(np.random.default_rng(1), concentration)
    assert np.allclose(np.exp(logs).sum(-1), 1)
    return np.exp(logs[:, 0])


@pytest.mark.parametrize("first", [0.1, 0.5, 1.0, 5.0, 1e4])
def test_a_part_of_a_draw_has_a_beta_distribution(first):
    place = stats.beta(first, 3).cdf(first_share(first, [2.0, 1.0]))
    assert stats.kstest(place, "uniform").pvalue > SURE


@pytest.mark.parametrize("first", [0.1, 0.5, 1.0, 5.0, 1e4])
def test_the_same_test_catches_a_concentration_a_tenth_too_large(first):
    place = stats.beta(first, 3).cdf(first_share(1.1 * first, [2.0, 1.0]))
    assert stats.kstest(place, "uniform").pvalue < SURE


def test_the_smallest_concentrations_have_finite_logarithms():
    logs = log_dirichlet(np.random.default_rng(0), np.full((1000, 3), 1e-3))
    assert np.isfinite(logs).all()
