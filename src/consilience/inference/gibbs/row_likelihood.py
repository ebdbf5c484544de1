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
        flat = counts.reshape(-1, nodes, answers)
        # Short axes come first: sums over them are then sums of long arrays.
        self.along = np.ascontiguousarray((flat.sum(1) @ basis).T)
        self.at_node = np.ascontiguousarray(flat.sum(2).T)
        moved = node[:, None] * ease[:, None]
        self.eased = (counts * moved).sum((3, 4)).ravel()
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
        rows: Float[np.ndarray, "N F"],
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
        along = np.ascontiguousarray(rows.T)
        log_odds = self.basis @ along
        largest = log_odds.max(0)
        odds = np.exp(log_odds - largest)
        total = np.log((self.factor[:, :, which] * odds).sum(1)) + largest
        likelihood: Float[np.ndarray, " N"] = (
            (along * self.along[:, which]).sum(0)
            + self.constant[which]
            - (total * self.at_node[:, which]).sum(0)
        )
        return likelihood
