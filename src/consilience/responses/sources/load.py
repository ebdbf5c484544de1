"""Any tabular source as columns of text, by what it is."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import msgspec
import pandas as pd
import pyarrow as pa

from consilience.errors import (
    MissingColumnError,
    NoResponsesError,
    SourceNotFoundError,
    UnknownFormatError,
    not_among,
)
from consilience.responses.columns.names import find, listing, usual
from consilience.responses.columns.vocabulary import likely
from consilience.responses.options import Columns, ReadOptions
from consilience.responses.sources.arrow_columns import (
    is_nested,
    open_parquet,
    read_arrow,
    read_frame,
    read_schema,
)
from consilience.responses.sources.csv_file import header_names, read_csv
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
_ENOUGH = 3  # an item and a label
_LOOK = 1 << 22
_NEAR = 1 << 16  # characters in which a list begins
_LISTS = ("items", "docs", "records")  # keys under which an API lists records
_GLANCE = 1 << 16


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
        from consilience.responses.sources.database import read_workbook  # noqa: PLC0415

        return read_workbook(path, options)
    if suffix in {*_SQLITE, *_DUCKDB}:
        from consilience.responses.sources import database  # noqa: PLC0415

        lite = suffix in _SQLITE
        return (database.read_sqlite if lite else database.read_duckdb)(path, options)
    if suffix in _ARROW:
        from consilience.responses.sources.hugging_face import (  # noqa: PLC0415
            read_arrow_file,
        )

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


def choose_part(
    parts: Mapping[str, Sequence[str]],
    source: str,
    what: str,
    option: str,
    given: str | None = None,
) -> tuple[str, tuple[str, ...]]:
    """Choose the table that was named, or the one that can be one of answers."""
    if given is not None:
        if given not in parts:
            msg = f"{source}: {not_among(what, given, parts)}"
            raise MissingColumnError(msg)
        return given, ()
    filled = {name: columns for name, columns in parts.items() if columns}
    if not filled:
        msg = f"{source}: every {what} is empty; export the file again"
        raise NoResponsesError(msg)
    whole = {name: columns for name, columns in filled.items() if len(columns) > 2}
    grades = {name: _grade(list(columns)) for name, columns in filled.items()}
    if len(whole) == 1:
        grades = dict.fromkeys(filled, 0) | dict.fromkeys(whole, _ENOUGH)
    best = [name for name in filled if grades[name] == max(grades.values())]
    if len(best) > 1 or (len(filled) > 1 and grades[best[0]] < _ENOUGH):
        listed = "; ".join(
            f"{name!r} ({', '.join(columns[:6])}{', ...' * (len(columns) > 6)})"
            for name, columns in list(filled.items())[:12]
        )
        msg = (
            f"{source}: there are several {what}s that may hold the answers: {listed}; "
            f'name one (`{option}="{best[0]}"`)'
        )
        raise MissingColumnError(msg)
    if len(filled) == 1:
        return best[0], ()
    others = ", ".join(repr(name) for name in filled if name != best[0])
    sentence = (
        f"The answers of {source} are those of the {what} {best[0]!r}; not read: "
        f"{others}."
    )
    return best[0], (sentence,)


def _grade(names: list[str]) -> int:
    """Grade columns: an annotator says most, then an item and a label."""
    return sum(
        points * bool(usual(names, role) or likely(names, role))
        for role, points in (("annotator", 4), ("item", 2), ("label", 1))
    )


def first_record(path: Path) -> Mapping[str, Any]:
    """Return the first record of a list or of lines, or the one of the file."""
    with path.open("rb") as file:
        start = file.read(_LOOK).removeprefix(b"\xef\xbb\xbf")
    text = start.decode("utf-8", errors="ignore").lstrip()
    is_list = text.startswith("[")
    text = text.removeprefix("[").lstrip()
    try:
        record, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return _wrapped(text) if text.startswith("{") and not is_list else {}
    if is_list or not isinstance(record, dict):
        return record if isinstance(record, dict) else {}
    lists = (record[key] for key in _LISTS if isinstance(record.get(key), list))
    wrapped = next(lists, None)
    if wrapped and isinstance(wrapped[0], dict):
        return wrapped[0]
    return record


def _wrapped(text: str) -> Mapping[str, Any]:
    """Return the first record of a long list that an API wraps."""
    start = re.search(rf'"(?:{"|".join(_LISTS)})"\s*:\s*\[\s*', text[:_NEAR])
    if start is None:
        return {}
    try:
        record, _ = json.JSONDecoder().raw_decode(text, start.end())
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What can be seen at a glance."""

    name: str
    is_folder: bool = False
    files: frozenset[str] = frozenset()
    names: Sequence[str] = ()
    start: bytes = b""
    columns: Columns = field(default_factory=Columns)
    record: Mapping[str, Any] = field(default_factory=dict)
    several: bool = False


def probe(source: Source, columns: Columns, encoding: str | None = None) -> Probe:
    """Look at a source without reading it whole."""
    return replace(_look(source, encoding), columns=columns)


def _look(source: Source, encoding: str | None) -> Probe:  # noqa: PLR0911
    if isinstance(source, Frame):
        return Probe(name=source.name, names=source.names)
    name = str(source)
    if source.is_dir():
        files = frozenset(path.name for path in source.iterdir())
        return Probe(name=name, is_folder=True, files=files)
    suffix = source.suffix.lower()
    if suffix in {".parquet", ".pq"}:
        return Probe(name=name, names=read_schema(source))
    if suffix in {".json", ".jsonl", ".ndjson", ".manifest"}:
        with source.open("rb") as file:
            start = file.read(_GLANCE).removeprefix(b"\xef\xbb\xbf").lstrip()
        record = first_record(source)
        names = list(record) or _json_names(start)
        return Probe(name=name, names=names, start=start, record=record)
    if suffix == ".xml":
        with source.open("rb") as file:
            return Probe(name=name, start=file.read(_GLANCE))
    if suffix in TEXT_SUFFIXES or suffix == "":
        return Probe(
            name=name, names=[n.strip() for n in header_names(source, encoding)]
        )
    return Probe(name=name)


def _json_names(start: bytes) -> list[str]:
    """Keys of the first record of JSON lines or of a list of records."""
    depth = 0
    quoted = False
    body = start.removeprefix(b"[").lstrip()
    skip = False
    for i, byte in enumerate(body):
        char = chr(byte)
        if skip:
            skip = False
        elif quoted:
            skip = char == "\\"
            quoted = char != '"'
        elif char == '"':
            quoted = True
        elif char in "{}":
            depth += 1 if char == "{" else -1
            if depth == 0:
                return _keys(body[: i + 1])
    return []


def _keys(record: bytes) -> list[str]:
    try:
        return list(msgspec.json.decode(record, type=dict))
    except (msgspec.DecodeError, ValueError, RecursionError):
        return []
