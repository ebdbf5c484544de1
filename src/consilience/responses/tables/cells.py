"""Cells that hold counts, numbers of objects, and true or false."""

import re

import numpy as np
import pandas as pd
from jaxtyping import Int, Int8

from consilience.errors import BadCellError
from consilience.responses.draft import read_answers
from consilience.responses.tables.coding import (
    Coded,
    drop_unused,
    recode,
    text_array,
)
from consilience.responses.tables.text_table import TextTable

_POINT = re.compile(r"-?\d+\.0")


def counts(
    column: Coded,
    table: TextTable,
    rows: Int[np.ndarray, " N"],
    *,
    zero: bool = False,
    most: int = 2**53 - 1,
) -> Int[np.ndarray, " N"]:
    """Read counts: whole numbers of at least one (or, with `zero`, of at least none).

    None is above `most`, and their sum is below 2**53: beyond it numbers are inexact.
    """
    numbers = pd.to_numeric(
        pd.Series(column.values.to_pylist(), dtype="str"), errors="coerce"
    ).to_numpy(float)
    counts = np.append(numbers, np.nan)[column.codes]
    good = (
        (counts >= (0 if zero else 1)) & (counts == np.floor(counts)) & (counts <= most)
    )
    if not good.all():
        row = int((~good).argmax())
        msg = (
            f"{table.where(int(rows[row]))}: the count is {column.text(row)!r}; "
            f"expected a whole number from {0 if zero else 1} to {most:,}; fix the row"
        )
        raise BadCellError(msg)
    if counts.sum() >= 2**53:
        row = int(counts.argmax())
        msg = (
            f"{table.where(int(rows[row]))}: the count is {column.text(row)!r}, and "
            "all counts together exceed 2**53; fix the row"
        )
        raise BadCellError(msg)
    whole: np.ndarray = counts.astype(np.int64)
    return whole


def object_numbers(
    column: Coded, table: TextTable, rows: Int[np.ndarray, " N"]
) -> Int[np.ndarray, " N"]:
    """Read numbers of objects; -1 where there is none."""
    filled = column.codes >= 0
    out = np.full(len(column), -1, np.int64)
    out[filled] = counts(
        column.take(filled), table, rows[filled], zero=True, most=2**31 - 1
    )
    return out


def booleans(
    column: Coded, table: TextTable, rows: Int[np.ndarray, " N"]
) -> Int8[np.ndarray, " N"]:
    """Read true (1) and false (0); -1 where there is neither."""
    answers = read_answers(column, {}, table.where, rows)
    return np.where(answers > 0, 1, answers).astype(np.int8)


def without_points(column: Coded) -> tuple[Coded, tuple[str, ...]]:
    """Write ratings without a point, where gaps gave all of them one; say so.

    Programs write the whole numbers of a column with gaps as ``3.0``.
    """
    texts = drop_unused(column).values.to_pylist()
    gaps = bool((column.codes < 0).any())
    if not gaps or len(texts) < 2 or not all(map(_POINT.fullmatch, texts)):
        return column, ()
    values = [text.removesuffix(".0") for text in column.values.to_pylist()]
    note = f"labels such as {texts[0]!r} were read as whole numbers"
    return recode(column.codes, text_array(values)), (note,)


def seconds(column: Coded | None, rows: np.ndarray) -> np.ndarray:
    """Numbers of a column; NaN where there is none."""
    if column is None:
        return np.full(len(rows), np.nan)
    values = [_float(text) for text in column.values.to_pylist()]
    out: np.ndarray = np.append(values, np.nan)[column.codes[rows]]
    return out


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
