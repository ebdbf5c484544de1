"""Rising factorials of counts, beside the gamma functions that define them."""

import numpy as np
import pytest
from scipy.special import gammaln

from consilience.inference.closed_form import dirichlet
from consilience.inference.closed_form.dirichlet import log_rising, over_shared

SHARED = [(3, 4), (1, 4), (4,)]


def studies(shared):
    generator = np.random.default_rng(len(shared))
    counts = generator.poisson(2.0, (40, 3, 4)).astype(float)
    return counts, generator.gamma(1.0, size=shared) + 0.1


def by_gamma(counts, concentration):
    rising = gammaln(counts + concentration) - gammaln(concentration + 0 * counts)
    return over_shared(rising, concentration)


@pytest.mark.parametrize("shared", SHARED)
def test_whole_counts_are_summed_by_how_many_exceed_each_number(shared, monkeypatch):
    counts, concentration = studies(shared)
    expected = by_gamma(counts, concentration)
    monkeypatch.setattr(dirichlet, "special", None)  # this way does without
    assert np.allclose(log_rising(counts, shared)(concentration), expected)


@pytest.mark.parametrize("shared", SHARED)
def test_expected_counts_are_not_whole(shared):
    counts, concentration = studies(shared)
    counts += 0.25
    expected = by_gamma(counts, concentration)
    assert np.allclose(log_rising(counts, shared)(concentration), expected)
    rounded = log_rising(np.rint(counts), shared)(concentration)
    assert not np.allclose(rounded, expected)
