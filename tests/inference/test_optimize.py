"""Gradient ascent: where closed forms arrive, it arrives too."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.studies import SMALL

from consilience.annotators import load
from consilience.errors import FitError
from consilience.inference import EngineOptions, mode, optimize
from consilience.inference.engines import em
from consilience.model import NumPyroModel
from consilience.model.in_numpyro import InNumPyro
from consilience.model.language import run_by

CLOSED = load("bayesian_dawid_skene")


def opened(program):
    """Return a program in NumPyro that samples alike, not known as Dirichlet."""

    def in_numpyro(data, prior):
        with run_by(InNumPyro(data)):
            return program(data, prior)

    return in_numpyro


OPEN = NumPyroModel(
    engines=("em",),
    program=opened(CLOSED.program),
    prior=CLOSED.prior,
    references=(),
    axes=CLOSED.own_dims(SMALL),
)
EXACT = EngineOptions(tolerance=1e-13)


@pytest.fixture(scope="module")
def space(simulated):
    result, _, _ = simulated(
        "bayesian_dawid_skene", 0, items=150, annotators=6, per_item=4, classes=3
    )
    return replace(result, n=np.arange(len(result.n)) % 3 + 1)


def fitted(model, space, effort=EXACT, seed=0):
    with jax.enable_x64(True):
        return em.fit(model, space, seed, effort)


@pytest.fixture(scope="module")
def closed(space):
    return fitted(CLOSED, space)


@pytest.fixture(scope="module")
def optimum(space):
    return fitted(OPEN, space)


def test_it_arrives_where_the_closed_form_arrives(closed, optimum):
    # Near the top the objective is flat: half its digits are left to the parameters.
    assert np.allclose(optimum.belief, closed.belief, atol=1e-5)
    for name, value in closed.parameters.items():
        assert np.allclose(optimum.parameters[name], value, atol=1e-5)
    assert np.allclose(optimum.log_likelihood, closed.log_likelihood, atol=1e-4)


def test_another_prior_is_another_top(closed, space):
    prior = replace(CLOSED.prior, own=8.0)
    other = fitted(replace(OPEN, prior=prior), space)
    assert np.abs(other.belief - closed.belief).max() > 1e-3


def test_block_by_block_it_is_the_same(optimum, space, monkeypatch):
    # 150 units in blocks of 13: the last is filled up with units that must not count.
    monkeypatch.setattr(mode, "MAX_TABLE", 13 * 3)
    cut = fitted(OPEN, space)
    assert cut.belief.shape == optimum.belief.shape
    assert np.allclose(cut.belief, optimum.belief, atol=1e-5)
    assert np.allclose(cut.log_likelihood, optimum.log_likelihood, atol=1e-4)


def test_an_infinite_density_is_refused(space):
    def endless(data, prior):
        answers = CLOSED.program(data, prior)
        return replace(answers, log_prevalence=answers.log_prevalence + jnp.inf)

    with pytest.raises(FitError, match="1 start"):
        fitted(replace(OPEN, program=opened(endless)), space, EngineOptions())


def test_many_answers_do_not_end_it_before_the_mode(space, monkeypatch):
    # Per answer, what is left of the way is little; per parameter it is not.
    many = replace(space, n=space.n * 100_000)

    def short(effort):
        ended = fitted(OPEN, many, effort).optimization.objective
        return np.nanmax(top) - np.nanmax(ended)

    top = fitted(OPEN, many).optimization.objective
    assert short(EngineOptions()) < 0.1
    monkeypatch.setattr(optimize, "SMALLEST_GAIN", np.inf)
    assert short(EngineOptions()) > 1
