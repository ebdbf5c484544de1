"""Comparisons of two systems each, coded: who judged, what stood first, which won."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from consilience.errors import ColumnError, DataError, not_among

FIRST, SECOND, TIE = range(3)
TIE_WORD = "tie"


@dataclass(frozen=True, eq=False, kw_only=True)
class Comparisons:
    """Comparisons of two systems each, by judges.

    Attributes
    ----------
    systems, judges, groups, items : tuple of str
        The names that codes stand for.
    group_of : numpy.ndarray
        Code of the group of each judge.
    item, judge, first, second : numpy.ndarray
        Codes of each comparison.
    outcome : numpy.ndarray
        0: the first system wins, 1: the second, 2: a tie.
    further : pandas.DataFrame
        Further columns that hold numbers, which may be covariates.
    columns : dict
        The column that was read for each role.
    skipped : int
        Rows without an answer.

    See Also
    --------
    consilience.comparisons.read : Read comparisons.
    consilience.comparisons.fit : Rank the systems.

    Examples
    --------
    >>> import consilience as cs
    >>> rows = {"first": ["x", "y"], "second": ["y", "x"], "winner": ["x", "tie"]}
    >>> comparisons = cs.comparisons.read(rows)
    >>> comparisons
    Comparisons(2 comparisons of 2 systems by 1 judge)
    >>> comparisons.table[["first", "second", "winner"]].astype(str)
      first second winner
    0     x      y      x
    1     y      x    tie
    """

    systems: tuple[str, ...]
    judges: tuple[str, ...]
    groups: tuple[str, ...]
    items: tuple[str, ...]
    group_of: Int[np.ndarray, " J"]
    item: Int[np.ndarray, " N"]
    judge: Int[np.ndarray, " N"]
    first: Int[np.ndarray, " N"]
    second: Int[np.ndarray, " N"]
    outcome: Int[np.ndarray, " N"]
    further: pd.DataFrame
    columns: dict[str, str]
    skipped: int = 0

    def __len__(self) -> int:
        """Return the number of comparisons."""
        return len(self.outcome)

    def __repr__(self) -> str:
        """Say how many there are of what."""
        parts = [
            f"{len(self):,} comparisons of {len(self.systems):,} systems",
            f"by {len(self.judges):,} judge{'s' * (len(self.judges) != 1)}",
        ]
        parts += [f"in {len(self.groups)} groups"] * (len(self.groups) > 1)
        return f"Comparisons({' '.join(parts)})"

    @cached_property
    def table(self) -> pd.DataFrame:
        """Comparisons as canonical columns: item, judge, group, first, second, winner.

        The winner is the name of a system, or tie.
        """
        won = np.select(
            [self.outcome == FIRST, self.outcome == SECOND],
            [self.first, self.second],
            len(self.systems),
        )
        coded = {
            "item": (self.item, self.items),
            "judge": (self.judge, self.judges),
            "group": (self.group_of[self.judge], self.groups),
            "first": (self.first, self.systems),
            "second": (self.second, self.systems),
            "winner": (won, (*self.systems, TIE_WORD)),
        }
        named = {
            name: pd.Categorical.from_codes(codes, pd.Index(words, dtype="str"))
            for name, (codes, words) in coded.items()
        }
        return pd.concat([pd.DataFrame(named), self.further], axis=1)

    @property
    def repeated(self) -> bool:
        """Whether some item has several comparisons."""
        return len(np.unique(self.item)) < len(self)

    def take(self, rows: Bool[np.ndarray, " N"]) -> "Comparisons":
        """Return some of the comparisons; the codes stay."""
        codes = ("item", "judge", "first", "second", "outcome")
        kept = {name: getattr(self, name)[rows] for name in codes}
        further = self.further[rows].reset_index(drop=True)
        return replace(self, **kept, further=further)

    def check_connected(self) -> None:
        """Refuse systems of which some are never compared with the others."""
        number = len(self.systems)
        edges = (np.ones(len(self)), (self.first, self.second))
        graph = coo_array(edges, shape=(number, number))
        several, part = connected_components(graph, directed=False)
        if several == 1:
            return
        names = np.array(self.systems, object)
        parts = [", ".join(names[part == each][:5]) for each in range(several)]
        shown = "; ".join(f"({each})" for each in parts[:4])
        raise DataError(
            f"the systems fall into {several} parts that are never compared with each "
            f"other: {shown}; rank each part by itself, or add comparisons between them"
        )

    def column(self, name: str) -> np.ndarray:
        """Return a covariate: a further column of numbers, none of them missing."""
        if name not in self.further:
            raise ColumnError(
                not_among("column of numbers", name, map(str, self.further.columns))
            )
        values = self.further[name].to_numpy(np.float64)
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            raise DataError(
                f"column {name!r}: comparison {bad[0] + 1} has no finite number; fill "
                "it, or leave the comparison out"
            )
        return values
