"""Expected calibration error: how far confidence and being right are apart.

Items are sorted by confidence into bins of about equal size, and the error is the mean
over items of |mean confidence - share right| of their bins. With few items per bin it
is biased upwards, since chance differences do not cancel; with few bins it is biased
downwards, since true ones do. Unless a number of bins is asked for, it is the largest
up to which the share right rises from bin to bin, as it does where confidence means
anything: of the usual estimators the least biased, and free of a constant (Roelofs et
al. 2022, algorithm 1 and section 5).

References
----------
Nixon, Dusenberry, Jerfel, Nguyen, Liu, Zhang and Tran (2019), Measuring calibration in
deep learning (adaptive bins). Roelofs, Cain, Shlens and Mozer (2022), Mitigating bias
in calibration error estimation, AISTATS (the monotonic sweep).
"""

from itertools import count

import numpy as np
from jaxtyping import Float, Int


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
) -> Float[np.ndarray, "I B"]:
    """Sum confidence less rightness in each bin, item by item."""
    if bins is None:
        bins = most_rising_bins(confidence, right)
    bin_of = equal_mass_bins(confidence, bins)
    num_items, num_bins = int(item.max()) + 1, int(bin_of.max()) + 1
    gaps = np.bincount(
        item * num_bins + bin_of, confidence - right, minlength=num_items * num_bins
    )
    return gaps.reshape(num_items, num_bins)
