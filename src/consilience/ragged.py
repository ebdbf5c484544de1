"""Rows of different lengths that are stored end to end."""

import numpy as np
from jaxtyping import Int


def places_within(length: Int[np.ndarray, " R"]) -> Int[np.ndarray, " N"]:
    """Return the place of each entry within its row: 0, 1, ..., row after row."""
    start = np.cumsum(length) - length
    return np.arange(length.sum()) - np.repeat(start, length)
