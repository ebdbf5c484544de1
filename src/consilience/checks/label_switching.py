"""Whether the states of the truth still bear their own names.

The likelihood does not change when the states swap names and the confusions swap rows
with them: there are K! modes, of which one names each state by the label that
annotators give it. With c the population's confusion and v how far an answer is a vote
for a state, a_kj = sum_l c_kl v_lj says how far state k is called j. The names are
right when no one-to-one renaming of the states raises the sum of a_kk (an assignment
problem).

Each half of each chain is judged by itself: a chain that has swapped, or that swaps on
the way, would vanish in the mean over all.

References
----------
Stephens (2000), Dealing with label switching in mixture models. Kuhn (1955) for the
assignment.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from consilience.checks.verdict import Verdict, at_most
from consilience.posterior.results.confusion import population, population_draws
from consilience.when_used import xr

# States that annotators tell apart gain accuracy less error from a swap, far more than
# this. Rows without information differ by chance: half a chain has some 50 effective
# draws at least, and a cell of such a row a posterior standard deviation of .5 at
# most; a difference of two cells, averaged over two rows, then has one of
# .5 * sqrt(2 / 50) / sqrt(2) = .07.
_GAIN = 0.1


def label_switching(data: xr.DataTree) -> list[Verdict]:
    """Check that the states bear the names that annotators give them."""
    votes = data["constant_data"]["votes"].transpose("given_class", "true_class")
    chains, halves = _means(data)
    if not len(halves):
        return []
    gains = [_gain(half @ votes.to_numpy()) for half in halves]
    verdicts = [
        at_most(
            "label_switching",
            max(gains),
            _GAIN,
            "states of the truth have swapped names, so their probabilities are not "
            "those of the labels; start from the vote shares, take a prior with more "
            "weight on the diagonal, or give some gold labels (`gold=`)",
        )
    ]
    if len(chains) > 1:
        nearer = [_gain(_likeness(chain, chains[0])) for chain in chains[1:]]
        verdicts.append(
            at_most(
                "chains_aligned",
                max(nearer),
                _GAIN,
                "chains name the states differently, so means over chains mix them; "
                "start all chains from the vote shares, take a prior with more weight "
                "on the diagonal, or give some gold labels (`gold=`)",
            )
        )
    return verdicts


def _means(
    data: xr.DataTree,
) -> tuple[Float[np.ndarray, "C K L"], Float[np.ndarray, "H K L"]]:
    """Average the population confusion over chains, and over halves of chains."""
    values = population_draws(data)
    if values is None:
        pooled = population(data)
        size = data["constant_data"].sizes
        none = np.zeros((0, size["true_class"], size["given_class"]))
        return none, none if pooled is None else pooled.mean[None]
    num_chains = data["posterior"].sizes["chain"]
    values = values.reshape(num_chains, -1, *values.shape[1:]).astype(np.float64)
    middle = values.shape[1] // 2
    chains = values.mean(axis=1)
    # Without a sampler the draws have no order in which to swap on the way.
    if {"convergence", "sample_stats"}.isdisjoint(data.children) or middle == 0:
        return chains, chains
    halves = [values[:, :middle].mean(axis=1), values[:, middle:].mean(axis=1)]
    return chains, np.concatenate(halves)


def _gain(likeness: Float[np.ndarray, "K K"]) -> float:
    """Mean gain of the states that the best renaming moves; 0 when it moves none."""
    if not np.isfinite(likeness).all():
        return np.nan
    # No renaming gains where every state has its best name; nor is the solver loaded.
    if (np.diag(likeness) >= likeness.max(1)).all():
        return 0.0
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415

    rows, columns = linear_sum_assignment(likeness, maximize=True)
    moved = rows != columns
    gain = likeness[rows, columns] - np.diag(likeness)
    return float(gain[moved].mean()) if moved.any() else 0.0


def _likeness(
    one: Float[np.ndarray, "K L"], other: Float[np.ndarray, "K L"]
) -> Float[np.ndarray, "K K"]:
    """One less the total variation between each row of one and each of the other."""
    # min(p, q) sums to one less the total variation; row by row it needs no K x K x L.
    return np.stack([np.minimum(row, other).sum(axis=1) for row in one])
