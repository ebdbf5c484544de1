r"""The partition of least expected loss: by pairs (Binder), or by information (VI).

The loss of telling :math:`\hat\rho` where :math:`\rho` holds is

.. math::

   \sum_{l < l'} \bigl| [l \sim_{\hat\rho} l'] - [l \sim_\rho l'] \bigr|
   \quad\text{or}\quad
   H(\rho) + H(\hat\rho) - 2 I(\rho, \hat\rho)
   = 2 H(\rho \wedge \hat\rho) - H(\rho) - H(\hat\rho),

H being the entropy of which object a label drawn at random belongs to. Both are
expected exactly, at every partition there is. For Binder's loss that takes only how
probably two labels are one object. For the variation of information it takes how
probable each block C is, since with :math:`f(k) = -(k/n) \log(k/n)`

.. math::

   E\,H(\rho \wedge \hat\rho)
   = \sum_{B \in \hat\rho} \sum_C P(C \in \rho) f(|B \cap C|) ,

a sum over the blocks of the estimate: no pair of partitions need be compared, and no
bound is needed, however many there are.

References
----------
Binder (1978), Bayesian cluster analysis. Lau and Green (2007), section 2. Meila (2007),
Comparing clusterings. Wade and Ghahramani (2018), sections 2 and 3, for both losses;
their bound (equation 13) is for more labels than can be enumerated.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array

from consilience.objects.layout.partitions import block_indices, members
from consilience.truth.named import MAX_LABELS

# Losses closer than this, of at most 45 pairs or log 10, differ by rounding
# alone: the first of such partitions is returned, which has the fewest objects.
_DIGITS = 10


# Expected loss of telling each partition, up to what is the same for all, given the
# probability of each and the number of labels.
type Loss = Callable[[Float[np.ndarray, "u P"], int], Float[np.ndarray, "u P"]]


def binder(
    partition: Float[np.ndarray, "u P"], num_labels: int
) -> Float[np.ndarray, "u P"]:
    """Return on how many pairs of labels each partition is expected to err."""
    pairs = _together(num_labels)
    same = partition @ pairs
    return same.sum(1, keepdims=True) + ((1 - 2 * same) @ pairs.T)


def information(
    partition: Float[np.ndarray, "u P"], num_labels: int
) -> Float[np.ndarray, "u P"]:
    """Return how far each partition is expected to be, in nats."""
    holds, part = _blocks(num_labels), _part(num_labels)
    block = (holds.T @ partition.T).T
    conditional_entropy = 2 * (block @ _shared(num_labels)) - part
    loss: Float[np.ndarray, "u P"] = (holds @ conditional_entropy.T).T
    loss -= (block @ part)[:, None]
    return loss


LOSSES: Mapping[str, Loss] = MappingProxyType({"binder": binder, "vi": information})


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


@lru_cache(maxsize=MAX_LABELS)
def _blocks(num_labels: int) -> csr_array:
    """Return whether each partition (row) has each block; the empty one, never."""
    index = block_indices(num_labels)
    row, column = np.nonzero(index)
    ones = np.ones(len(row)), (row, index[row, column])
    return csr_array(ones, shape=(len(index), 1 << num_labels))


@lru_cache(maxsize=MAX_LABELS)
def _part(num_labels: int) -> Float[np.ndarray, " B"]:
    """Return what each block adds to the entropy of a partition; the empty, none."""
    share = members(num_labels).sum(1) / num_labels
    return -share * np.log(np.where(share > 0, share, 1.0))


@lru_cache(maxsize=MAX_LABELS)
def _shared(num_labels: int) -> Float[np.ndarray, "B B"]:
    """Return the same of what two blocks have in common."""
    mask = np.arange(1 << num_labels)
    return _part(num_labels)[mask[:, None] & mask]
