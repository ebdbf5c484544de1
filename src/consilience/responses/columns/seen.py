"""What the columns of a table show, one by one and together."""

from __future__ import annotations

from functools import cached_property
from itertools import islice

import numpy as np
from jaxtyping import Int

from consilience.responses.columns import looks
from consilience.responses.columns.names import NAMED, name_prior
from consilience.responses.text import Coded, TextTable

type Codes = Int[np.ndarray, " N"]
_ROWS = 10_000  # that are looked at
_LOOKED = 60  # columns that are looked at, and as many of those that are named
ROLES = ("item", "annotator", "label", "answer", "n")
_RARE = 1e-3  # chance of a dependence that is none


class Seen:
    """What the columns of a table show, one by one and together."""

    def __init__(self, table: TextTable) -> None:
        rows = np.arange(min(table.num_rows, _ROWS))
        self.num_rows = len(rows)
        every = list(table.columns)
        called = (name for name in every[_LOOKED:] if _is_called(name))
        names = [*every[:_LOOKED], *islice(called, _LOOKED)]
        self.columns = {n: table.columns[n].take(rows).used() for n in names}
        for name, cells in table.lists.items():
            some = cells.slice(0, self.num_rows).to_pylist()
            texts = (min(map(str, cell or ()), default=None) for cell in some)
            self.columns[name] = Coded.of(texts)
        self.lists = frozenset(table.lists)
        self._joint: dict[tuple[str, ...], Codes] = {}
        self._follows: dict[tuple[tuple[str, ...], str], bool] = {}

    @cached_property
    def look(self) -> dict[str, str]:
        """What each column seems to hold."""
        return {name: looks.look(column) for name, column in self.columns.items()}

    def joint(self, names: tuple[str, ...]) -> Codes:
        """Return one code for the values of several columns; -1 where one is empty."""
        if names not in self._joint:
            first = self.columns[names[0]].codes.astype(np.int64)
            for name in names[1:]:
                column = self.columns[name]
                both = first * len(column.values) + column.codes
                missing = (first < 0) | (column.codes < 0)
                both[missing] = -1
                first = np.unique(both, return_inverse=True)[1] - missing.any()
            self._joint[names] = first
        return self._joint[names]

    def number(self, names: tuple[str, ...]) -> int:
        """Count the values of several columns together."""
        return int(self.joint(names).max(initial=-1)) + 1

    def filled(self, names: tuple[str, ...]) -> int:
        """Count the rows in which none of them is empty."""
        return int((self.joint(names) >= 0).sum())

    def repeats(self, names: tuple[str, ...]) -> bool:
        """Return whether values come back."""
        return self.number(names) < self.filled(names)

    def apart(self, names: tuple[str, ...]) -> float:
        """Return the share of the rows that differ in these columns."""
        filled = self.filled(names)
        return self.number(names) / filled if filled else 0.0

    def follows(self, names: tuple[str, ...], of: str) -> bool:
        """Return whether a column is the same wherever others are, beyond chance."""
        if (names, of) not in self._follows:
            self._follows[names, of] = self._is_same(names, of)
        return self._follows[names, of]

    def _is_same(self, names: tuple[str, ...], of: str) -> bool:
        one, other = self.joint(names), self.columns[of].codes
        both = (one >= 0) & (other >= 0)
        if not both.any():
            return False
        pair = one[both].astype(np.int64) * len(self.columns[of].values) + other[both]
        values = len(np.unique(one[both]))
        if len(np.unique(pair)) > values:
            return False
        share = np.bincount(other[both]) / both.sum()
        again = int(both.sum()) - values
        return bool(again * np.log(max((share**2).sum(), 1e-9)) < np.log(_RARE))

    def same(self, one: str, other: str) -> bool:
        """Return whether two columns name the same things, each in its way."""
        if not looks.are_one_to_one(self.columns[one], self.columns[other]):
            return False
        longer = {self.look[one], self.look[other]} & {*looks.LONGER}
        return bool(longer) or self.follows((one,), other)

    def error(self, group: tuple[str, ...]) -> float:
        """Return the standard error of an agreement by chance, of a group's labels."""
        each = np.bincount(self.joint(group) + 1)[1:].astype(float)
        return float(1 / np.sqrt(max((each * (each - 1)).sum() / 2, 1.0)))

    def numbers_within(self, group: tuple[str, ...], name: str) -> bool:
        """Return whether a column numbers the rows of each group: 1, 2 and so on."""
        column = self.columns[name]
        values = column.values.to_pylist()
        if not all(text.isdigit() for text in values):
            return False
        least = np.array([*map(int, values), -1])[column.codes]
        firsts = int((least == min(map(int, values))).sum())
        once = self.number((*group, name)) == self.filled((*group, name))
        return once and firsts == self.number(group) and min(map(int, values)) < 2

    def numbers_rows(self, name: str) -> bool:
        """Return whether a column counts the rows."""
        column = self.columns[name]
        values = [*column.values.to_pylist(), ""]
        texts = [values[code] for code in column.codes]
        if len(texts) < 2 or not all(map(str.isdigit, texts)):
            return False
        number = np.array(texts, float)
        if len(number) >= looks.FEW:  # in any order
            number = np.sort(number)
        return bool((np.diff(number) == 1).all())

    def agreement(self, group: tuple[str, ...], label: str) -> float:
        """Return how often labels of one group agree, beyond chance."""
        return looks.agreement(self.joint(group), self.columns[label].codes)


def _is_called(name: str) -> bool:
    return any(name_prior(name, role) >= NAMED for role in ROLES)
