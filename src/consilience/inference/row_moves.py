"""Draws of many rows of confusions side by side, given counts of answers.

They are drawn by elliptical slices of many independent vectors with normal priors.

References
----------
Murray, Adams and MacKay (2010), Elliptical slice sampling, figure 2.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

ALL = slice(None)
MOST = 40  # brackets halve each time, about; one that never ends stays where it is
type Which = Int[np.ndarray, " M"] | slice
type LogLikelihood = Callable[
    [Float[np.ndarray, "P M"], Which], Float[np.ndarray, " M"]
]


class RowLikelihood:
    r"""Answers counted by row, in each state and at each node of ease.

    Of log-odds :math:`\eta` of a row, and :math:`d_k` of its state, it is

    .. math::

       \sum_l n_l \eta_l + \chi \sum_{tl} n_{tl} x_t d_{kl}
       - \sum_t n_t \log \sum_l e^{\eta_l + \chi x_t d_{kl}}.

    Rows of all chains, annotators and states are laid end to end. Where ease moves one
    answer of a state alone, the last sum is that at average ease, and what the odds of
    that answer gain.
    """

    def __init__(
        self,
        counts: Float[np.ndarray, "C J K T L"],
        basis: Float[np.ndarray, "L F"],
        ease: Float[np.ndarray, "K L"],
        node: Float[np.ndarray, " T"],
    ) -> None:
        chains, annotators, states, nodes, answers = counts.shape
        self.shape = chains, annotators, states
        self.basis, self.node = basis, node
        # Short axes come first: sums over them are then sums of long arrays.
        self.along = basis.T @ np.einsum("cjktl->lcjk", counts).reshape(answers, -1)
        self.at_node = np.einsum("cjktl->tcjk", counts).reshape(nodes, -1)
        moved = node[:, None] * ease[:, None]
        self.eased = np.einsum("cjktl,ktl->cjk", counts, moved).ravel()
        self.moved, self.eases = moved.transpose(1, 2, 0), None
        if (np.count_nonzero(ease, 1) < 2).all():
            eased = np.abs(ease).argmax(1)
            self.moved = moved[np.arange(len(ease)), :, eased].T[:, None]
            self.eases = np.tile(eased, chains * annotators)

    def at(self, difficulty: Float[np.ndarray, " C"]) -> "RowLikelihood":
        """Set how much items differ in each chain."""
        _, annotators, states = self.shape
        factor = np.exp(difficulty[:, None] * self.moved[:, :, None])
        if self.eases is not None:
            factor -= 1
        whole = factor[:, :, :, None] + np.zeros((annotators, 1))
        constant = np.repeat(difficulty, annotators * states) * self.eased
        rows = whole.reshape(-1, len(constant))
        # In one array, so that those of some rows are taken at once.
        self.parts = np.concatenate([self.along, self.at_node, constant[None], rows])
        return self

    def __call__(
        self,
        rows: Float[np.ndarray, "F N"],
        which: Int[np.ndarray, " N"] | slice = slice(None),
    ) -> Float[np.ndarray, " N"]:
        """Return the log-likelihood of some rows."""
        log_odds = self.basis @ rows
        largest = log_odds.max(0)
        log_odds -= largest
        odds = np.exp(log_odds, out=log_odds)
        parts = self.parts
        if not isinstance(which, slice):
            parts = parts.take(which, axis=1)
        free, nodes = len(self.along), len(self.at_node)
        along, at_node = parts[:free], parts[free : free + nodes]
        constant = parts[free + nodes]
        factor = parts[free + nodes + 1 :]
        if self.eases is None:
            factor = factor.reshape(nodes, len(odds), -1)
            total = np.einsum("tln,ln->tn", factor, odds)
        else:
            total = factor * odds[self.eases[which], np.arange(rows.shape[1])]
            total += odds.sum(0)
        np.log(total, out=total)
        total += largest
        likelihood: Float[np.ndarray, " N"] = np.einsum("fn,fn->n", rows, along)
        likelihood += constant
        likelihood -= np.einsum("tn,tn->n", total, at_node)
        return likelihood


def elliptical_slice(
    values: Float[np.ndarray, "P N"],
    deviation: Float[np.ndarray, " N"] | float,
    log_likelihood: LogLikelihood,
    generator: np.random.Generator,
) -> Float[np.ndarray, "P N"]:
    """Draw vectors with a normal prior of mean zero and any likelihood."""
    number = values.shape[1]
    at, other = values, deviation * generator.standard_normal(values.shape)
    height = log_likelihood(at, ALL) - generator.standard_exponential(number)
    angle = generator.uniform(0.0, 2 * np.pi, (number,))
    lowest, highest = angle - 2 * np.pi, angle
    drawn, which = values, np.arange(number)
    for _ in range(MOST):
        whole = len(which) == number
        proposed = at * np.cos(angle) + other * np.sin(angle)
        taken = log_likelihood(proposed, ALL if whole else which) >= height
        if whole:
            drawn = np.where(taken, proposed, values)
        else:
            drawn[:, which[taken]] = proposed[:, taken]
        left = np.flatnonzero(~taken)
        if not len(left):
            break
        at, other = at.take(left, axis=1), other.take(left, axis=1)
        which, height, angle = which[left], height[left], angle[left]
        below = angle < 0
        lowest = np.where(below, angle, lowest[left])
        highest = np.where(below, highest[left], angle)
        angle = lowest + (highest - lowest) * generator.random(len(left))
    return drawn
