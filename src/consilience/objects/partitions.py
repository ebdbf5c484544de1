r"""Partitions of an item's candidate labels into objects, and sums over all of them.

A *block* is a set of candidates, names of one object, written as a bit mask; the empty
one is mask 0. A partition's weight is the product of the weights of its blocks, so that

.. math::

   Z_k = \sum_{\rho : |\rho| = k} \prod_{B \in \rho} e^{\phi_B}

is all that a model has to know of the :math:`B(n)` partitions of n labels (877 of
seven, 115,975 of ten), and :math:`\partial \log \sum_k Z_k / \partial \phi_B` is the
posterior probability of the block. Short lists are summed as one product of matrices,
longer ones by recursion over subsets, in :math:`(3^n - 1)/2` steps:

.. math::

   Z_k(U) = \sum_{B \subseteq U,\ \min U \in B} e^{\phi_B} Z_{k-1}(U \setminus B)

**The partition of least expected loss (Binder).** The loss of telling :math:`\hat\rho`
where :math:`\rho` holds is the number of pairs of labels on which they differ,

.. math::

   \sum_{l < l'} \bigl| [l \sim_{\hat\rho} l'] - [l \sim_\rho l'] \bigr| ,

expected exactly, at every partition there is: that takes only how probably two labels
are one object.

References
----------
Bjorklund, Husfeldt, Kaski and Koivisto (2007), Fourier meets Moebius: fast subset
convolution, section 1, for the recursion.
Binder (1978), Bayesian cluster analysis. Lau and Green (2007), section 2.
"""

from dataclasses import dataclass
from functools import lru_cache

import jax
import numpy as np
from jaxtyping import Float, Int

from consilience.truth.arrays import HOST, AnyArray, maths
from consilience.truth.named import MAX_LABELS

BY_MATRIX = 8  # labels up to which the product of matrices is the faster
NEVER = -1e30  # a log that is zero once exponentiated, and whose gradient is not NaN
MAX_TERMS = 20_000_000  # of a recursion that are held at once (float64: 160 MB)


@dataclass(frozen=True, slots=True, eq=False)
class Partitions:
    """All partitions of n labels, those with fewest blocks first."""

    blocks: Int[np.ndarray, "P n"]
    incidence: Float[np.ndarray, "B P"]
    first: tuple[int, ...]

    @property
    def num_blocks(self) -> Int[np.ndarray, " P"]:
        """Number of blocks of each partition."""
        return (self.blocks > 0).sum(1)


@lru_cache(maxsize=MAX_LABELS)
def block_indices(num_labels: int) -> Int[np.ndarray, "P n"]:
    """Return the blocks of every partition of that many labels, by number of blocks."""
    partitions: list[tuple[int, ...]] = [()]
    for label in range(num_labels):
        bit = 1 << label
        partitions = [
            grown
            for blocks in partitions
            for grown in (
                *(
                    (*blocks[:at], block | bit, *blocks[at + 1 :])
                    for at, block in enumerate(blocks)
                ),
                (*blocks, bit),
            )
        ]
    partitions.sort(key=len)
    indices = np.zeros((len(partitions), num_labels), np.int32)
    for row, blocks in zip(indices, partitions, strict=True):
        row[: len(blocks)] = blocks
    return indices


@lru_cache(maxsize=MAX_LABELS)
def enumerated(num_labels: int) -> Partitions:
    """Return all partitions of that many labels, with their incidence."""
    blocks = block_indices(num_labels)
    incidence = np.zeros((1 << num_labels, len(blocks)))
    which = np.broadcast_to(np.arange(len(blocks))[:, None], blocks.shape)
    incidence[blocks.ravel(), which.ravel()] = 1.0
    incidence[0] = 0.0
    number = (blocks > 0).sum(1)
    first = np.searchsorted(number, np.arange(1, num_labels + 2))
    return Partitions(blocks, incidence, tuple(first.tolist()))


@lru_cache(maxsize=MAX_LABELS)
def members(num_labels: int) -> Float[np.ndarray, "B n"]:
    """Return which labels each block holds, one or zero."""
    mask = np.arange(1 << num_labels)
    return ((mask[:, None] >> np.arange(num_labels)) & 1).astype(float)


@lru_cache(maxsize=MAX_LABELS)
def pairs_inside(num_labels: int) -> Float[np.ndarray, "Q B"]:
    """Return one where both labels of a pair (row) are in a block.

    Pairs are in the order of `numpy.triu_indices`.
    """
    first, second = np.triu_indices(num_labels, 1)
    inside = members(num_labels).T
    return inside[first] * inside[second]


def sum_over_partitions(phi: Float[AnyArray, "V B"]) -> Float[AnyArray, "V n"]:
    """Return the log of the summed weight of all partitions with k blocks."""
    num_labels = phi.shape[1].bit_length() - 1
    if num_labels <= BY_MATRIX:
        return by_matrix(phi)
    return by_recursion(phi)


def by_matrix(phi: Float[AnyArray, "V B"]) -> Float[AnyArray, "V n"]:
    """Return the sums by number of blocks, as one product of matrices."""
    num_labels = phi.shape[1].bit_length() - 1
    library, partitions = maths(phi), enumerated(num_labels)
    weight = phi @ partitions.incidence.astype(phi.dtype)
    sums = [
        library.logsumexp(weight[:, start:end], axis=1)
        for start, end in zip(partitions.first, partitions.first[1:], strict=False)
    ]
    return library.xp.stack(sums, axis=1)


def by_recursion(phi: Float[AnyArray, "V B"]) -> Float[AnyArray, "V n"]:
    """Return the sums by number of blocks, by recursion over subsets."""
    num_labels = phi.shape[1].bit_length() - 1
    terms = num_labels * 3**num_labels // 2
    size = max(MAX_TERMS // terms, 1)
    if maths(phi) is HOST:
        parts = [
            _recursion(phi[first : first + size], num_labels)
            for first in range(0, len(phi), size)
        ]
        return np.concatenate([np.zeros((0, num_labels)), *parts])

    @jax.checkpoint
    def one(row: Float[AnyArray, " B"]) -> Float[AnyArray, " n"]:
        return _recursion(row[None], num_labels)[0]

    return jax.lax.map(one, phi, batch_size=size)


def _recursion(phi: Float[AnyArray, "V B"], num_labels: int) -> Float[AnyArray, "V n"]:
    library = maths(phi)
    xp = library.xp
    none = xp.full((len(phi), 1, num_labels), NEVER, phi.dtype)
    # Of the empty set: no blocks.
    sums = xp.concatenate([xp.zeros((len(phi), 1, 1), phi.dtype), none], axis=2)
    for block, rest in subsets_by_size(num_labels):
        never = xp.full((*sums.shape[:2], 1), NEVER, phi.dtype)
        longer = xp.concatenate([never, sums[:, :, :-1]], axis=2)
        term = phi[:, block][..., None] + longer[:, rest]
        sums = xp.concatenate([sums, library.logsumexp(term, axis=2)], axis=1)
    return sums[:, -1, 1:]


@lru_cache(maxsize=MAX_LABELS)
def subsets_by_size(
    num_labels: int,
) -> tuple[tuple[Int[np.ndarray, "U T"], Int[np.ndarray, "U T"]], ...]:
    """Return for each size of subset the blocks to split off, and what is left.

    Rows are the subsets of that size; what is left is coded as a place among all
    smaller subsets, in order of size.
    """
    size = np.bitwise_count(np.arange(1 << num_labels))
    order = np.argsort(size, kind="stable")
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order))
    steps = []
    for number in range(1, num_labels + 1):
        subsets = order[size[order] == number]
        block = np.stack([_subsets_with_lowest(each) for each in subsets.tolist()])
        steps.append((block, place[subsets[:, None] ^ block]))
    return tuple(steps)


def _subsets_with_lowest(subset: int) -> Int[np.ndarray, " T"]:
    """Return the subsets of a set that hold its first label."""
    lowest, block = subset & -subset, np.arange(subset, 0, -1, dtype=np.int32)
    return block[(block & ~subset == 0) & (block & lowest > 0)]


# Losses closer than this, of at most 45 pairs, differ by rounding alone: the first of
# such partitions is returned, which has the fewest objects.
_DIGITS = 10


def binder(
    partition: Float[np.ndarray, "u P"], num_labels: int
) -> Float[np.ndarray, "u P"]:
    """Return on how many pairs of labels each partition is expected to err."""
    pairs = _together(num_labels)
    same = partition @ pairs
    return same.sum(1, keepdims=True) + ((1 - 2 * same) @ pairs.T)


def least_loss(losses: Float[np.ndarray, "u P"]) -> Int[np.ndarray, " u"]:
    """Return the partition of least loss of each item; of several, the first."""
    return losses.round(_DIGITS).argmin(1)


@lru_cache(maxsize=MAX_LABELS)
def _together(num_labels: int) -> Float[np.ndarray, "P Q"]:
    """Return whether each partition joins the labels of each pair."""
    index = block_indices(num_labels)
    first, second = np.triu_indices(num_labels, 1)
    both = (1 << first) | (1 << second)
    return sum(((column[:, None] & both) == both).astype(float) for column in index.T)
