"""R-hat and effective sample sizes are those of ArviZ."""

import numpy as np
import pytest
from arviz_stats.base import array_stats

from consilience.inference.mixing import convergence


def chains(number, draws):
    """Draw quantities that mix well and badly, are rounded, and sit apart."""
    values = np.random.default_rng(0).normal(size=(number, draws, 40))
    for draw in range(1, draws):
        values[:, draw] += np.linspace(-0.9, 0.99, 40) * values[:, draw - 1]
    values[:, :, 5] = np.round(values[:, :, 5])
    values[:, :, 6] += np.arange(number)[:, None]
    values[:, :, 7] = np.round(values[:, :, 7] / 4)
    return values


@pytest.mark.parametrize(
    ("number", "draws"), [(6, 40), (4, 101), (2, 4), (3, 5), (6, 7), (2, 200)]
)
def test_the_figures_are_those_of_arviz(number, draws):
    values = chains(number, draws)
    axes = {"chain_axis": 0, "draw_axis": 1}
    figures = convergence(values)
    tails = {"method": "tail", "prob": (0.05, 0.95)}
    with np.errstate(all="ignore"):
        rhat = array_stats.rhat(values, **axes)
        bulk = array_stats.ess(values, **axes, method="bulk")
        tail = array_stats.ess(values, **axes, **tails)
    assert np.allclose(figures.rhat, rhat, rtol=1e-8)
    assert np.allclose(figures.bulk, bulk, rtol=1e-8)
    assert np.allclose(figures.tail, tail, rtol=1e-8)


def test_one_chain_has_effective_sample_sizes_but_no_rhat():
    values = chains(1, 50)
    figures = convergence(values)
    assert np.isnan(figures.rhat).all()
    bulk = array_stats.ess(values, chain_axis=0, draw_axis=1, method="bulk")
    assert np.allclose(figures.bulk, bulk, rtol=1e-8)


def test_chains_that_stand_still_in_different_places_have_an_infinite_rhat():
    values = np.repeat(np.arange(4.0)[:, None, None], 10, axis=1)
    assert np.isinf(convergence(values).rhat).all()
