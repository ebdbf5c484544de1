"""Bounds of an estimate: from resampled values, or from a linearised variance."""

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import t

from consilience.intervals import bounds

NAN = float("nan")


def from_resamples(values: Float[np.ndarray, " R"], prob: float) -> tuple[float, float]:
    """Quantiles of the resampled values.

    NaN where so many resamples leave the coefficient undefined that a quantile could
    lie among them, and where all are equal: nothing then shows how far they could be
    apart.
    """
    defined = values[~np.isnan(values)]
    if not len(defined) or len(defined) < (1 + prob) / 2 * len(values):
        return NAN, NAN
    if np.ptp(defined) < 1e-12:
        return NAN, NAN
    lower, upper = bounds(defined, prob)
    return float(lower), float(upper)


def standard_error(
    parts: Float[np.ndarray, " M"],
    item: Int[np.ndarray, " M"],
    *,
    large_sample: bool = False,
) -> tuple[float, int]:
    """Return the standard error of a sum of parts, those of an item together.

    With one question per item and parts z / n this is sqrt(sum z^2 / (n (n - 1))), as
    in Gwet (2014).
    """
    num = int((np.bincount(item) > 0).sum()) if len(item) else 0
    if num < 2:
        return NAN, num
    squared = float((np.bincount(item, parts) ** 2).sum())
    factor = 1.0 if large_sample else num / (num - 1)
    error = float(np.sqrt(factor * squared))
    return (error if error > 1e-12 else NAN), num


def from_error(
    value: Float[np.ndarray, " P"],
    error: Float[np.ndarray, " P"],
    items: Float[np.ndarray, " P"],
    prob: float,
) -> tuple[Float[np.ndarray, " P"], Float[np.ndarray, " P"]]:
    """Student's intervals with items - 1 degrees of freedom, cut off at 1."""
    reach = t.ppf((1 + prob) / 2, np.maximum(items - 1, 1)) * error
    return value - reach, np.minimum(1.0, value + reach)
