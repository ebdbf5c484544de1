"""Arrow and pandas columns of any type as text.

Integers are written as they are; columns of floats that hold only whole numbers are
written without the point, because pandas turns integers with gaps into floats. A column
that cannot be written as text (images, embeddings, records) is put aside with its
reason; it is an error only where it is needed.
"""

import datetime as dt
import numbers
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import feather, ipc, parquet

from consilience.errors import ConsilienceError, DataError, SourceError
from consilience.responses.id_types import type_of, type_of_arrow, values_as_text
from consilience.responses.options import ReadOptions
from consilience.responses.sources.frames import Frame, readable
from consilience.responses.text import (
    Coded,
    TextTable,
    check_names,
    encode,
    natural_texts,
    places,
    text_array,
    tidy,
    unusable_notes,
)

_LONG = 1 << 12  # bytes of a cell on average; more is an image, not an id
NOT_WHOLE = "not a whole Parquet file"
_FILE, _STREAM, _FIRST = b"ARROW1", b"\xff\xff\xff\xff", b"FEA1"
_NOT_WHOLE_ARROW = "not a whole Arrow file"


def open_parquet(path: Path) -> Frame:
    """Read the columns of a Parquet file that can be text, or records of texts."""
    with readable(str(path), NOT_WHOLE), parquet.ParquetFile(path.__fspath__()) as file:
        schema = file.schema_arrow
        long = {schema.names[i] for i in _long_columns(file)}
        unusable = {
            kind.name: f"{kind.type}, long" if kind.name in long else str(kind.type)
            for kind in schema
            if kind.name in long or not (_is_plain(kind.type) or is_nested(kind.type))
        }
        table = file.read(columns=[n for n in schema.names if n not in unusable])
        if table.num_columns == 0:
            table = table.append_column("", pa.nulls(file.metadata.num_rows))
            table = table.drop_columns([""])
    return Frame(data=table, name=str(path), file=path, unusable=unusable)


def read_arrow_file(path: Path) -> pa.Table:
    """Read a table from a file of Arrow, whichever of the forms it has."""
    with path.open("rb") as file:
        start = file.read(6)
    with readable(str(path), _NOT_WHOLE_ARROW):
        if start.startswith(_FIRST):
            table = feather.read_table(path.__fspath__(), memory_map=False)
        elif start == _FILE:
            table = ipc.open_file(pa.OSFile(path.__fspath__())).read_all()
        elif start.startswith(_STREAM):
            table = ipc.open_stream(pa.OSFile(path.__fspath__())).read_all()
        else:
            raise SourceError(f"{path}: {_NOT_WHOLE_ARROW}; copy or export it again")
        table.validate(full=True)
    return table


def read_arrow(frame: Frame, options: ReadOptions) -> TextTable:
    """Take a table of Arrow as columns of text."""
    table = cast("pa.Table", frame.data)
    names = check_names(table.column_names, frame.name)
    columns = dict(zip(names, table.columns, strict=True))
    unusable = dict(frame.unusable)
    unusable |= {n: str(c.type) for n, c in columns.items() if not _is_plain(c.type)}
    arrays = {name: c for name, c in columns.items() if name not in unusable}
    kinds = {name: type_of_arrow(array.type) for name, array in arrays.items()}
    orders = {
        name: _order(array.chunk(0).dictionary, ordered=True)
        for name, array in arrays.items()
        if pa.types.is_dictionary(array.type)
        and array.type.ordered
        and array.num_chunks
    }
    return _text_table(frame, arrays, unusable, options, kinds, orders)


def read_frame(frame: Frame, options: ReadOptions) -> TextTable:
    """Take a pandas data frame as columns of text."""
    table = cast("pd.DataFrame", frame.data)
    names = check_names([str(name) for name in table.columns], frame.name)
    arrays, unusable, types, orders = {}, {}, {}, {}
    for name, (_, column) in zip(names, table.items(), strict=True):
        try:
            with readable(frame.name):
                if isinstance(column.dtype, pd.SparseDtype):
                    column = pd.Series(np.asarray(column))  # noqa: PLW2901
                types[name] = type_of(column)
                arrays[name] = _from_pandas(column)
                if isinstance(column.dtype, pd.CategoricalDtype):
                    values = _from_pandas(pd.Series(column.dtype.categories))
                    orders[name] = _order(values, ordered=bool(column.dtype.ordered))
        except ConsilienceError as error:
            why = {
                UnicodeDecodeError: "bytes that are not UTF-8",
                UnicodeEncodeError: "text with half of a surrogate pair",
            }
            unusable[name] = why.get(type(error.__cause__), str(error))
    return _text_table(frame, arrays, unusable, options, types, orders)


def _order(values: pa.Array, *, ordered: bool) -> tuple[str, ...]:
    """Return all categories in their order; pandas sorts those that have none."""
    texts = [text.strip() for text in as_text(values)[0].drop_null().to_pylist()]
    as_they_are = pa.array(range(len(values)), pa.uint64())
    if not ordered and pc.sort_indices(values).equals(as_they_are):
        texts = natural_texts(texts)
    return tuple(dict.fromkeys(texts))


def _text_table(
    frame: Frame,
    arrays: Mapping[str, pa.Array | pa.ChunkedArray],
    unusable: dict[str, str],
    options: ReadOptions,
    types: Mapping[str, str | None],
    orders: Mapping[str, tuple[str, ...]],
) -> TextTable:
    source, num_rows = frame.name, len(frame.data)
    if num_rows == 0:
        raise SourceError(
            f"{source}: there is no row; check that it is the right table"
        )
    coded: dict[str, Coded] = {}
    lists: dict[str, pa.Array] = {}
    notes: list[str] = []
    for name, array in arrays.items():
        try:
            with readable(source):
                if _is_list(array.type):
                    chunked = isinstance(array, pa.ChunkedArray)
                    whole = array.combine_chunks() if chunked else array
                    lists[name] = whole.cast(pa.list_(pa.string()))
                    # Damaged files may hold bytes that are not text.
                    lists[name].validate(full=True)
                    continue
                text, note = as_text(array)
                coded[name] = encode(text).used()
                notes += [f"column {name!r}: {note}"] if note else []
        except ConsilienceError:
            unusable[name] = str(array.type)
    columns, tidy_notes = tidy(coded, options.missing_words)
    return TextTable(
        source=source,
        columns=columns,
        lists=lists,
        num_rows=num_rows,
        where=places(source, first=1, numbers=frame.numbers),
        notes=(*frame.notes, *notes, *tidy_notes, *unusable_notes(unusable)),
        unusable=unusable,
        types={name: kind for name, kind in types.items() if kind is not None},
        orders={**orders, **frame.orders},
        ordered=frozenset(filter(frame.is_ordered, orders)),
    )


def is_nested(kind: pa.DataType) -> bool:
    """Whether a type is of records of texts or numbers, or of lists of these."""
    if pa.types.is_struct(kind):
        fields = [kind.field(place).type for place in range(kind.num_fields)]
        return all(_is_plain(field) or is_nested(field) for field in fields)
    return _is_list(kind) and is_nested(kind.value_type)


def _is_list(kind: pa.DataType) -> bool:
    tests = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(test(kind) for test in tests)


def _is_plain(kind: pa.DataType) -> bool:
    """Whether a type is of texts or numbers, or of lists of texts or whole numbers."""
    if _is_list(kind):
        part = kind.value_type
        return _is_plain(part) and not (
            _is_list(part) or pa.types.is_floating(part) or _is_binary(part)
        )
    if pa.types.is_dictionary(kind):
        return _is_plain(kind.value_type)
    if kind in {pa.string(), pa.large_string(), pa.string_view()} or _is_binary(kind):
        return True
    tests = (pa.types.is_primitive, pa.types.is_decimal, pa.types.is_null)
    return any(test(kind) for test in tests)


def _is_binary(kind: pa.DataType) -> bool:
    return kind in {pa.binary(), pa.large_binary(), pa.binary_view()}


def _long_columns(file: parquet.ParquetFile) -> set[int]:
    """Places of the columns of long bytes, which may be too large to be read."""
    metadata, schema = file.metadata, file.schema_arrow
    binary = [i for i, kind in enumerate(schema.types) if _is_binary(kind)]
    if not binary or metadata.num_columns != len(schema.names):
        return set()
    groups = [metadata.row_group(k) for k in range(metadata.num_row_groups)]
    size = {i: sum(g.column(i).total_uncompressed_size for g in groups) for i in binary}
    return {i for i in binary if size[i] > _LONG * metadata.num_rows > 0}


def as_text(array: pa.Array | pa.ChunkedArray) -> tuple[pa.Array, str | None]:
    """Write a column as text, and say what was decided."""
    if isinstance(array, pa.ChunkedArray):
        array = array.unify_dictionaries().combine_chunks()
    if pa.types.is_string(array.type):
        array.validate(full=True)
        return array, None
    if not pa.types.is_dictionary(array.type):
        array = pc.dictionary_encode(array)
    values, note = values_as_text(array.dictionary)
    values.validate(full=True)
    return pa.DictionaryArray.from_arrays(array.indices, values), note


def _from_pandas(column: pd.Series) -> pa.Array | pa.ChunkedArray:
    kind = column.dtype
    if isinstance(kind, pd.CategoricalDtype) and _is_mixed(kind.categories):
        column = column.astype(object)
    if not _is_mixed(column):
        try:
            return pa.array(column, from_pandas=True)
        except (pa.ArrowException, OverflowError, ValueError, TypeError):
            pass  # each cell is written by itself
    if any(isinstance(cell, (list, tuple, np.ndarray)) for cell in column):
        return pa.array(map(_texts, column), pa.list_(pa.string()))
    return text_array(cell_text(cell) for cell in column)


def _texts(cell: object) -> list[str | None] | None:
    if isinstance(cell, (list, tuple, np.ndarray)):
        return [cell_text(part) for part in cell]
    text = cell_text(cell)
    return None if text is None else [text]


def _is_mixed(values: pd.Series | pd.Index) -> bool:
    """Whether objects are not all texts: Arrow has ended the process on some others."""
    if values.dtype != object:
        return False
    return pd.api.types.infer_dtype(values, skipna=True) not in {"string", "empty"}


def cell_text(cell: object, place: str = "") -> str | None:
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
    has_str = type(cell).__str__ is not object.__str__ and not hasattr(cell, "__len__")
    if not (isinstance(cell, (numbers.Number, np.generic)) or has_str):
        what = f"{place}: " if place else ""
        raise DataError(
            f"{what}{type(cell).__name__} where one text or number was expected"
        )
    return str(cell)
