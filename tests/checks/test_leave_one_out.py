"""Leave-one-response-out, against the evidence with and without each answer."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy.special import gammaln, logsumexp

from consilience.annotators import load
from consilience.checks import leave_one_out
from consilience.checks.leave_one_out import leave_one_response_out
from consilience.model import given_the_others
from consilience.model.layout import lay_out
from consilience.responses import read
from consilience.truth import space_of

ROWS = [
    ("i", "a", "x"),
    ("i", "b", "x"),
    ("i", "c", "y"),
    ("j", "a", "y"),
    ("j", "b", "y"),
    ("k", "a", "x"),
    ("k", "c", "x"),
    ("l", "b", "y"),
    ("l", "c", "x"),
]
MODEL = load("bayesian_dawid_skene", {"own": 2.0})
OWN = MODEL.prior.other + (2.0 - MODEL.prior.other) * np.eye(2)
DRAWS = 1500


@pytest.fixture(scope="module")
def space():
    return space_of(read(pd.DataFrame(ROWS, columns=["item", "annotator", "label"])))


def truths(space):
    return np.array(list(itertools.product(range(2), repeat=space.num_units)))


def counts(space, kept, truth):
    """Prior counts and what is added when the truth is such: of truths, of answers."""
    answers = np.tile(OWN, (space.num_annotators, 1, 1))
    rows = space.annotator[kept], truth[space.unit[kept]], space.answer[kept]
    np.add.at(answers, rows, 1)
    return MODEL.prior.prevalence + np.bincount(truth, minlength=2), answers


def log_evidence(space, kept):
    """Log p(truth, answers) of every truth, parameters integrated out."""

    def of(prior, total):
        both = [gammaln(c.sum(-1)) - gammaln(c).sum(-1) for c in (prior, total)]
        return (both[0] - both[1]).sum()

    found = []
    for truth in truths(space):
        items, answers = counts(space, kept, truth)
        own = np.broadcast_to(OWN, answers.shape)
        found.append(of(np.full(2, MODEL.prior.prevalence), items) + of(own, answers))
    return np.array(found)


@pytest.fixture(scope="module")
def exact(space):
    """Log p(answer | all others): the evidence over that without the answer."""
    rows = np.arange(len(space.unit))
    whole = logsumexp(log_evidence(space, rows))
    return whole - [logsumexp(log_evidence(space, np.delete(rows, r))) for r in rows]


@pytest.fixture(scope="module")
def draws(space):
    """Independent draws from the exact posterior."""
    generator = np.random.default_rng(1)
    weight = np.exp(log_evidence(space, rows := np.arange(len(space.unit))))
    which = generator.choice(len(weight), DRAWS, p=weight / weight.sum())
    found = [counts(space, rows, truth) for truth in truths(space)[which]]

    def drawn(total):
        gamma = generator.standard_gamma(np.array(total))
        return (gamma / gamma.sum(-1, keepdims=True))[None]

    prevalence, confusion = (drawn(total) for total in zip(*found, strict=True))
    return {"prevalence": prevalence, "confusion": confusion}


@pytest.fixture(scope="module")
def foreseen(space, draws):
    with jax.enable_x64(True):
        return leave_one_response_out(MODEL, space, draws)


def tolerance(foreseen):
    """Four standard errors of a mean of weights, relative to the mean."""
    return 4 * np.sqrt(1 / foreseen.effective - 1 / DRAWS)


def test_answers_are_scored_as_if_each_had_been_left_out(foreseen, exact):
    assert (np.abs(foreseen.elpd - exact) < tolerance(foreseen)).all()


def given(space, draws, draw):
    logs = {name: jnp.log(value[0, draw]) for name, value in draws.items()}
    codes = map(jnp.asarray, (space.unit, space.annotator, space.answer))
    return given_the_others(MODEL, lay_out(MODEL, space), logs, *codes)


def test_draws_that_know_the_answer_do_not_leave_it_out(space, draws, foreseen, exact):
    with jax.enable_x64(True):
        each = np.array([given(space, draws, draw) for draw in range(0, DRAWS, 5)])
    unweighted = logsumexp(each, axis=0) - np.log(len(each))
    assert (np.abs(unweighted - exact) > tolerance(foreseen)).any()
    assert (unweighted > exact).mean() > 0.5


def test_given_the_parameters_scores_are_exact_and_every_draw_counts(space, draws):
    fixed = {name: value[:, [7] * 12] for name, value in draws.items()}
    with jax.enable_x64(True):
        found = leave_one_response_out(MODEL, space, fixed)
        alone = np.asarray(given(space, draws, 7))
    assert np.allclose(found.elpd, alone, rtol=1e-6)  # scores are held as float32
    assert np.allclose(found.effective, 12)


def test_a_weight_counts_for_no_more_than_the_mean_times_a_root():
    # Weights 1 and 1 / 100, held to their mean times the root of two.
    held = np.array([0.505 * np.sqrt(2), 0.01])
    found = leave_one_out._weighted(np.log(np.array([[1.0], [100.0]])) - np.log(100))
    assert found.elpd[0] == pytest.approx(np.log(held @ [1, 100] / held.sum() / 100))
    assert found.effective[0] == pytest.approx(held.sum() ** 2 / (held**2).sum())
    assert 1 < found.effective[0] < 2


def test_of_many_answers_fewer_draws_are_looked_at(space, draws, monkeypatch):
    monkeypatch.setattr(leave_one_out, "MAX_SCORED", 3 * len(space.unit))
    with jax.enable_x64(True):
        found = leave_one_response_out(MODEL, space, draws)
    assert (found.effective <= 3 + 1e-6).all()


def test_one_draw_is_too_few(space, draws):
    point = {name: value[:, :1] for name, value in draws.items()}
    with jax.enable_x64(True):
        assert leave_one_response_out(MODEL, space, point) is None


@pytest.mark.parametrize("name", ["majority", "glad", "item_difficulty"])
def test_answers_that_come_from_no_table_are_not_scored(name, space, draws):
    with jax.enable_x64(True):
        assert leave_one_response_out(load(name), space, draws) is None
