"""How often labels are right, by the probability that was stated for them.

The table that a reliability diagram shows. Items are sorted into bins of about equal
size, as for the expected calibration error (`scoring.contains_metrics`). Items are what
varies: the variance of a share right is that of a ratio over items, and its interval as
in `intervals.share_bounds`.
"""

from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.errors import OptionError
from consilience.intervals import share_bounds
from consilience.scoring.contains_metrics import (
    equal_mass_bins,
    item_scores,
    judged_pairs,
)
from consilience.scoring.objects_metrics import judged_labels

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
    _, place = np.unique(
        np.stack([item, bin_of]), axis=1, return_inverse=True
    )  # cells of an item and a bin
    apart = np.bincount(place, right - share[bin_of])
    bin_of_cell = np.zeros(len(apart), np.int64)
    bin_of_cell[place] = bin_of
    variance = np.bincount(bin_of_cell, apart**2) / number**2
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
        scores = item_scores(labels, gold, None)
        return np.arange(len(scores.right)), scores.confidence, scores.right
    if kind == "contains":
        both = judged_pairs(labels, gold)[1]
    else:
        both = judged_labels(labels, gold)[1]
        both = both[both["judged"]]
    item = pd.factorize(both["item"])[0].astype(np.int64)
    return item, both["probability"].to_numpy(), both["right"].to_numpy()
