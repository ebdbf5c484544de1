"""Elliptical slices against integrals of the same density."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit, log_expit

from consilience.inference.moves import elliptical_slice

CHAINS, SWEEPS = 4_000, 25
YES, NO, DEVIATION = 6, 2, 1.5


def log_likelihood(values, which):
    """Six successes and two failures, of log-odds one above the value."""
    del which
    odds = values[0] + 1
    return YES * log_expit(odds) + NO * log_expit(-odds)


def exact(function):
    """Return a posterior mean by integration."""

    def density(value):
        likelihood = expit(value + 1) ** YES * expit(-value - 1) ** NO
        return likelihood * np.exp(-0.5 * (value / DEVIATION) ** 2)

    whole = quad(density, -10, 10)[0]
    return quad(lambda value: function(value) * density(value), -10, 10)[0] / whole


def drawn(deviation):
    generator = np.random.default_rng(0)
    values = np.zeros((1, CHAINS))
    for _ in range(SWEEPS):
        values = elliptical_slice(values, deviation, log_likelihood, generator)
    return values[0]


def z_scores(values):
    """Return how far mean and variance are from the exact ones, in standard errors."""
    mean = exact(lambda value: value)
    variance = exact(lambda value: (value - mean) ** 2)
    squares = (values - mean) ** 2
    return np.array(
        [
            (values.mean() - mean) / (values.std() / np.sqrt(CHAINS)),
            (squares.mean() - variance) / (squares.std() / np.sqrt(CHAINS)),
        ]
    )


@pytest.mark.parametrize("times", [1.0, 1.5])
def test_draws_have_the_mean_and_variance_of_the_posterior_by_their_prior(times):
    assert (abs(z_scores(drawn(times * DEVIATION))) < 4).all() == (times == 1)
