"""How far confidence and being right are apart: bins, their gaps, and their table.

**Expected calibration error.** Items are sorted by confidence into bins of about equal
size, and the error is the mean over items of |mean confidence - share right| of their
bins. With few items per bin it is biased upwards, since chance differences do not
cancel; with few bins it is biased downwards, since true ones do. Unless a number of
bins is asked for, it is the largest up to which the share right rises from bin to bin,
as it does where confidence means anything: of the usual estimators the least biased,
and free of a constant (Roelofs et al. 2022, algorithm 1 and section 5).

**The table of a reliability diagram** has such bins. Items are what varies: the
variance of a share right is that of a ratio over items, and its interval as in
`intervals.share_bounds`.

References
----------
Nixon, Dusenberry, Jerfel, Nguyen, Liu, Zhang and Tran (2019), Measuring calibration in
deep learning (adaptive bins). Roelofs, Cain, Shlens and Mozer (2022), Mitigating bias
in calibration error estimation, AISTATS (the monotonic sweep).
"""

from itertools import count
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.errors import OptionError
from consilience.intervals import share_bounds
from consilience.scoring.gold import judged_choice, judged_contains, judged_objects

BINS = 10


def reliability_table(
    labels: pd.DataFrame,
    gold: pd.DataFrame,
    *,
    kind: Literal["choice", "contains", "objects"],
    bins: int = BINS,
    prob: float = 0.9,
) -> pd.DataFrame:
    """Return how often labels are right, by the probability that was stated."""
    if bins < 1 or not 0 < prob < 1:
        msg = f"bins is {bins} and prob {prob:g}; give 1 or more, and between 0 and 1"
        raise OptionError(msg)
    item, confidence, right = _stated_and_right(labels, gold, kind)
    bin_of = equal_mass_bins(confidence, bins)
    number = np.bincount(bin_of).astype(float)
    share = np.bincount(bin_of, right) / number
    # The labels of an item in a bin go together.
    cell, place = np.unique(item * len(number) + bin_of, return_inverse=True)
    apart = np.bincount(place, right - share[bin_of])
    variance = np.bincount(cell % len(number), apart**2) / number**2
    lower, upper = share_bounds(share, variance, number, prob)
    return pd.DataFrame(
        {
            "stated": np.bincount(bin_of, confidence) / number,
            "value": share,
            "lower": lower,
            "upper": upper,
            "items": number.astype(np.int64),
        }
    )


def _stated_and_right(
    labels: pd.DataFrame, gold: pd.DataFrame, kind: str
) -> tuple[Int[np.ndarray, " N"], Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """Return the item of each statement, its probability, and how far it is right."""
    if kind == "choice":
        scores = judged_choice(labels, gold)
        return np.arange(len(scores.right)), scores.confidence, scores.right
    pairs = (
        judged_contains(labels, gold)
        if kind == "contains"
        else judged_objects(labels, gold)[0]
    )
    kept = pairs.judged
    return pairs.item[kept], pairs.probability[kept], pairs.right[kept]


def equal_mass_bins(
    confidence: Float[np.ndarray, " N"], bins: int
) -> Int[np.ndarray, " N"]:
    """Sort into bins of about equal size; equal confidences share a bin."""
    rank = np.searchsorted(np.sort(confidence), confidence, side="left")
    # Ties can leave a bin without members; numbering those that have some drops it.
    return np.unique(rank * bins // len(confidence), return_inverse=True)[1]


def most_rising_bins(
    confidence: Float[np.ndarray, " N"], right: Float[np.ndarray, " N"]
) -> int:
    """Count the bins up to which the share right rises from each bin to the next."""
    number = len(confidence)
    order = np.argsort(confidence, kind="stable")
    # Where each confidence begins: a bin ends only between two of them.
    starts = np.unique(confidence[order], return_index=True)[1]
    summed = np.concatenate([[0.0], np.cumsum(right[order])])
    for bins in count(2):
        first = np.searchsorted(starts, -(-np.arange(bins) * number // bins))
        edges = np.unique(np.append(np.append(starts, number)[first], number))
        shares = np.diff(summed[edges]) / np.diff(edges)
        if bins > number or (np.diff(shares) < 0).any():
            break
    return bins - 1


def gaps_by_item(
    confidence: Float[np.ndarray, " N"],
    right: Float[np.ndarray, " N"],
    item: Int[np.ndarray, " N"],
    bins: int | None,
    num_items: int | None = None,
) -> Float[np.ndarray, "I B"]:
    """Sum confidence less rightness in each bin, item by item."""
    if num_items is None:
        num_items = int(item.max()) + 1
    if not len(confidence):
        return np.zeros((num_items, 1))
    if bins is None:
        bins = most_rising_bins(confidence, right)
    bin_of = equal_mass_bins(confidence, bins)
    num_bins = int(bin_of.max()) + 1
    gaps = np.bincount(
        item * num_bins + bin_of, confidence - right, minlength=num_items * num_bins
    )
    return gaps.reshape(num_items, num_bins)
