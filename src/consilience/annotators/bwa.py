r"""Bayesian weighted average: each label's score is an average of weighted votes.

.. math::

   s_{ik} \sim N(\mu_k, 1 / \lambda), \quad
   v_{y_{ij} k} \sim N(s_{ik}, 1 / w_{jk}), \qquad
   w_{jk} \sim \mathrm{Gamma}(a / 2,\ b_k / 2)

for each label :math:`k` on its own, with :math:`v` one for a vote for :math:`k` and
zero for another: answers are taken for measurements of a score, with a precision of the
annotator's. Scores, their mean and the precisions are the most probable together:

.. math::

   s_{ik} = \frac{\lambda \mu_k + \sum_j w_{jk} v_{y_{ij} k}}{\lambda + \sum_j w_{jk}},
   \qquad w_{jk} = \frac{a + n_j}{b_k + \sum_i (v_{y_{ij} k} - s_{ik})^2}

as published, with :math:`b_k` the mean of :math:`4 (1 - 1/K)\, a\, s (1 - s)` over the
answers, at vote shares: of a label that nobody disputes, what half an answer among all
would make of it. Where an item has gold or candidates, the scores of what cannot
be true are zero, and one for gold.

**What its probabilities mean.** They are the scores, divided by their sum: a smoothed
share of weighted votes, as in a majority vote, not odds that grow with every answer
that agrees. So correlated annotators make it no surer than independent ones, and it is
seldom overconfident. It is not a model of answers: it has no likelihood.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from consilience.model import Applied, Rounds, Rule
from consilience.truth import ResponseMatrix, Space
from consilience.truth.response_matrix import response_matrix

TRACE = 1e-12  # keeps a label without votes possible, where gold says it


@dataclass(frozen=True, slots=True)
class Prior:
    """The published settings.

    Attributes
    ----------
    answers
        a: imagined answers of each annotator.
    items
        lambda: precision of the scores of items about their mean.
    """

    answers: float = 15.0
    items: float = 1.0


def apply(space: Space, prior: Prior, rounds: Rounds) -> Applied:
    """Update scores and precisions in turn, until nothing moves."""
    data = response_matrix(space)
    annotators, votes = data.num_annotators, data.votes
    shape = annotators, data.num_answers, votes.shape[1]
    counts = np.asarray(data.by_pair.sum(0)).reshape(shape[:2])
    number = counts.sum(1, keepdims=True)
    precision = np.ones((annotators, votes.shape[1]))
    weighed, total = _weighed(data, precision)
    share = weighed / np.maximum(total, 1)
    doubt = (total * share * (1 - share)).sum(0) / counts.sum()
    doubt = np.maximum(doubt, 0.5 / (counts.sum() + 1))
    rate = 4 * (1 - 1 / votes.shape[1]) * prior.answers * doubt
    is_fixed, fixed = _fixed(data)
    for _ in range(rounds.iterations):
        weighed, total = _weighed(data, precision)
        # Scores are rest + pull x mean, and the mean is that of the scores.
        pull = (1 - is_fixed) * prior.items / (prior.items + total)
        rest = (1 - is_fixed) * weighed / (prior.items + total) + fixed
        mean = rest.sum(0) / (len(rest) - pull.sum(0))
        scores = rest + pull * mean
        cells = (data.transposed @ scores).reshape(shape)
        squares = (data.transposed @ scores**2).reshape(shape)
        misses = counts @ votes**2 - 2 * (votes * cells).sum(1) + squares.sum(1)
        before, precision = precision, (prior.answers + number) / (rate + misses)
        if np.abs(np.log(precision / before)).max() < rounds.tolerance:
            break
    weighed, total = _weighed(data, precision)
    scores = (prior.items * mean + weighed) / (prior.items + total)
    listed = data.listed(scores / scores.sum(1, keepdims=True))
    belief = np.maximum(listed, TRACE) * np.exp(space.log_prior)
    return Applied(belief / belief.sum(1, keepdims=True), {"precision": precision})


def _weighed(
    data: ResponseMatrix, precision: Float[np.ndarray, "J K"]
) -> tuple[Float[np.ndarray, "U K"], Float[np.ndarray, "U K"]]:
    """Sum over the answers of each unit: precision x vote, and precision."""
    votes = np.concatenate([data.votes, np.ones_like(data.votes)], 1)
    both = np.tile(precision, 2)[:, None] * votes
    sums = data.by_pair @ both.reshape(-1, both.shape[-1])
    return sums[:, : precision.shape[1]], sums[:, precision.shape[1] :]


def _fixed(
    data: ResponseMatrix,
) -> tuple[Float[np.ndarray, "U K"], Float[np.ndarray, "U K"]]:
    """Return which scores are known: what cannot be true, and what must be."""
    possible = np.broadcast_to(data.log_prior > -np.inf, data.guess.shape)
    open_to = data.to_all_states(possible.astype(float))
    alone = open_to.sum(1, keepdims=True) == 1
    return np.where(alone, 1.0, 1 - open_to), np.where(alone, open_to, 0.0)


MODEL = Rule(
    prior=Prior(),
    axes={"precision": ("annotator", "true_class")},
    references=("Li (2019), section 3",),
    apply=apply,
    engines=("rule",),
)
