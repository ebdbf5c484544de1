"""Log-likelihood of the answers in confusion rows, given the truth and its ease."""

import numpy as np
from jaxtyping import Float, Int


class RowLikelihood:
    r"""Answers counted by row, in each state and at each node of ease.

    Of log-odds :math:`\eta` of a row, and :math:`d_k` of its state, it is

    .. math::

       \sum_l n_l \eta_l + \chi \sum_{tl} n_{tl} x_t d_{kl}
       - \sum_t n_t \log \sum_l e^{\eta_l + \chi x_t d_{kl}}.

    Rows of all chains, annotators and states are laid end to end.
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
        self.moved = moved.transpose(1, 2, 0)

    def at(self, difficulty: Float[np.ndarray, " C"]) -> "RowLikelihood":
        """Set how much items differ in each chain."""
        _, annotators, states = self.shape
        factor = np.exp(difficulty[:, None] * self.moved[:, :, None])
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
        factor = parts[free + nodes + 1 :].reshape(nodes, len(odds), -1)
        total = np.einsum("tln,ln->tn", factor, odds)
        np.log(total, out=total)
        total += largest
        likelihood: Float[np.ndarray, " N"] = np.einsum("fn,fn->n", rows, along)
        likelihood += constant
        likelihood -= np.einsum("tn,tn->n", total, at_node)
        return likelihood
