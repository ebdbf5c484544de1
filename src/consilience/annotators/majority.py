r"""Majority vote: the truth is the label of a response drawn at random.

.. math::

   p(y_1, \dots, y_n) = L^{-n}, \qquad
   p(z = k \mid y) = \frac{1}{n} \sum_i v_{y_i k}

with :math:`v_{lk}` the vote of answer :math:`l` for state :math:`k`. The posterior is
the share of votes, taken at face value: it knows nothing of who is reliable, and a
unit with one response is certain. Ties are reported, never broken. It is the baseline
that other models have to beat.
"""

from dataclasses import dataclass

import numpy as np

from consilience.model import Applied, Rounds, Rule
from consilience.truth import Space, tally
from consilience.truth.response_matrix import response_matrix

# Keeps a state without votes possible, for units whose gold label nobody gave.
TRACE = 1e-12


@dataclass(frozen=True, slots=True)
class Prior:
    """Majority vote has nothing to set."""


def apply(space: Space, prior: Prior, rounds: Rounds) -> Applied:
    """Return the share of votes of each state; of all, where nobody has answered."""
    del prior, rounds
    votes = tally(space)
    answers = votes.sum(1, keepdims=True)
    usual = response_matrix(space).listed(space.votes.mean(0)[None])
    share = np.where(answers > 0, votes / np.maximum(answers, 1), usual)
    share = np.maximum(share, TRACE) * np.exp(space.log_prior)
    return Applied(share / share.sum(1, keepdims=True))


MODEL = Rule(prior=Prior(), references=("folklore",), apply=apply, engines=("rule",))
