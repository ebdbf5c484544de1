"""Text coded as integers, once: distinct values and, per row, which of them.

A code of -1 is a missing cell. Values are sorted naturally: by number when every value
is one, else as text; the text itself never changes, so ``007`` and ``1.0`` stay.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """A column of text."""

    codes: Int[np.ndarray, " N"]
    values: pa.StringArray

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.codes)

    def text(self, row: int) -> str | None:
        """Text of one row."""
        code = int(self.codes[row])
        return None if code < 0 else str(self.values[code].as_py())

    def take(self, rows: np.ndarray) -> "Coded":
        """Take some of the rows (indices or a mask)."""
        return replace(self, codes=self.codes[rows])

    def series(self, *, ordered: bool = False) -> pd.Series:
        """Categorical column with the values as categories, in their order."""
        dtype = pd.CategoricalDtype(index(self.values), ordered=ordered)
        return pd.Series(pd.Categorical.from_codes(self.codes, dtype=dtype))


def index(values: pa.StringArray) -> pd.Index:
    """Values as a pandas index of text."""
    texts: pd.Index = pd.Index(pd.array(values, dtype="str"))
    return texts


def text_array(values: Iterable[str | None]) -> pa.StringArray:
    """Texts as an Arrow array."""
    return pa.array(list(values), type=pa.string())


def with_line_breaks(values: pa.StringArray) -> pa.StringArray:
    """Return the texts that hold a line break."""
    masks = [pc.match_substring(values, pattern) for pattern in ("\n", "\r")]
    return values.filter(pc.or_(*masks))


def encode(column: pa.Array | pa.ChunkedArray) -> Coded:
    """Code a column of text (plain or dictionary-encoded)."""
    if isinstance(column, pa.ChunkedArray):
        column = column.unify_dictionaries().combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # no chunk at all
        column = pa.array([], type=column.type)
    if not isinstance(column, pa.DictionaryArray):
        column = pc.dictionary_encode(column.cast(pa.string()))
    indices = column.indices
    if pa.types.is_unsigned_integer(indices.type):
        indices = indices.cast(pa.int64())
    codes = indices.fill_null(-1).to_numpy(zero_copy_only=False)
    values = column.dictionary.cast(pa.string())
    return recode(codes.astype(np.int32, copy=False), values)


def recode(codes: Int[np.ndarray, " N"], values: pa.StringArray) -> Coded:
    """Merge equal values, and make null values missing cells."""
    if values.null_count == 0 and len(pc.unique(values)) == len(values):
        return Coded(codes, values)
    merged = pc.dictionary_encode(values)
    new = merged.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return Coded(_apply(new, codes), merged.dictionary)


def encode_texts(texts: Sequence[str | None]) -> Coded:
    """Code a list of texts."""
    return encode(text_array(texts))


def nothing(num_rows: int) -> Coded:
    """Make a column without any value."""
    return Coded(np.full(num_rows, -1, np.int32), text_array([]))


def concatenate(columns: Sequence[Coded]) -> Coded:
    """Columns one below the other, with one set of values."""
    if len(columns) == 1:
        return columns[0]
    starts = np.cumsum([0] + [len(column.values) for column in columns[:-1]])
    codes = [
        np.where(column.codes < 0, -1, column.codes + start).astype(np.int32)
        for column, start in zip(columns, starts, strict=True)
    ]
    values = pa.concat_arrays([column.values for column in columns])
    return recode(np.concatenate(codes), values)


def natural_order(values: pa.StringArray) -> Int[np.ndarray, " V"]:
    """Order that sorts texts: by number if all are numbers, else as text."""
    keys = {"text": values}
    by = [("text", "ascending")]
    numbers = _numbers(values)
    if numbers is not None:
        keys["number"] = numbers
        by = [("number", "ascending"), *by]
    order = pc.sort_indices(pa.table(keys), sort_keys=by)
    places: np.ndarray = order.to_numpy().astype(np.int64)
    return places


def num_distinct(codes: Int[np.ndarray, " N"]) -> int:
    """Count the distinct values among numbers from 0 that lie close together.

    A table of marks: sorting or hashing ten million row numbers takes ten times longer.
    """
    marks = np.zeros(int(codes.max(initial=-1)) + 1, bool)
    marks[codes] = True
    return int(marks.sum())


def drop_unused(column: Coded) -> Coded:
    """Drop the values that no row has."""
    used = np.zeros(len(column.values) + 1, bool)
    used[column.codes] = True
    used = used[:-1]  # the last one is marked by missing cells
    if used.all():
        return column
    new = np.where(used, np.cumsum(used) - 1, -1)
    return Coded(_apply(new, column.codes), column.values.filter(pa.array(used)))


def sort_values(column: Coded, extra: pa.StringArray | None = None) -> Coded:
    """Put the values in natural order; drop unused ones, add those of `extra`."""
    column = drop_unused(column)
    if extra is not None:
        values = pa.concat_arrays([column.values, extra])
        column = recode(column.codes, values)
    order = natural_order(column.values)
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    values = column.values.take(pa.array(order))
    return Coded(_apply(place, column.codes), values)


def recode_to(column: Coded, values: pa.StringArray) -> Coded:
    """Code by a given list of values; what is not among them becomes missing."""
    places = pc.index_in(column.values, value_set=values)
    new = places.fill_null(-1).to_numpy(zero_copy_only=False)
    return Coded(_apply(new, column.codes), values)


def _apply(
    new: Int[np.ndarray, " V"], codes: Int[np.ndarray, " N"]
) -> Int[np.ndarray, " N"]:
    """Replace each code by its new code; missing stays missing."""
    out: np.ndarray = np.append(new, -1).astype(np.int32)[codes]
    return out


def _numbers(values: pa.StringArray) -> pa.DoubleArray | None:
    try:
        values[:1].cast(pa.float64())  # most texts are refused by the first of them
        numbers = values.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    return numbers if pc.all(pc.is_finite(numbers)).as_py() is not False else None
