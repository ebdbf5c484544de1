"""EM, against an EM written out in NumPy."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from consilience.annotators import load
from consilience.inference import EngineOptions
from consilience.inference.engines import em


def written_out(space, smoothing, sweeps):
    """Dawid and Skene (1979), section 3, with `smoothing` added to every count."""
    states, annotators = len(space.states), len(space.annotators)
    belief = np.full((space.num_units, states), 1 / states)
    np.add.at(belief, (space.unit, space.answer), space.n)
    belief /= belief.sum(1, keepdims=True)
    for _ in range(sweeps):
        counts = np.full((annotators, states, states), smoothing)
        for unit, who, said, n in zip(
            space.unit, space.annotator, space.answer, space.n, strict=True
        ):
            counts[who, :, said] += n * belief[unit]
        confusion = counts / counts.sum(2, keepdims=True)
        prevalence = belief.sum(0) + smoothing
        logs = np.tile(np.log(prevalence / prevalence.sum()), (space.num_units, 1))
        for unit, who, said, n in zip(
            space.unit, space.annotator, space.answer, space.n, strict=True
        ):
            logs[unit] += n * np.log(confusion[who, :, said])
        belief = np.exp(logs - logs.max(1, keepdims=True))
        belief /= belief.sum(1, keepdims=True)
    return belief, confusion


@pytest.fixture(scope="module")
def space(simulated):
    result, _, _ = simulated(
        "bayesian_dawid_skene", 0, items=60, annotators=8, per_item=4, classes=3
    )
    return replace(result, n=np.arange(len(result.n)) % 3 + 1)


def test_ten_sweeps_are_ten_sweeps_of_the_textbook(space):
    effort = EngineOptions(iterations=10, tolerance=0.0)
    with jax.enable_x64(True):
        result = em.fit(load("dawid_skene"), space, 0, effort)
    sweeps = int((~np.isnan(result.optimization.objective)).sum())
    # The objective is that of the parameters before a sweep's last belief.
    belief, confusion = written_out(space, 0.001, sweeps + 1)
    assert np.allclose(result.belief, belief)
    assert np.allclose(result.parameters["confusion"][0, 0], confusion)
