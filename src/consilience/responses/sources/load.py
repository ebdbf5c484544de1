"""Any tabular source as columns of text, by what it is."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import pandas as pd
import pyarrow as pa

from consilience.errors import SourceNotFoundError, UnknownFormatError
from consilience.responses.columns.names import find, listing
from consilience.responses.options import ReadOptions
from consilience.responses.sources.arrow_columns import (
    is_nested,
    open_parquet,
    read_arrow,
    read_arrow_file,
    read_frame,
)
from consilience.responses.sources.csv_file import read_csv
from consilience.responses.sources.frames import Frame, Records, Source
from consilience.responses.sources.json_file import read_records, records_table
from consilience.responses.sources.nested import is_worth_it, singular
from consilience.responses.sources.opening import TABLES, kind_of, unpacked
from consilience.responses.tables.text_table import TextTable, stack

_SAMPLE = 50  # rows that say whether records are to be taken apart


@contextmanager
def opened(source: Source, options: ReadOptions) -> Iterator[Source]:
    """Provide a source as readers take it: a table in memory, or a file by its name.

    Workbooks, databases, files of Arrow and data sets of Hugging Face become tables;
    packed files and standard input, files.
    """
    if isinstance(source, Frame):
        yield source
        return
    with unpacked(source) as path:
        yield _in_memory(path, options)


def _in_memory(path: Path, options: ReadOptions) -> Source:
    """Return the table of a file that is read whole; others as they are."""
    # What a kind of file needs is loaded where there is one.
    if path.is_dir():
        from consilience.responses.sources import hugging_face  # noqa: PLC0415

        is_one = hugging_face.is_data_set(path)
        return hugging_face.read_data_set(path) if is_one else path
    kind = kind_of(path)
    if kind in {"workbook", "sqlite", "duckdb"}:
        from consilience.responses.sources import database  # noqa: PLC0415

        read = {
            "workbook": database.read_workbook,
            "sqlite": database.read_sqlite,
            "duckdb": database.read_duckdb,
        }
        return read[kind](path, options)
    if kind == "arrow":
        return _with_classes(Frame(data=read_arrow_file(path)), path)
    return path


def _with_classes(frame: Frame, path: Path) -> Frame:
    """Name the file, and classes as Hugging Face records their names in it."""
    from consilience.responses.sources import hugging_face  # noqa: PLC0415

    table = cast("pa.Table", frame.data)
    features = hugging_face.features_of(table.schema.metadata)
    named = hugging_face.with_class_names(table, features, str(path), path)
    return replace(named, unusable=frame.unusable)


def load_table(
    source: Source, options: ReadOptions, *, unnested: bool = False
) -> TextTable:
    """Load a table in memory, or a file of one."""
    if isinstance(source, Path) and not source.exists() and str(source) != "-":
        msg = f"{source}: there is no such file; check the path"
        raise SourceNotFoundError(msg)
    with opened(source, options) as table:
        return _load(table, options, unnested=unnested)


def _load(source: Source, options: ReadOptions, *, unnested: bool) -> TextTable:
    if isinstance(source, Frame):
        return _of_frame(source, options, unnested=unnested)
    kind = kind_of(source)
    if kind == "parquet":
        frame = _with_classes(open_parquet(source), source)
        return _of_frame(frame, options, unnested=unnested)
    if kind in {"lines", "json"}:
        records, lines = read_records(source, lines=kind == "lines")
        word = "line" if kind == "lines" else "record"
        return records_table(
            records, str(source), options, word=word, lines=lines, unnested=unnested
        )
    if kind == "text":
        return read_csv(source, options)
    msg = (
        f"{source}: a file named *{source.suffix.lower()} is not a table that can be "
        f"read; expected one of {', '.join(TABLES)}"
    )
    raise UnknownFormatError(msg)


def _of_frame(frame: Frame, options: ReadOptions, *, unnested: bool) -> TextTable:
    data = frame.data
    if frame.table is not None:
        return frame.table
    if isinstance(data, list):
        return records_table(
            data, frame.name, options, word="row", lines=None, unnested=unnested
        )
    if unnested and _has_records(data) and _is_worth_it(data, options):
        table = records_table(
            _records(data), frame.name, options, word="row", lines=None, unnested=True
        )
        return replace(
            table,
            notes=(*frame.notes, *table.notes),
            orders={
                name: order
                for name in table.names
                for key, order in frame.orders.items()
                if key in {name, name.rpartition(".")[2]} or singular(key) == name
            },
            unusable={**table.unusable, **frame.unusable},
        )
    return (read_arrow if isinstance(data, pa.Table) else read_frame)(frame, options)


def _has_records(data: pd.DataFrame | pa.Table) -> bool:
    """Whether columns hold records, or several of them lists."""
    if isinstance(data, pa.Table):
        kinds = data.schema.types
        return any(map(is_nested, kinds)) or sum(map(pa.types.is_list, kinds)) > 1
    lists = 0
    for name in range(data.shape[1]):
        column = data.iloc[:, name]
        if column.dtype == object:
            cell = next((c for c in column if isinstance(c, (list, dict))), None)
            if isinstance(cell, dict) or (cell and isinstance(cell[0], dict)):
                return True
            lists += cell is not None
    return lists > 1


def _is_worth_it(data: pd.DataFrame | pa.Table, options: ReadOptions) -> bool:
    try:
        return is_worth_it(_records(data[:_SAMPLE]), options.columns)
    except UnicodeDecodeError:  # damaged text, which others say more of
        return False


def _records(data: pd.DataFrame | pa.Table) -> Records:
    if isinstance(data, pa.Table):
        records: Records = data.to_pylist()
        return records
    names = [str(name) for name in data.columns]
    gone = data.isna().to_numpy().T
    rows = zip(*(data.iloc[:, k] for k in range(len(names))), strict=True)
    return [
        {n: None if gone[k][row] else cells[k] for k, n in enumerate(names)}
        for row, cells in enumerate(rows)
    ]


def load_tables(
    sources: Sequence[Source], options: ReadOptions, *, unnested: bool = False
) -> TextTable:
    """Load several tables, one below the other, without the columns to exclude."""
    tables = [load_table(each, options, unnested=unnested) for each in sources]
    return without(stack(tables), options.exclude)


def without(table: TextTable, names: Sequence[str]) -> TextTable:
    """Return a table without the columns to exclude."""
    if not names:
        return table
    for name in names:
        find(table.names, "exclude", name, table.source)
    return replace(
        table,
        columns={n: column for n, column in table.columns.items() if n not in names},
        lists={n: cells for n, cells in table.lists.items() if n not in names},
        notes=(*table.notes, f"excluded column {listing(names)}"),
    )
