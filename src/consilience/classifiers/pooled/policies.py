"""Which labels become the candidates of an item.

- `union`: every label that some classifier has among its best. It never drops what a
  dissenter picks, and needs no probabilities.
- `ensemble`: the best labels of the mean.
- `mass`: the fewest labels that together hold so much of the mean's probability: few
  where classifiers agree, many where they do not.
"""

from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from consilience.classifiers.pooled.pooling import Pool
from consilience.errors import OptionError

type Policy = Literal["union", "ensemble", "mass"]


def choose_cells(
    pool: Pool, policy: Policy, top: int, mass: float
) -> Bool[np.ndarray, " E"]:
    """Say of each cell whether its label is a candidate of its item."""
    if top < 1 or not 0 < mass < 1:
        msg = f"`top={top}`, `mass={mass:g}`: expected 1 or more, and between 0 and 1"
        raise OptionError(msg)
    if policy == "union":
        return best_rank(pool) <= top
    place, before = _in_order(pool)
    if policy == "ensemble":
        return place < top
    if policy == "mass":
        return before < mass
    msg = f"`policy={policy!r}`: expected union, ensemble or mass"
    raise OptionError(msg)


def best_rank(pool: Pool) -> Int[np.ndarray, " E"]:
    """Return the best rank that any classifier gives each cell."""
    rank = np.full(len(pool.item), np.iinfo(np.int64).max)
    np.minimum.at(rank, pool.row_cell, pool.row_rank)
    return rank


def _in_order(
    pool: Pool,
) -> tuple[Int[np.ndarray, " E"], Float[np.ndarray, " E"]]:
    """Return how many cells of its item go before each, and how much they hold."""
    order = np.lexsort((pool.label, -pool.probability, pool.item))
    number = np.bincount(pool.item, minlength=len(pool.items))
    start = np.cumsum(number) - number
    probability = pool.probability[order]
    before = np.cumsum(probability) - probability
    first = start[pool.item[order]]
    place, sums = np.empty(len(order), np.int64), np.empty(len(order))
    place[order] = np.arange(len(order)) - first
    sums[order] = before - before[first]
    return place, sums
