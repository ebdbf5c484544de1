"""Engines agree where they must: much data, one posterior."""

import jax
import numpy as np
import pytest

from consilience.annotators import load
from consilience.inference import EngineOptions
from consilience.inference.engines import em, nuts, vb

pytestmark = pytest.mark.study
MODEL = "multinomial"


@pytest.fixture(scope="module")
def fits(simulated):
    design = {"items": 1000, "annotators": 10, "per_item": 6, "classes": 2}
    space, _, _ = simulated(MODEL, 2, prior={"own": 60.0, "other": 3.0}, **design)
    key = 0
    with jax.enable_x64(True):
        return {
            "em": em.fit(load(MODEL), space, key, EngineOptions()),
            "vb": vb.fit(load(MODEL), space, key, EngineOptions(draws=200)),
            "nuts": nuts.fit(
                load(MODEL), space, key, EngineOptions(tune=200, draws=200, chains=2)
            ),
        }


def mean_and_spread(result):
    draws = result.parameters["confusion"].astype(float)
    return draws.mean((0, 1)), draws.std((0, 1))


@pytest.mark.parametrize("engine", ["em", "vb"])
def test_estimates_lie_well_inside_the_exact_posterior(fits, engine):
    centre, spread = mean_and_spread(fits["nuts"])
    result, _ = mean_and_spread(fits[engine])
    # A mode and a mean differ by a part of the spread; draws by their sampling error.
    assert (np.abs(result - centre) < 0.5 * spread).all()


def test_augmented_draws_spread_as_the_exact_posterior(fits):
    _, exact = mean_and_spread(fits["nuts"])
    _, result = mean_and_spread(fits["vb"])
    # A standard deviation of m effective draws errs by 1/sqrt(2m); m at least 50.
    assert (np.abs(np.log(result / exact)) < 4 * np.sqrt(2 / (2 * 50))).all()


@pytest.mark.parametrize("engine", ["em", "vb"])
def test_the_truth_is_believed_alike(fits, engine):
    assert np.abs(fits[engine].belief - fits["nuts"].belief).max() < 0.05
