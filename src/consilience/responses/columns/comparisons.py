"""Comparisons of two systems in a table: each label names one of two of its row."""

from itertools import combinations

import numpy as np
import pyarrow as pa

from consilience.errors import ColumnError
from consilience.responses.columns.looks import FEW
from consilience.responses.columns.names import plain
from consilience.responses.text import Coded, TextTable

_MOST, _ROWS, _DISTINCT = 24, 10_000, 1_000  # columns, rows and values to look at


def refuse_comparisons(table: TextTable) -> None:
    """Refuse a table whose labels say which of two systems is better."""
    columns = _winner(table)
    if columns is None:
        return
    winner, first, second = columns
    raise ColumnError(
        f"{table.source}: the labels in {winner!r} say which of {first!r} and "
        f"{second!r} is better, so these are comparisons and no answers about items; "
        "rank what is compared (`consilience.comparisons.read`, on the command "
        "line: consilience rank), or name the column of labels to read answers all the "
        f'same (`label="{winner}"`)'
    )


def _winner(table: TextTable) -> tuple[str, str, str] | None:
    """Return the columns of winners and of the two systems, if there are such."""
    columns = {
        name: column.take(np.arange(min(len(column), _ROWS))).used()
        for name, column in [*table.columns.items()][:_MOST]
    }
    columns = {n: c for n, c in columns.items() if 2 <= len(c.values) <= _DISTINCT}
    for first, second in combinations(columns, 2):
        one, other = columns[first], columns[second]
        values = pa.concat_arrays([one.values, other.values]).unique()
        one, other = one.coded_by(values), other.coded_by(values)
        both = (one.codes >= 0) & (other.codes >= 0)
        alike = len(values) < len(columns[first].values) + len(columns[second].values)
        if both.sum() < FEW or not alike or (one.codes == other.codes)[both].any():
            continue
        for name, column in columns.items():
            if name not in {first, second} and (
                _names_one(column, one, other, values)
                or _names_columns(column, first, second)
            ):
                return name, first, second
    return None


def _names_one(
    column: Coded, first: Coded, second: Coded, values: pa.StringArray
) -> bool:
    """Say whether labels are of their own row's two, and else of none: a tie."""
    label = column.coded_by(values).codes
    given = column.codes >= 0
    right = given & ((label == first.codes) | (label == second.codes)) & (label >= 0)
    wrong = given & (label >= 0) & ~right
    repeats = any((label == side.codes)[right].all() for side in (first, second))
    return bool(right.sum() >= max(FEW, given.sum() / 4)) and not (
        repeats or wrong.any()
    )


def _names_columns(column: Coded, first: str, second: str) -> bool:
    """Say whether labels are the names of the two columns, or one more: a tie."""
    words = {plain(word) for word in column.values.to_pylist()}
    return {plain(first), plain(second)} <= words and len(words) <= 4
