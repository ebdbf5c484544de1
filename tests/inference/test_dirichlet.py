"""Gamma and Dirichlet draws, and sums of gamma functions, against SciPy."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import gammaln

from consilience.inference import dirichlet
from consilience.inference.dirichlet import (
    log_dirichlet,
    log_gamma,
    log_rising,
    over_shared,
)

DRAWS = 20_000
SURE = 1e-6  # chance that a test of right draws fails; at this size a distance of .019


def gamma(shape):
    return np.exp(log_gamma(np.random.default_rng(0), np.full(DRAWS, shape)))


def first_share(first):
    concentration = np.tile([first, 2.0, 1.0], (DRAWS, 1))
    logs = log_dirichlet(np.random.default_rng(1), concentration)
    assert np.allclose(np.exp(logs).sum(-1), 1)
    return np.exp(logs[:, 0])


KINDS = {
    "gamma": (gamma, stats.gamma),
    "a share": (first_share, lambda first: stats.beta(first, 3)),
}


@pytest.mark.parametrize("shape", [0.1, 1.0, 1e4])
@pytest.mark.parametrize("kind", KINDS)
def test_draws_have_their_distribution_and_none_of_a_tenth_more(kind, shape):
    drawn, distribution = KINDS[kind]
    for times, right in ((1.0, True), (1.1, False)):
        place = distribution(shape).cdf(drawn(times * shape))
        assert (stats.kstest(place, "uniform").pvalue > SURE) == right


def test_the_smallest_shapes_have_finite_logarithms():
    logs = log_gamma(np.random.default_rng(0), np.full(DRAWS, 1e-3))
    assert np.isfinite(logs).all()
    # The power of a uniform number: -log is exponential of mean 1/shape nearly.
    assert stats.kstest(-logs * 1e-3, "expon").statistic < 0.019
    shares = log_dirichlet(np.random.default_rng(0), np.full((1000, 3), 1e-3))
    assert np.isfinite(shares).all()


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("shared", [(3, 4), (1, 4), (4,)])
def test_rising_factorials_are_those_of_gamma_functions(shared, whole, monkeypatch):
    generator = np.random.default_rng(len(shared))
    counts = generator.poisson(2.0, (40, 3, 4)) + (0.0 if whole else 0.25)
    concentration = generator.gamma(1.0, size=shared) + 0.1
    rising = gammaln(counts + concentration) - gammaln(concentration + 0 * counts)
    expected = over_shared(rising, concentration)
    if whole:
        monkeypatch.setattr(dirichlet, "special", None)  # this way does without
    assert np.allclose(log_rising(counts, shared)(concentration), expected)
    if not whole:
        rounded = log_rising(np.rint(counts), shared)(concentration)
        assert not np.allclose(rounded, expected)
