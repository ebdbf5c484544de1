"""Sums over groups of items, all that a bootstrap needs to see.

Items are resampled whole, with all answers to all their questions. Every coefficient is
a function of sums over items, so resampling weights times sums per item is all there is
to do. Above 4,096 items they are first dealt at random into so many groups of equal
size, and the groups are resampled: the variance of a sum stays the same in expectation,
within some sqrt(2 / 4096), two per cent, while the work no longer grows with items.

References
----------
Efron and Tibshirani (1993), An introduction to the bootstrap, chapters 6 and 13.
Wolter (2007), Introduction to variance estimation, chapter 2 (random groups).
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array

MAX_GROUPS = 4096
# Sums are held as a full table up to 64 MiB.
_DENSE = 2**23

type Table = np.ndarray | csr_array


def assign_groups(
    item: Int[np.ndarray, " Q"], generator: np.random.Generator, most: int = MAX_GROUPS
) -> Int[np.ndarray, " Q"]:
    """Group of each question: its item, or a random group of items."""
    num = int(item.max(initial=-1)) + 1
    if num <= most:
        return item
    groups: np.ndarray = generator.permutation(np.arange(num) % most)[item]
    return groups


def table_of_sums(
    group: Int[np.ndarray, " M"],
    column: Int[np.ndarray, " M"],
    value: Float[np.ndarray, " M"],
    shape: tuple[int, int],
) -> Table:
    """Sum values by group and column."""
    if shape[0] * shape[1] <= _DENSE:
        flat = np.bincount(group * shape[1] + column, value, shape[0] * shape[1])
        return flat.reshape(shape)
    return csr_array((value, (group, column)), shape=shape)


def weighted_sums(
    weights: Float[np.ndarray, "R G"], table: Table
) -> Float[np.ndarray, "R C"]:
    """Add up the groups with the weights of each resample."""
    if isinstance(table, np.ndarray):
        sums: np.ndarray = weights @ table
        return sums
    product: np.ndarray = (table.T @ weights.T).T
    return product


def resample_groups(
    groups: int, resamples: int, widest: int, generator: np.random.Generator
) -> Iterator[Float[np.ndarray, "R G"]]:
    """Yield how often each group is drawn, some resamples at a time."""
    step = max(1, 2**22 // max(groups, widest))
    for begin in range(0, resamples, step):
        size = min(step, resamples - begin)
        drawn = generator.integers(groups, size=(size, groups))
        drawn += np.arange(size)[:, None] * groups
        counted = np.bincount(drawn.ravel(), minlength=size * groups)
        yield counted.reshape(size, groups).astype(np.float64)
