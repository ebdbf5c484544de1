"""Something known of pairs of labels, whichever of the two comes first."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True, slots=True, eq=False)
class LabelPairs:
    """Something known of some pairs of labels, whichever of the two comes first."""

    first: Int[np.ndarray, " P"]
    second: Int[np.ndarray, " P"]
    value: Float[np.ndarray, " P"]

    def place(
        self, one: Int[np.ndarray, "*n"], other: Int[np.ndarray, "*n"]
    ) -> Int[np.ndarray, "*n"]:
        """Return which of the pairs each two labels are; their number for none."""
        low = np.minimum(one, other).astype(np.int64)
        high = np.maximum(one, other).astype(np.int64)
        width = max(int(high.max(initial=0)), int(self.second.max(initial=0))) + 1
        codes = self.first.astype(np.int64) * width + self.second
        sought = np.where(low >= 0, low * width + high, -1)
        at = np.searchsorted(codes, sought)
        listed = (np.append(codes, -1)[at] == sought) & (low >= 0) & (low != high)
        return np.where(listed, at, len(codes))

    def at(
        self, one: Int[np.ndarray, "*n"], other: Int[np.ndarray, "*n"]
    ) -> Float[np.ndarray, "*n"]:
        """Return what is known of each two labels."""
        values: Float[np.ndarray, "*n"] = np.append(self.value, 0.0)[
            self.place(one, other)
        ]
        return values


def no_pairs() -> LabelPairs:
    """Return that nothing is known of any pair of labels."""
    none = np.zeros(0, np.int32)
    return LabelPairs(none, none, np.zeros(0))
