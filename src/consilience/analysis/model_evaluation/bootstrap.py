"""Ratios of sums over items, and how they vary: draws of the truth, weights of items.

Weights are those of the Bayesian bootstrap, the same for all that is compared. Each
weighting takes its probabilities from one draw of the parameters, so that bounds carry
what is unknown of these as well; a fit without such draws has one. Letters: D draws of
the parameters, A models, I items, R weightings, S = 1 + R.

**Sums of calls over items, and how they vary: draws of the truth, weights of items.**
Every weighting of the items takes its probabilities from one draw of the parameters, as
all that judges models does (`bootstrap`).

References
----------
Rubin (1981), The Bayesian bootstrap, Annals of Statistics 9(1).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array

from consilience import intervals
from consilience.analysis.model_evaluation.decisions import Calls

_BLOCK = 2**22  # weights held at once: 32 MiB
type Values = Float[np.ndarray, "D A I"]
type Sums = tuple[Values, Values]
type Weights = list[Float[np.ndarray, "r I"]]
_MAX_CELLS = 4_000_000  # weightings x cells that are held at once


def weights(
    items: int, resamples: int, seed: int
) -> Iterator[Float[np.ndarray, "r I"]]:
    """Draw weightings of the items, a block of them at a time."""
    generator = np.random.default_rng(seed)
    step = max(1, _BLOCK // items)
    for start in range(0, resamples, step):
        yield generator.exponential(size=(min(step, resamples - start), items))


def draw_of(start: int, number: int, draws: int) -> Int[np.ndarray, " r"]:
    """Return which draw of the parameters each of some weightings goes with."""
    return np.arange(start, start + number) % draws


def ratios(
    top: Values, bottom: Values, weightings: Weights
) -> Float[np.ndarray, "S A"]:
    """Return the ratio with all weights one, then with each weighting.

    An item whose top or bottom is NaN is left out.
    """
    skipped = np.isnan(top) | np.isnan(bottom)
    above, below = (np.where(skipped, 0.0, values) for values in (top, bottom))
    parts = [[above.sum((0, 2))], [below.sum((0, 2))]]
    start = 0
    for block in weightings:
        which = draw_of(start, len(block), len(top))
        for part, values in zip(parts, (above, below), strict=True):
            weighted = np.empty((len(block), values.shape[1]))
            for draw in np.unique(which):
                weighted[which == draw] = block[which == draw] @ values[draw].T
            part.extend(weighted)
        start += len(block)
    with np.errstate(invalid="ignore", divide="ignore"):
        value: Float[np.ndarray, "S A"] = np.array(parts[0]) / np.array(parts[1])
    return value


def bounds(
    values: Float[np.ndarray, "S M"], prob: float
) -> tuple[Float[np.ndarray, " M"], Float[np.ndarray, " M"]]:
    """Return what holds `prob` of the weightings; NaN where one is undefined."""
    return intervals.bounds(values[1:], prob)


def cells_of(
    calls: Calls, group: Int[np.ndarray, " K"]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return cells, their probabilities, and the expected size of each row."""
    size = int(group.max()) + 1
    grouped = calls.merge_labels(group)
    key, place = np.unique(grouped.true * size + grouped.given, return_inverse=True)
    weight = calls.weight.mean(0)
    rows = np.bincount(grouped.true, weight, size)
    return key, np.bincount(place, weight) / rows[key // size], rows


@dataclass(frozen=True, slots=True, eq=False)
class Bootstrap:
    """Items, and weightings of them."""

    items: int
    weightings: Weights
    prob: float

    def sums(self, calls: Calls, kept: np.ndarray) -> Float[np.ndarray, " S"]:
        """Return the sum of some calls: unweighted, then by each weighting."""
        place = np.zeros(len(kept), np.int64)
        parts = [values for _, values in self._weighted(calls, place, kept, 1)]
        return np.concatenate([part[:, 0] for part in parts])

    def bounds(
        self, calls: Calls, kept: np.ndarray, size: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return bounds of the probability of some cells."""
        step = max(1, _MAX_CELLS // (1 + sum(map(len, self.weightings))))
        lower, upper = [], []
        for start in range(0, max(len(kept), 1), step):
            rates = self.rates(calls, kept[start : start + step], size)
            low, high = bounds(rates, self.prob)
            lower.append(low)
            upper.append(high)
        return np.concatenate(lower), np.concatenate(upper)

    def rates(
        self, calls: Calls, kept: np.ndarray, size: int
    ) -> Float[np.ndarray, "S C"]:
        """Return the probability of some cells: unweighted, then by each weighting."""
        if not len(kept):
            return np.zeros((1 + sum(map(len, self.weightings)), 0))
        rows, row = np.unique(kept // size, return_inverse=True)
        tops: list[np.ndarray] = []
        bottoms: list[np.ndarray] = []
        for target, key, sums in (
            (kept, calls.true * size + calls.given, tops),
            (rows, calls.true, bottoms),
        ):
            place = np.minimum(np.searchsorted(target, key), len(target) - 1)
            matched = target[place] == key
            parts = self._weighted(calls, place, matched, len(target))
            sums.extend(values for _, values in parts)
        below = np.concatenate(bottoms)[:, row]
        with np.errstate(invalid="ignore", divide="ignore"):
            rates: Float[np.ndarray, "S C"] = np.concatenate(tops) / below
        return rates

    def _weighted(
        self, calls: Calls, place: np.ndarray, matched: np.ndarray, columns: int
    ) -> Iterator[tuple[int, Float[np.ndarray, "r C"]]]:
        """Give sums by column: unweighted, then a block of weightings at a time."""
        draws = len(calls.weight)
        by_draw = [
            csr_array(
                (weight[matched], (calls.item[matched], place[matched])),
                shape=(self.items, columns),
            )
            for weight in calls.weight
        ]
        ones = np.ones((1, self.items))
        yield 0, np.mean([ones @ matrix for matrix in by_draw], axis=0)
        start = 0
        for block in self.weightings:
            which = draw_of(start, len(block), draws)
            sums = np.empty((len(block), columns))
            for draw in np.unique(which):
                sums[which == draw] = block[which == draw] @ by_draw[draw]
            yield start, sums
            start += len(block)
