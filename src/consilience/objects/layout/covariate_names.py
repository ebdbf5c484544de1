"""Names of the covariates of objects, and which pairs of labels have one of their own.

What pairs have in common (`consilience.objects.layout.covariates`) says how readily two
labels are names of one thing; of pairs that are candidates together on many items the
answers say it, too.
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Int

from consilience.truth.named import LabelPairs, Named

# Pairs on fewer items say so little of themselves that they are left to their features.
ENOUGH = 5
type Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What each column is called; part of the program, so it has a hash.

    Those of `endorsement` are what makes annotators say yes when they are asked; none
    where nobody was asked. `pairs` are the codes of the labels of those pairs that have
    an affinity of their own; which they are is no part of the program.
    """

    label: tuple[str, ...]
    slope: tuple[str, ...]
    block: tuple[str, ...]
    pair: tuple[str, ...]
    item: tuple[str, ...]
    endorsement: tuple[str, ...] = ()
    pairs: Pairs = field(default=(), compare=False)


def frequent_pairs(named: Named, enough: int = ENOUGH) -> Pairs:
    """Return the pairs of labels that are candidates together of enough items."""
    low, high = np.sort(candidate_pairs(named), axis=0).astype(np.int64)
    code = np.where(low >= 0, low * len(named.labels) + high, -1)
    code, number = np.unique(_each(named, code), return_counts=True)
    first, second = np.divmod(code[number >= enough], len(named.labels))
    return tuple(zip(first.tolist(), second.tolist(), strict=True))


def places(named: Named, pairs: Pairs) -> Int[np.ndarray, "U C C"]:
    """Return which of some pairs each two candidates are; -1 for none."""
    first, second = np.array(pairs, np.int64).reshape(-1, 2).T
    frequent = LabelPairs(first, second, np.zeros(len(pairs)))
    place = frequent.place(*candidate_pairs(named))
    return np.where(place < len(pairs), place, -1)


def items_with(named: Named, pairs: Pairs) -> Int[np.ndarray, " P"]:
    """Return on how many items whose answers count each pair is."""
    pair = _each(named, places(named, pairs))
    num_items: Int[np.ndarray, " P"] = np.bincount(pair + 1, minlength=len(pairs) + 1)
    return num_items[1:]


def candidate_pairs(
    named: Named,
) -> tuple[Int[np.ndarray, "U C C"], Int[np.ndarray, "U C C"]]:
    """Return the labels of each two candidates."""
    one = named.candidate[:, :, None]
    first, second = np.broadcast_arrays(one, one.swapaxes(1, 2))
    return first, second


def _each(named: Named, what: Int[np.ndarray, "U C C"]) -> Int[np.ndarray, " _"]:
    """Return what is said of each two candidates, once, of the items that count."""
    first, second = np.triu_indices(named.candidate.shape[1], 1)
    both = (named.candidate[:, second] >= 0) & named.observed[:, None]
    return what[:, first, second][both]
