"""The partition into at most k parts that separates the most weight.

Of several partitions that separate as much, the one is taken that an enumeration of all
k^n assignments of n nodes to parts 0 to k - 1, the first node slowest, meets last.
That one gives the first node part k - 1 and each part that is new the next lower
number, so that a search from k - 1 downwards over such assignments alone meets it
first; a branch is left when what it has separated, with all the weight that it could
still separate, is at most the best.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from consilience.errors import TooLargeError

# The search is exponential: so many nodes took seconds, as many again would take days.
MAX_NODES = 16


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
