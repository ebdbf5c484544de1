"""Any tabular source as columns of text, by what it is."""

import hashlib
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
    read_frame,
)
from consilience.responses.sources.csv_file import read_csv
from consilience.responses.sources.encoding import assumed_encoding
from consilience.responses.sources.frames import Frame, Records
from consilience.responses.sources.json_file import read_records, records_table
from consilience.responses.sources.nested import is_worth_it, singular
from consilience.responses.sources.opened import Unpacked, unpacked
from consilience.responses.tables.text_table import TextTable, stack

type Source = Path | Frame

_SAMPLE = 50  # rows that say whether records are to be taken apart
TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".tab", ".dat")
_PARQUET = (".parquet", ".pq")
_LINES = (".jsonl", ".ndjson")
_ARROW = (".feather", ".arrow", ".arrows", ".ipc")
_BOOKS = (".xlsx", ".xlsm")
_SQLITE = (".sqlite", ".sqlite3", ".db3")
_DUCKDB = (".duckdb", ".ddb")
TABLE_SUFFIXES = (
    *(*TEXT_SUFFIXES, *_PARQUET, *_LINES, ".json"),
    *(*_ARROW, *_BOOKS, *_SQLITE, *_DUCKDB),
)


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
    suffix = path.suffix.lower()
    # What a kind of file needs is loaded where there is one.
    if path.is_dir():
        from consilience.responses.sources import hugging_face  # noqa: PLC0415

        is_one = hugging_face.is_data_set(path)
        return hugging_face.read_data_set(path) if is_one else path
    if suffix in _BOOKS:
        from consilience.responses.sources.workbook import read_workbook  # noqa: PLC0415

        return read_workbook(path, options)
    if suffix in {*_SQLITE, *_DUCKDB}:
        from consilience.responses.sources import database  # noqa: PLC0415

        lite = suffix in _SQLITE
        return (database.read_sqlite if lite else database.read_duckdb)(path, options)
    if suffix in _ARROW:
        from consilience.responses.sources import arrow_file  # noqa: PLC0415

        return _with_classes(Frame(data=arrow_file.read_arrow_file(path)), path)
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
    suffix = source.suffix.lower()
    if suffix in _PARQUET:
        frame = _with_classes(open_parquet(source), source)
        return _of_frame(frame, options, unnested=unnested)
    if suffix in _LINES or suffix == ".json":
        records, lines = read_records(source, lines=suffix in _LINES)
        word = "line" if suffix in _LINES else "record"
        return records_table(
            records, str(source), options, word=word, lines=lines, unnested=unnested
        )
    if suffix in TEXT_SUFFIXES or suffix == "":
        return read_csv(source, options)
    msg = (
        f"{source}: a file named *{suffix} is not a table that can be read; expected "
        f"one of {', '.join(TABLE_SUFFIXES)}"
    )
    raise UnknownFormatError(msg)


def _of_frame(frame: Frame, options: ReadOptions, *, unnested: bool) -> TextTable:
    data = frame.data
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
    table = stack([load_table(each, options, unnested=unnested) for each in sources])
    gone = set(options.exclude)
    if not gone:
        return table
    for name in options.exclude:
        find(table.names, "exclude", name, table.source)
    return replace(
        table,
        columns={name: c for name, c in table.columns.items() if name not in gone},
        lists={name: c for name, c in table.lists.items() if name not in gone},
        notes=(*table.notes, f"excluded column {listing(list(options.exclude))}"),
    )


def assumptions_of(sources: Sequence[Source], options: ReadOptions) -> tuple[str, ...]:
    """Say what was assumed when sources were opened."""
    sentences: list[str] = []
    for source in sources:
        if isinstance(source, Frame):
            sentences += source.assumptions
        elif source.suffix.lower() in (*TEXT_SUFFIXES, "") and source.is_file():
            sentences += assumed_encoding(source, options.encoding)
    return tuple(sentences)


def fingerprints(sources: Sequence[Source]) -> dict[str, str]:
    """SHA-256 of each file."""
    prints = {}
    for source in sources:
        path = source.file if isinstance(source, Frame) else source
        if path is None:
            continue
        files = [path]
        if isinstance(path, Unpacked):
            files = [Path(path.shown) if Path(path.shown).is_file() else path]
        elif path.is_dir():
            files = sorted(each for each in path.rglob("*") if each.is_file())
        for each in files:
            name = str(path) if len(files) == 1 else str(each)
            with each.open("rb") as file:
                prints[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return prints
