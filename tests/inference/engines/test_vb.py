"""Variational Bayes: a bound that never falls, and draws that mean what they say."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from tests.studies import inside, off

from consilience.annotators import load
from consilience.inference import EngineOptions
from consilience.inference.engines import vb


@pytest.fixture(scope="module")
def study(simulated):
    return simulated(
        "bayesian_dawid_skene", 1, items=150, annotators=15, per_item=4, classes=3
    )


@pytest.mark.parametrize(("own", "holds"), [(4.0, True), (40.0, False)])
def test_intervals_hold_accuracies_as_often_as_they_say_unless_the_prior_lies(
    simulated, own, holds
):
    # Six answers an annotator: half of what is known of them is the prior.
    space, _, confusion = simulated(
        "bayesian_dawid_skene", 3, items=300, annotators=200, per_item=4, classes=2
    )
    model = load("bayesian_dawid_skene", {"own": own})
    with jax.enable_x64(True):
        result = vb.fit(model, space, 2, EngineOptions(draws=400))
    right = np.einsum("djkk->djk", result.parameters["confusion"][0])
    held = inside(right, np.einsum("jkk->jk", confusion))
    assert (off(held) < 4) == holds


def test_gold_is_certain_within_bounds_where_states_are_finer(study):
    # Ten subtypes of one label: their probabilities sum to one but for the rounding.
    space = study[0]
    prior = np.zeros((space.num_units, 3))
    prior[:20, 1:] = -np.inf
    known = replace(space, log_prior=prior)
    with jax.enable_x64(True):
        effort = EngineOptions(restarts=1, draws=30)
        result = vb.fit(load("ebcc"), known, 0, effort)
    for part in (result.belief, result.lower, result.upper):
        assert np.allclose(part[:20], [1, 0, 0])
        assert np.isfinite(part).all()
