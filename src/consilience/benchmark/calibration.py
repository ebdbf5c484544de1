"""Expected calibration error: how far confidence and being right are apart.

Items are sorted by confidence into bins of about equal size, and the error is the mean
over items of |mean confidence - share right| of their bins. Its bins are a choice: with
few items per bin it is biased upwards, since chance differences do not cancel.

References
----------
Nixon, Dusenberry, Jerfel, Nguyen, Liu, Zhang and Tran (2019), Measuring calibration in
deep learning (adaptive bins).
"""

import numpy as np
from jaxtyping import Float, Int


def equal_mass_bins(
    confidence: Float[np.ndarray, " N"], bins: int
) -> Int[np.ndarray, " N"]:
    """Sort into bins of about equal size; equal confidences share a bin.

    Parameters
    ----------
    confidence
        What to sort by.
    bins
        At most so many bins.

    Returns
    -------
    Each one's bin, from 0.
    """
    rank = np.searchsorted(np.sort(confidence), confidence, side="left")
    # Ties can leave a bin without members; numbering those that have some drops it.
    return np.unique(rank * bins // len(confidence), return_inverse=True)[1]


def gaps_by_item(
    confidence: Float[np.ndarray, " N"],
    right: Float[np.ndarray, " N"],
    item: Int[np.ndarray, " N"],
    bins: int,
) -> Float[np.ndarray, "I B"]:
    """Sum confidence less rightness in each bin, item by item.

    Parameters
    ----------
    confidence
        The probability that was stated.
    right
        How far it came true, between 0 and 1.
    item
        The item of each.
    bins
        At most so many bins.

    Returns
    -------
    Sums by item and bin. Summed over items with weights, their absolute values add up
    to the weighted number times the error.
    """
    bin_of = equal_mass_bins(confidence, bins)
    num_items, num_bins = int(item.max()) + 1, int(bin_of.max()) + 1
    gaps = np.bincount(
        item * num_bins + bin_of, confidence - right, minlength=num_items * num_bins
    )
    return gaps.reshape(num_items, num_bins)
