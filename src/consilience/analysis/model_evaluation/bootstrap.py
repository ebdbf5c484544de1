"""Ratios of sums over items, and how they vary: draws of the truth, weights of items.

Weights are those of the Bayesian bootstrap, the same for all that is compared. Each
weighting takes its probabilities from one draw of the parameters, so that bounds carry
what is unknown of these as well; a fit without such draws has one. Letters: D draws of
the parameters, A models, I items, R weightings, S = 1 + R.

References
----------
Rubin (1981), The Bayesian bootstrap, Annals of Statistics 9(1).
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from consilience import intervals

_BLOCK = 2**22  # weights held at once: 32 MiB

type Values = Float[np.ndarray, "D A I"]
type Sums = tuple[Values, Values]
type Weights = list[Float[np.ndarray, "r I"]]


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
