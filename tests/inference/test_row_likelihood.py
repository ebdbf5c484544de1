"""The log-likelihood of rows against the sum over all answers."""

import numpy as np
import pytest
from scipy.special import log_softmax

from consilience.inference.row_moves import RowLikelihood
from consilience.model import zero_sum_basis

CHAINS, ANNOTATORS, STATES, ANSWERS = 2, 4, 3, 5


@pytest.fixture(params=["all", "one"])
def case(request):
    """Counts, and rows in which ease moves all answers, or one of each state."""
    generator = np.random.default_rng(0)
    node = np.array([-1.0, 0.0, 2.0])
    counts = generator.poisson(
        1.0, (CHAINS, ANNOTATORS, STATES, len(node), ANSWERS)
    ).astype(float)
    basis, ease = zero_sum_basis(ANSWERS), generator.normal(size=(STATES, ANSWERS))
    if request.param == "one":
        ease *= np.eye(ANSWERS)[[2, 0, 4]]
    rows = generator.normal(size=(CHAINS, ANNOTATORS, STATES, ANSWERS - 1))
    return counts, basis, ease, node, rows, np.array([0.3, 1.2])


def expected(counts, basis, ease, node, rows, difficulty):
    eased = node[:, None] * ease[:, None]
    log_odds = (rows @ basis.T)[:, :, :, None] + difficulty[
        :, None, None, None, None
    ] * eased
    return (counts * log_softmax(log_odds, -1)).sum((3, 4)).ravel()


def test_it_is_the_sum_over_answers_of_all_rows_and_of_some(case):
    *parts, rows, difficulty = case
    likelihood = RowLikelihood(*parts).at(difficulty)
    flat, which = rows.reshape(-1, ANSWERS - 1).T, np.array([1, 7, 20])
    assert np.allclose(likelihood(flat), expected(*case))
    assert np.allclose(likelihood(flat[:, which], which), expected(*case)[which])
    other = RowLikelihood(*parts).at(difficulty[::-1])
    assert not np.allclose(other(flat), expected(*case))
