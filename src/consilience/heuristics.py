"""The order in which CPython walks through a set of small integers.

A published aggregation broke ties by it. Here it is worked out from the rules of the
hash table, so that it is the same on every interpreter: an integer is its own hash; a
table of `mask + 1` slots is probed at nine neighbours and then at
5 i + 1 + (hash >> 5, again and again); when it is three fifths full it grows to the
next power of two above four times its members.

**The partition into at most k parts that separates the most weight.** Of several
partitions that separate as much, the one is taken that an enumeration of all k^n
assignments of n nodes to parts 0 to k - 1, the first node slowest, meets last. That one
gives the first node part k - 1 and each part that is new the next lower number, so that
a search from k - 1 downwards over such assignments alone meets it first; a branch is
left when what it has separated, with all the weight that it could still separate, is at
most the best.

References
----------
CPython 3.7 to 3.13, Objects/setobject.c (set_add_entry, set_table_resize).
"""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Int

from consilience.errors import TooLargeError

_NEIGHBOURS, _SHIFT = 9, 5  # LINEAR_PROBES and PERTURB_SHIFT
_MANY = 50_000  # members beyond which a table only doubles
# The search is exponential: so many nodes took seconds, as many again would take days.
MAX_NODES = 16


def hash_order(numbers: Iterable[int]) -> tuple[int, ...]:
    """Return distinct numbers in the order of a set that they were put into."""
    table: list[int | None] = [None] * 8
    used = 0
    for number in numbers:
        place = _place(table, number)
        if table[place] == number:
            continue
        table[place] = number
        used += 1
        if used * 5 >= (len(table) - 1) * 3:
            table = _grow(table, used)
    return tuple(number for number in table if number is not None)


def _grow(table: list[int | None], used: int) -> list[int | None]:
    size = 8
    while size <= used * (2 if used > _MANY else 4):
        size *= 2
    grown: list[int | None] = [None] * size
    for number in table:
        if number is not None:
            grown[_place(grown, number)] = number
    return grown


def _place(table: list[int | None], number: int) -> int:
    """Return the slot that holds the number, or the free one where it would go."""
    mask, perturb = len(table) - 1, number
    slot = number & mask
    while True:
        neighbours = _NEIGHBOURS if slot + _NEIGHBOURS <= mask else 0
        for place in range(slot, slot + neighbours + 1):
            if table[place] is None or table[place] == number:
                return place
        perturb >>= _SHIFT
        slot = (slot * 5 + 1 + perturb) & mask


def max_cut(weight: Int[np.ndarray, "n n"], num_parts: int) -> tuple[int, ...]:
    """Return the part of each node."""
    nodes = len(weight)
    if nodes > MAX_NODES:
        msg = (
            f"{nodes} labels were named together about one item, and all partitions "
            f"can be tried for {MAX_NODES} at most; merge rare labels"
        )
        raise TooLargeError(msg)
    links = weight.tolist()
    later = np.triu(weight, 1).sum(0)  # what a node adds at most when it is placed
    ahead = np.append(np.cumsum(later[::-1])[::-1], 0).tolist()
    best: int = -1
    parts_of_best: tuple[int, ...] = ()
    stack: list[tuple[int, tuple[int, ...]]] = [(0, ())]
    while stack:
        cut, parts = stack.pop()
        depth = len(parts)
        if cut + ahead[depth] <= best:
            continue
        if depth == nodes:
            best, parts_of_best = cut, parts
            continue
        lowest = max(min(parts, default=num_parts) - 1, 0)
        # The last one pushed is the first one searched.
        stack += [
            (cut + _cut_weight(links[depth], parts, part), (*parts, part))
            for part in range(lowest, num_parts)
        ]
    return parts_of_best


def _cut_weight(links: Sequence[int], parts: tuple[int, ...], part: int) -> int:
    return sum(link for link, other in zip(links, parts, strict=False) if other != part)
