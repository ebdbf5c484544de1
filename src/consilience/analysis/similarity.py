"""Similarity of two answers: 1 for equal ones, 0 for the most different, W in formulas.

A distance d gives the similarity 1 - d / max d. *Nominal*: equal or not. *Ordinal*:
1 - C(|k - l| + 1, 2) / C(K, 2) for the k-th and l-th of K labels. *Interval*: from
(x - y)^2. *Ratio*: from ((x - y) / (x + y))^2. Of sets, *Jaccard*: the share of labels
in both among those in either; *MASI*: that, times 1 for equal sets, 2/3 where one holds
the other, 1/3 where they merely overlap.

References
----------
Gwet (2014), Handbook of inter-rater reliability, chapter 3 (ordinal, quadratic, ratio).
Krippendorff (2019), Content analysis, chapter 12 (interval, ratio).
Passonneau (2006), Measuring agreement on set-valued items (MASI).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array

from consilience.errors import FitError, OptionError

type Distance = Literal["nominal", "ordinal", "interval", "ratio", "jaccard", "masi"]
# A table of so many answers squared takes 128 MiB.
_MAX_ANSWERS = 4096
# So many pairs of sets that share a label take about 1 GiB while they are compared.
_MAX_PAIRS = 2**25
BLOCK = 2**21


@dataclass(frozen=True, slots=True, eq=False)
class Similarity:
    """Similarity of all pairs of answers."""

    size: int
    matrix: np.ndarray | csr_array | None = None

    def at(
        self, first: Int[np.ndarray, " P"], second: Int[np.ndarray, " P"]
    ) -> Float[np.ndarray, " P"]:
        """Similarity of pairs of answers given by their codes."""
        same = first == second if self.matrix is None else self.matrix[first, second]
        alike: np.ndarray = np.asarray(same, np.float64).ravel()
        return alike

    def times(self, shares: Float[np.ndarray, "R L"]) -> Float[np.ndarray, "R L"]:
        """Each answer's mean similarity to answers drawn with these shares."""
        if self.matrix is None:
            return shares
        product: np.ndarray = (self.matrix @ shares.T).T
        return product

    def expected(self, shares: Float[np.ndarray, "R L"]) -> Float[np.ndarray, " R"]:
        """Mean similarity of two answers drawn with these shares."""
        mean: np.ndarray = np.einsum("rl,rl->r", self.times(shares), shares)
        return mean

    def alike_within(
        self, group: Int[np.ndarray, " C"], answer: Int[np.ndarray, " C"]
    ) -> tuple[Int[np.ndarray, " P"], Int[np.ndarray, " P"], Float[np.ndarray, " P"]]:
        """Places of answers of one group that are alike at all, and how much."""
        if self.matrix is None:
            every = np.arange(len(group))
            return every, every, np.ones(len(group))
        blocks = []
        for one, other in pairs_within(group):
            alike = self.at(answer[one], answer[other])
            similar = alike > 0
            blocks.append((one[similar], other[similar], alike[similar]))
        one, other, alike = (np.concatenate(part) for part in zip(*blocks, strict=True))
        return one, other, alike

    @property
    def total(self) -> float:
        """Sum of the whole table."""
        return float(self.size if self.matrix is None else self.matrix.sum())


def ordinal(size: int) -> Similarity:
    """By how many labels lie between."""
    _check_size(size)
    apart = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    most = max(size * (size - 1) / 2, 1.0)
    return Similarity(size, 1 - apart * (apart + 1) / 2 / most)


def numeric(
    numbers: Float[np.ndarray, " L"], distance: Literal["interval", "ratio"]
) -> Similarity:
    """By the numbers that the labels are."""
    _check_size(len(numbers))
    far = np.subtract.outer(numbers, numbers) ** 2
    if distance == "ratio":
        if (numbers < 0).any():
            msg = (
                f"distance 'ratio': {numbers.min():g} is below zero, where a ratio "
                "scale begins; choose interval"
            )
            raise OptionError(msg)
        both = np.add.outer(numbers, numbers) ** 2
        far = np.divide(far, both, out=np.zeros_like(far), where=both > 0)
    return Similarity(len(numbers), 1 - far / max(far.max(initial=0), 1e-300))


def set_similarity(
    members: csr_array, distance: Literal["jaccard", "masi"]
) -> Similarity:
    """By the labels that two sets share; only pairs that share one are held."""
    holders = np.asarray(members.sum(axis=0)).ravel()
    if (holders**2).sum() > _MAX_PAIRS:
        msg = (
            f"{members.shape[0]:,} different sets share labels in too many pairs to be "
            f"compared by distance {distance!r}; choose nominal, or merge labels"
        )
        raise FitError(msg)
    shared = (members @ members.T).tocoo()
    size = np.asarray(members.sum(axis=1)).ravel()
    one, other = size[shared.row], size[shared.col]
    alike = shared.data / (one + other - shared.data)
    if distance == "masi":
        smaller, larger = np.minimum(one, other), np.maximum(one, other)
        alike *= np.select(
            [shared.data == larger, shared.data == smaller], [1, 2 / 3], 1 / 3
        )
    matrix = csr_array((alike, (shared.row, shared.col)), shape=shared.shape)
    return Similarity(members.shape[0], matrix)


def _check_size(size: int) -> None:
    if size > _MAX_ANSWERS:
        msg = (
            f"{size:,} different answers are too many for a table of their distances "
            f"(at most {_MAX_ANSWERS:,}); choose nominal, or merge labels"
        )
        raise FitError(msg)


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
