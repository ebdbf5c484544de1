"""All ordered pairs of members of each group, in blocks of bounded size."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int

BLOCK = 2**21


def pairs_within(
    group: Int[np.ndarray, " M"], block: int = BLOCK
) -> Iterator[tuple[Int[np.ndarray, " P"], Int[np.ndarray, " P"]]]:
    """Yield the places of both members of pairs, each member with itself too."""
    if not len(group):
        return
    start = np.flatnonzero(np.diff(group, prepend=group[0] - 1))
    length = np.diff(start, append=len(group))
    own_start, own_length = np.repeat(start, length), np.repeat(length, length)
    end = np.cumsum(own_length)
    at = 0
    while at < len(group):
        done = end[at - 1] if at else 0
        stop = max(int(np.searchsorted(end, done + block, side="right")), at + 1)
        times = own_length[at:stop]
        first = np.repeat(np.arange(at, stop), times)
        begin = np.repeat(np.cumsum(times) - times, times)
        second = np.repeat(own_start[at:stop], times) + np.arange(len(first)) - begin
        yield first, second
        at = stop


def starts(key: Int[np.ndarray, " M"]) -> Int[np.ndarray, " G"]:
    """Where each run of equal keys begins."""
    return np.flatnonzero(np.diff(key, prepend=key[:1] - 1))
