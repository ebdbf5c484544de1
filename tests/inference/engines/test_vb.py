"""Variational Bayes: a bound that never falls, and draws that mean what they say."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from consilience.annotators import load
from consilience.inference.closed_form.ascent import Steps, UpdateRule, optimize
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

    wrong = UpdateRule("ELBO", vb.RULE.logs, double_price, collapsed=True)
    assert smallest_gain("bayesian_dawid_skene", study[0], wrong) < -1e-8


def coverage(space, confusion, prior):
    """Share of annotators' 90 % intervals of p(right), state by state, that hold it."""
    model = load("bayesian_dawid_skene")
    model = replace(model, prior=replace(model.prior, **prior))
    with jax.enable_x64(True):
        result = vb.fit(model, space, 2, vb.Options(draws=400))
    draws = result.parameters["confusion"][0]
    right = np.einsum("djkk->djk", draws)
    lower, upper = np.quantile(right, [0.05, 0.95], axis=0)
    truth = np.einsum("jkk->jk", confusion)
    return ((lower <= truth) & (truth <= upper)).mean(), truth.size


@pytest.fixture(scope="module")
def sparse(simulated):
    # Six answers an annotator: half of what is known of them is the prior.
    return simulated(
        "bayesian_dawid_skene", 3, items=300, annotators=200, per_item=4, classes=2
    )


def test_nine_tenths_intervals_hold_nine_accuracies_in_ten(sparse):
    space, _, confusion = sparse
    held, number = coverage(space, confusion, {})
    assert abs(held - 0.9) < 4 * np.sqrt(0.9 * 0.1 / number)


def test_the_same_check_catches_a_prior_that_lies(sparse):
    space, _, confusion = sparse
    held, number = coverage(space, confusion, {"own": 40.0})
    assert abs(held - 0.9) > 4 * np.sqrt(0.9 * 0.1 / number)


def test_bounds_of_the_truth_hold_its_probability(study):
    with jax.enable_x64(True):
        result = vb.fit(load("bayesian_dawid_skene"), study[0], 0, vb.Options())
    assert (result.lower <= result.belief).all()
    assert (result.belief <= result.upper).all()


def test_no_draws_give_no_bounds_and_say_so(study):
    with jax.enable_x64(True):
        result = vb.fit(
            load("bayesian_dawid_skene"),
            study[0],
            0,
            vb.Options(draws=0),
        )
    assert np.isnan(result.lower).all()
    assert "no draws were requested" in result.remarks[0]


def test_gold_is_certain_within_bounds_where_states_are_finer(study):
    # Ten subtypes of one label: their probabilities sum to one but for the rounding.
    space = study[0]
    prior = np.zeros((space.num_units, 3))
    prior[:20, 1:] = -np.inf
    known = replace(space, log_prior=prior)
    with jax.enable_x64(True):
        effort = vb.Options(steps=Steps(restarts=1), draws=30)
        result = vb.fit(load("ebcc"), known, 0, effort)
    for part in (result.belief, result.lower, result.upper):
        assert np.allclose(part[:20], [1, 0, 0])
        assert np.isfinite(part).all()
