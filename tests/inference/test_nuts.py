"""NUTS: calibrated intervals, no divergences, one seed one result."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from numpyro.diagnostics import split_gelman_rubin

from consilience.annotators import load
from consilience.inference import nuts
from consilience.inference.progress import Progress

EFFORT = nuts.Effort(tune=300, draws=300, chains=2)


@pytest.fixture(scope="module")
def study(simulated):
    return simulated(
        "hierarchical_dawid_skene",
        4,
        items=400,
        annotators=100,
        per_item=5,
        classes=2,
        prior={"spread": 1.5},
    )


@pytest.fixture(scope="module")
def honest(study):
    model = load("hierarchical_dawid_skene")
    model = replace(model, prior=replace(model.prior, spread=1.5))
    told: list[Progress] = []
    with jax.enable_x64(True):
        result = nuts.fit(model, study[0], jax.random.key(0), EFFORT, told.append)
    return result, told


def coverage(result, confusion):
    """Share of annotators' 90 % intervals of p(right), state by state, that hold it."""
    draws = result.parameters["confusion"]
    right = np.einsum("cdjkk->cdjk", draws).reshape(-1, *draws.shape[2:4])
    lower, upper = np.quantile(right, [0.05, 0.95], axis=0)
    truth = np.einsum("jkk->jk", confusion)
    return ((lower <= truth) & (truth <= upper)).mean(), truth.size


def test_nine_tenths_intervals_hold_nine_accuracies_in_ten(honest, study):
    held, number = coverage(honest[0], study[2])
    assert abs(held - 0.9) < 4 * np.sqrt(0.9 * 0.1 / number)


def test_the_same_check_catches_intervals_of_the_wrong_annotators(honest, study):
    held, number = coverage(honest[0], np.roll(study[2], 1, axis=0))
    assert abs(held - 0.9) > 4 * np.sqrt(0.9 * 0.1 / number)


def test_chains_mix_in_every_parameter_without_divergences(honest):
    result, _ = honest
    assert not result.sample_stats["diverging"].any()
    for draws in result.parameters.values():
        flat = draws.reshape(*draws.shape[:2], -1).astype(float)
        # R-hat of n independent draws varies by about 1/n; five of its spreads.
        assert np.nanmax(split_gelman_rubin(flat)) < 1 + 5 * np.sqrt(
            2 / flat[..., 0].size
        )


def test_progress_tells_speed_divergences_and_the_worst_r_hat(honest):
    _, told = honest
    assert [step.done for step in told] == list(range(50, 601, 50))
    assert "draws/s, 0 divergences, worst R-hat 1." in told[-1].note
