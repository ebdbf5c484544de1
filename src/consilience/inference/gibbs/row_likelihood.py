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

    Parameters
    ----------
    counts
        Answers of each chain, annotator, state and node.
    basis, ease, node
        As of `model.RowEffects`; the nodes of the ease.
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
        self.factor = whole.reshape(*factor.shape[:2], -1)
        self.constant = np.repeat(difficulty, annotators * states) * self.eased
        return self

    def __call__(
        self,
        rows: Float[np.ndarray, "F N"],
        which: Int[np.ndarray, " N"] | slice = slice(None),
    ) -> Float[np.ndarray, " N"]:
        """Return the log-likelihood of some rows.

        Parameters
        ----------
        rows
            Log-odds in the basis.
        which
            Which rows they are; all of them if left out.
        """
        log_odds = self.basis @ rows
        largest = log_odds.max(0)
        log_odds -= largest
        odds = np.exp(log_odds, out=log_odds)
        factor, along, at_node, constant = (
            each if isinstance(which, slice) else each.take(which, axis=-1)
            for each in (self.factor, self.along, self.at_node, self.constant)
        )
        total = np.einsum("tln,ln->tn", factor, odds)
        np.log(total, out=total)
        total += largest
        likelihood: Float[np.ndarray, " N"] = np.einsum("fn,fn->n", rows, along)
        likelihood += constant
        likelihood -= np.einsum("tn,tn->n", total, at_node)
        return likelihood
