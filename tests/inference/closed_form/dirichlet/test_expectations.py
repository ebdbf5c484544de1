import numpy as np
import pytest
from scipy.stats import dirichlet

from consilience.inference.closed_form.dirichlet import (
    FEW,
    log_normaliser,
)


@pytest.mark.parametrize("number", [1, 7, FEW])
def test_the_normaliser_is_that_of_the_density_for_few_numbers_and_for_many(number):
    concentration = np.random.default_rng(number).gamma(1.0, 3.0, (number, 3)) + 0.01
    share = np.full(3, 1 / 3)
    density = sum(dirichlet.logpdf(share, each) for each in concentration)
    without = density - ((concentration - 1) * np.log(share)).sum()
    assert np.isclose(log_normaliser(concentration), without, rtol=1e-10)
    assert not np.isclose(log_normaliser(concentration + 0.01), without, rtol=1e-10)
