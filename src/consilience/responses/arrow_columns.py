"""Arrow and pandas columns of any type as text.

Integers are written as they are; columns of floats that hold only whole numbers are
written without the point, because pandas turns integers with gaps into floats.
"""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from consilience.errors import BadCellError, NoResponsesError, UnreadableFileError
from consilience.responses.coding import Coded, encode, only_used, text_array
from consilience.responses.options import ReadOptions
from consilience.responses.text_table import TextTable, check_names, places, tidy
from consilience.responses.type_names import type_of, type_of_arrow

_EXACT = 2**53  # beyond it a float skips whole numbers


def read_parquet(path: Path, options: ReadOptions) -> TextTable:
    """Read a Parquet file as columns of text.

    Raises
    ------
    UnreadableFileError
        If the file is cut off or not Parquet.
    """
    try:
        table = parquet.ParquetFile(path).read()
    except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
        raise not_whole(path, error) from None
    names = check_names(table.column_names, str(path))
    arrays = dict(zip(names, table.columns, strict=True))
    types = {name: type_of_arrow(array.type) for name, array in arrays.items()}
    return _text_table(str(path), arrays, options, types)


def not_whole(path: Path, error: Exception) -> UnreadableFileError:
    """Error for a Parquet file that cannot be opened."""
    why = str(error).splitlines()[0] if str(error) else "unknown"
    msg = f"{path}: not a whole Parquet file ({why}); copy or export it again"
    return UnreadableFileError(msg)


def read_frame(frame: pd.DataFrame, options: ReadOptions) -> TextTable:
    """Take a pandas data frame as columns of text."""
    source = "the data frame"
    names = check_names([str(name) for name in frame.columns], source)
    arrays = {}
    types = {}
    for i, name in enumerate(names):
        types[name] = type_of(frame.iloc[:, i])
        try:
            arrays[name] = _from_pandas(frame.iloc[:, i])
        except UnicodeDecodeError:
            raise _no_text(source, name, "bytes that are not UTF-8") from None
    return _text_table(source, arrays, options, types)


def _text_table(
    source: str,
    arrays: dict[str, pa.Array | pa.ChunkedArray],
    options: ReadOptions,
    types: Mapping[str, str | None],
) -> TextTable:
    num_rows = len(next(iter(arrays.values()))) if arrays else 0
    if num_rows == 0:
        msg = f"{source}: there is no row; check that it is the right table"
        raise NoResponsesError(msg)
    coded: dict[str, Coded] = {}
    lists: dict[str, pa.Array] = {}
    notes: list[str] = []
    for name, array in arrays.items():
        if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
            whole = array.combine_chunks() if hasattr(array, "chunks") else array
            lists[name] = whole.cast(pa.list_(pa.string()))
        else:
            try:
                text, note = as_text(array)
            except pa.ArrowException:
                raise _no_text(source, name, str(array.type)) from None
            coded[name] = only_used(encode(text))
            notes += [f"column {name!r}: {note}"] if note else []
    columns, said = tidy(coded, options.missing)
    return TextTable(
        source=source,
        columns=columns,
        lists=lists,
        num_rows=num_rows,
        where=places(source, first=1),
        notes=(*notes, *said),
        types={name: kind for name, kind in types.items() if kind is not None},
    )


def _no_text(source: str, name: str, what: str) -> BadCellError:
    msg = (
        f"{source}: column {name!r} ({what}) cannot be written as text; expected text "
        "or numbers; convert or drop the column"
    )
    return BadCellError(msg)


def as_text(array: pa.Array | pa.ChunkedArray) -> tuple[pa.Array, str | None]:
    """Write a column as text, and say what was decided.

    Parameters
    ----------
    array
        Column of any scalar type. Each distinct value is written once.
    """
    if isinstance(array, pa.ChunkedArray):
        array = array.unify_dictionaries().combine_chunks()
    if pa.types.is_string(array.type):
        return array, None
    if not pa.types.is_dictionary(array.type):
        array = pc.dictionary_encode(array)
    values, note = values_as_text(array.dictionary)
    return pa.DictionaryArray.from_arrays(array.indices, values), note


def values_as_text(values: pa.Array) -> tuple[pa.Array, str | None]:
    """Write distinct values as text, and say what was decided."""
    kind = values.type
    if pa.types.is_boolean(kind):
        return pc.if_else(values, "True", "False"), None
    if not pa.types.is_floating(kind):
        return values.cast(pa.string()), None
    values = pc.if_else(pc.is_nan(values), pa.scalar(None, kind), values)
    whole = pc.all(pc.equal(pc.round(values), values)).as_py()
    largest = pc.max(pc.abs(values)).as_py()
    if whole and largest is not None and largest < _EXACT:
        note = "whole numbers, written without the point"
        return values.cast(pa.int64()).cast(pa.string()), note
    return values.cast(pa.string()), None


def _from_pandas(column: pd.Series) -> pa.Array | pa.ChunkedArray:
    try:
        array = pa.array(column, from_pandas=True)
    except (pa.ArrowException, OverflowError):
        array = None
    mixed = column.dtype == object and array is not None
    if array is None or (mixed and not _text_or_list(array.type)):
        return text_array(cell_text(cell) for cell in column)
    return array


def _text_or_list(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_string(kind) or types.is_list(kind) or types.is_null(kind))


def cell_text(cell: object) -> str | None:
    """Text of one cell of a column of mixed types; None for a missing one."""
    if isinstance(cell, bytes):
        return cell.decode("utf-8")
    if isinstance(cell, str):
        return cell
    missing = cell is None or cell is pd.NA or cell is pd.NaT
    if isinstance(cell, (dt.date, dt.datetime)) and not missing:
        return cell.isoformat()
    if missing or (isinstance(cell, (float, np.floating)) and bool(np.isnan(cell))):
        return None
    return str(cell)
