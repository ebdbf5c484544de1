"""Variational Bayes: a bound that never falls, and draws that mean what they say."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from tests.studies import inside, off

from consilience.annotators import load
from consilience.inference import EngineOptions
from consilience.inference.ascent import Steps, UpdateRule, optimize
from consilience.inference.engines import vb
from consilience.model import HostModel
from consilience.progress import silent

MODELS = ["multinomial", "bayesian_dawid_skene", "hierarchical_dawid_skene"]


@pytest.fixture(scope="module")
def study(simulated):
    return simulated(
        "bayesian_dawid_skene", 1, items=150, annotators=15, per_item=4, classes=3
    )


def smallest_gain(model, space, rule):
    steps = Steps(restarts=3, tolerance=1e-12, sweeps=400)
    sweeps, generator = HostModel(load(model), space), np.random.default_rng(0)
    _, how = optimize(sweeps, rule, steps, generator, silent)
    return np.nanmin(np.diff(how.objective, axis=1))


@pytest.mark.parametrize("model", MODELS)
def test_the_bound_never_falls(study, model):
    assert smallest_gain(model, study[0], vb.RULE) > -1e-8


def test_the_same_check_catches_a_bound_that_charges_the_prior_twice(study):
    def double_price(prior, total, logs):
        return 2 * vb.RULE.price(prior, total, logs)

    wrong = UpdateRule("ELBO", vb.RULE.logs, double_price, learns=True)
    assert smallest_gain("bayesian_dawid_skene", study[0], wrong) < -1e-8


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


def test_bounds_of_the_truth_hold_its_probability(study):
    with jax.enable_x64(True):
        result = vb.fit(load("bayesian_dawid_skene"), study[0], 0, EngineOptions())
    assert (result.lower <= result.belief).all()
    assert (result.belief <= result.upper).all()


def test_no_draws_give_no_bounds_and_say_so(study):
    with jax.enable_x64(True):
        without = EngineOptions(draws=0)
        result = vb.fit(load("bayesian_dawid_skene"), study[0], 0, without)
    assert np.isnan(result.lower).all()
    assert "no draws were requested" in result.remarks[0]


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
