"""Columns of a table as names and small numbers."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Int

type Numbers = list[int]

ONE = 10_000


class Names:
    """Names in order of first appearance, each with its code."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}

    def add(self, column: pd.Series) -> Int[np.ndarray, " N"]:
        """Return the codes of a column's names; null is -1."""
        codes, names = pd.factorize(column)
        numbers = [self.codes.setdefault(str(name), len(self.codes)) for name in names]
        return np.append(np.asarray(numbers, np.int64), -1)[codes]

    def all(self) -> list[str]:
        """Return the names."""
        return list(self.codes)


def scale(values: Iterable[float], factor: int) -> Int[np.ndarray, " N"]:
    """Return numbers as whole numbers of a scale; what is not finite is -1."""
    number = np.asarray(pd.Series(values, dtype="float64"))
    finite = np.isfinite(number)
    whole = np.rint(np.where(finite, number, 0) * factor)
    return np.where(finite, whole, -1).astype(int)


def estimate(table: pd.DataFrame, rows: Int[np.ndarray, " N"]) -> dict[str, Numbers]:
    """Return the probabilities of some rows with their bounds."""
    taken = table.iloc[rows]
    return {
        "p": scale(taken["probability"], ONE).tolist(),
        "lower": scale(taken["lower"], ONE).tolist(),
        "upper": scale(taken["upper"], ONE).tolist(),
    }


def group_starts(owner: Sequence[int] | np.ndarray, number: int) -> dict[str, Numbers]:
    """Return where each owner's part begins, in a column sorted by owner."""
    return {"start": np.searchsorted(owner, np.arange(number + 1)).tolist()}


def scatter(
    values: Int[np.ndarray, " N"], at: Int[np.ndarray, " N"], number: int
) -> Numbers:
    """Return values in the order of all items; -1 for an item that has none."""
    scattered = np.full(number, -1)
    scattered[at] = values
    return scattered.tolist()
