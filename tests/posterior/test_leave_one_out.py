"""Leave-one-response-out, against the evidence with and without each answer."""

import numpy as np
import pytest
from scipy.special import logsumexp

from consilience.annotators import load
from consilience.model import HostModel
from consilience.posterior import leave_one_out
from consilience.posterior.leave_one_out import leave_one_response_out

DRAWS = 1500


@pytest.fixture(scope="module")
def exact(tiny):
    """Log p(answer | all others): the evidence over that without the answer."""
    rows = np.arange(len(tiny.rows))
    whole = tiny.log_evidence(rows)
    return whole - [tiny.log_evidence(np.delete(rows, row)) for row in rows]


@pytest.fixture(scope="module")
def draws(tiny):
    return tiny.draws(DRAWS, np.random.default_rng(1))


@pytest.fixture(scope="module")
def foreseen(tiny, draws):
    return leave_one_response_out(tiny.model, tiny.space, draws)


def given(tiny, draws, draw):
    logs = {name: np.log(value[0, draw]) for name, value in draws.items()}
    space = tiny.space
    codes = space.unit, space.annotator, space.answer
    return HostModel(tiny.model, space).given_the_others(logs, codes)


@pytest.fixture(scope="module")
def each(tiny, draws):
    return np.array([given(tiny, draws, draw) for draw in range(0, DRAWS, 5)])


def tolerance(each):
    """Four standard errors of a mean of weights, relative to the mean."""
    weight = np.exp(-each)
    return 4 * weight.std(0) / weight.mean(0) / np.sqrt(DRAWS)


def test_answers_are_scored_as_if_each_had_been_left_out(each, foreseen, exact):
    assert (np.abs(foreseen - exact) < tolerance(each)).all()


def test_draws_that_know_the_answer_do_not_leave_it_out(each, exact):
    unweighted = logsumexp(each, axis=0) - np.log(len(each))
    assert (np.abs(unweighted - exact) > tolerance(each)).any()
    assert (unweighted > exact).mean() > 0.5


def test_given_the_parameters_scores_are_exact(tiny, draws):
    fixed = {name: value[:, [7] * 12] for name, value in draws.items()}
    result = leave_one_response_out(tiny.model, tiny.space, fixed)
    alone = given(tiny, draws, 7)
    assert np.allclose(result, alone, rtol=1e-6)  # scores are held as float32


def test_a_weight_counts_for_no_more_than_the_mean_times_a_root():
    # Weights 1 and 1 / 100, held to their mean times the root of two.
    held = np.array([0.505 * np.sqrt(2), 0.01])
    result = leave_one_out._weighted(np.log(np.array([[1.0], [100.0]])) - np.log(100))
    assert result[0] == pytest.approx(np.log(held @ [1, 100] / held.sum() / 100))


def test_one_draw_is_too_few(tiny, draws):
    point = {name: value[:, :1] for name, value in draws.items()}
    assert leave_one_response_out(tiny.model, tiny.space, point) is None


@pytest.mark.parametrize("name", ["majority", "glad"])
def test_answers_that_come_from_no_table_are_not_scored(name, tiny, draws):
    assert leave_one_response_out(load(name), tiny.space, draws) is None
