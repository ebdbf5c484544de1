"""Databases and workbooks: the table or sheet that holds the answers, or a query.

Databases of SQLite and DuckDB are opened for reading alone. A query can only select: it
opens no other file, installs nothing and changes nothing.
"""

import sqlite3
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, time
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from consilience.errors import (
    ColumnError,
    OptionError,
    SourceError,
    UnavailableError,
    not_among,
)
from consilience.responses.columns.names import is_likely, usual
from consilience.responses.options import ReadOptions
from consilience.responses.sources.frames import Frame, check_size, readable

_SELECTING = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
_DUCKDB: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "lock_configuration": "true",
}
_BOTH = 3  # grade of a table with an item and a label
_HEAD = 50  # rows within which a table begins


def read_sqlite(path: Path, options: ReadOptions) -> Frame:
    """Read a table of an SQLite file, or what `options.query` selects."""
    source, address = str(path), f"file:{quote(str(path.__fspath__()))}?mode=ro"
    with readable(source), closing(sqlite3.connect(address, uri=True)) as base:
        rows = base.execute(
            "select name from sqlite_master where type in ('table', 'view') "
            "and name not like 'sqlite_%' order by name"
        ).fetchall()
        parts = {
            name: [row[0] for row in base.execute(f"{_all(name)} limit 0").description]
            for (name,) in rows
        }
        query, assumptions = _query(parts, source, options.query)
        base.set_authorizer(
            lambda action, *_: (
                sqlite3.SQLITE_OK if action in _SELECTING else sqlite3.SQLITE_DENY
            )
        )
        try:
            cursor = base.execute(query)
            cells = cursor.fetchall()
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise _bad_query(source, query, error) from None
        names = [column[0] for column in cursor.description or ()]
    data = pd.DataFrame(cells, columns=range(len(names)), dtype=object).infer_objects()
    data = data.set_axis(names, axis=1)
    return Frame(data=data, name=source, file=path, assumptions=assumptions)


def read_duckdb(path: Path, options: ReadOptions) -> Frame:
    """Read a table of a DuckDB file, or what `options.query` selects."""
    with opened_duckdb(path, options.query) as (selected, assumptions):
        table = selected.to_arrow_table()
    return Frame(data=table, name=str(path), file=path, assumptions=assumptions)


@contextmanager
def opened_duckdb(
    path: Path, asked: str | None
) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """Open a DuckDB file; give the relation that is asked for, and what was assumed."""
    try:
        import duckdb  # noqa: PLC0415 - an extra
    except ImportError:
        raise UnavailableError(
            f"{path}: needs duckdb; install it: pip install 'consilience[duckdb]'"
        ) from None
    source, address = str(path), dict[str, tuple[str, str]]()
    with readable(source):
        base = duckdb.connect(path.__fspath__(), read_only=True, config=_DUCKDB)
    with closing(base):
        with readable(source):
            rows = base.execute(
                "select table_schema, table_name, column_name from "
                "information_schema.columns where table_catalog = current_database() "
                "order by table_schema, table_name, ordinal_position"
            ).fetchall()
        parts: dict[str, list[str]] = {}
        for schema, table, column in rows:
            name = table if schema == "main" else f"{schema}.{table}"
            parts.setdefault(name, []).append(column)
            address[name] = (schema, table)
        query, assumptions = _query(parts, source, asked, address)
        try:
            statements = base.extract_statements(query)
            if len(statements) != 1 or statements[0].type.name != "SELECT":
                raise duckdb.InvalidInputException("give one SELECT")
            yield base.sql(query), assumptions
        except duckdb.Error as error:
            raise _bad_query(source, query, error) from None


def _query(
    parts: Mapping[str, list[str]],
    source: str,
    given: str | None,
    address: Mapping[str, tuple[str, ...]] | None = None,
) -> tuple[str, tuple[str, ...]]:
    """Return the query: as given, all of the table that is named, or of the answers."""
    if given is not None and given not in parts:
        return given, ()
    name, assumptions = _choose_part(parts, source, "table", "query", given)
    return _all(*(address[name] if address else (name,))), assumptions


def _all(*name: str) -> str:
    quoted = ".".join('"' + part.replace('"', '""') + '"' for part in name)
    return f"select * from {quoted}"  # noqa: S608 - a name of the file itself


def _bad_query(source: str, query: str, error: Exception) -> OptionError:
    reason = str(error).splitlines()[0]
    return OptionError(
        f"{source}: the query {query!r} cannot be run ({reason}); give one SELECT, or "
        "the name of a table"
    )


def read_workbook(path: Path, options: ReadOptions) -> Frame:
    """Read the sheet that holds the answers."""
    # Only where a workbook is read.
    import openpyxl  # noqa: PLC0415

    source = str(path)
    with readable(source, "not a whole workbook"), path.open("rb") as file:
        with zipfile.ZipFile(file) as parts:
            check_size(path, sum(each.file_size for each in parts.infolist()), source)
            names = [n for n in parts.namelist() if n.startswith("xl/worksheets/")]
            has_merged = any(b"mergeCell" in parts.read(name) for name in names)
        book = openpyxl.load_workbook(file, read_only=True)
        sheets = {sheet.title: sheet for sheet in book.worksheets}
        heads = {}
        for title, sheet in sheets.items():
            top = list(_rows(sheet, _HEAD))
            head = top[_header(top)][1] if top else ()
            texts = ("" if c.value is None else str(_plain(c)) for c in head)
            heads[title] = [text.strip() for text in texts]
        chosen = _choose_part(heads, source, "sheet", "sheet", options.sheet)
        title, assumptions = chosen
        rows = list(_rows(sheets[title]))
        merged = []
        if has_merged:  # which a book that is opened as read-only does not tell
            merged = [*openpyxl.load_workbook(file)[title].merged_cells.ranges]
        first = _header(rows)
    names = heads[title]
    where = source if len(sheets) == 1 else f"{source}, sheet {title!r}"
    notes = []
    if first:
        above = ", ".join(str(_plain(row[0])) for _, row in rows[:first])
        notes.append(f"lines above the header were left out: {above[:80]!r}")
    rows = rows[first + options.header :]
    if not rows:
        raise SourceError(
            f"{where}: there is a header but no row below it; export the file again"
        )
    width = max(len(row) for _, row in rows)
    if not options.header:
        names = [f"column {i}" for i in range(1, width + 1)]
    for number, row in rows:
        if len(row) > len(names):
            raise SourceError(
                f"{where}, row {number}: a cell stands beside the {len(names)} columns "
                f"of the header ({', '.join(names[:6])}); name its column or clear the "
                "cell"
            )
    if formulas := sum(cell.data_type == "f" for _, row in rows for cell in row):
        note = f"{formulas:,} cells hold formulas, which are read as the text entered"
        notes.insert(0, note)
    gaps = [None] * len(names)
    cells = [[*map(_plain, row), *gaps[len(row) :]] for _, row in rows]
    if merged:
        notes.append("merged cells were read as if each of their rows held the value")
        _spread(cells, {number: k for k, (number, _) in enumerate(rows)}, merged)
    data = pd.DataFrame(cells, columns=range(len(names)), dtype=object)
    return Frame(
        data=data.set_axis(names, axis=1),
        name=where,
        file=path,
        notes=tuple(notes),
        assumptions=assumptions,
        numbers=[number for number, _ in rows],
    )


def _rows(sheet: Any, most: int | None = None) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Yield number and cells of each row that holds anything."""
    sheet.reset_dimensions()  # what a program wrote there is often wrong
    for number, row in enumerate(islice(sheet.iter_rows(), most), start=1):
        width = max((i for i, c in enumerate(row, 1) if c.value is not None), default=0)
        if width:
            yield number, row[:width]


def _spread(
    cells: list[list[object]], place: Mapping[int, int], merged: Sequence[Any]
) -> None:
    """Write what stands in merged cells below the header into each of their rows."""
    for each in merged:
        column, numbers = each.min_col - 1, range(each.min_row, each.max_row + 1)
        if each.min_row in place and column < len(cells[0]):
            rows = [place[number] for number in numbers if number in place]
            for row in rows:
                cells[row][column] = cells[rows[0]][column]


def _header(rows: list[tuple[int, tuple[Any, ...]]]) -> int:
    """Place of the row that names the columns: the first that is no title."""
    filled = (sum(cell.value is not None for cell in row) for _, row in rows)
    return next((place for place, number in enumerate(filled) if number > 1), 0)


def _plain(cell: Any) -> object:
    """Return the value of a cell; a whole number has no point, a day no midnight."""
    value: object = cell.value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, datetime) and value.time() == time():
        return value.date()
    return value.isoformat() if isinstance(value, time) else value


def _choose_part(
    parts: Mapping[str, Sequence[str]],
    source: str,
    what: str,
    option: str,
    given: str | None,
) -> tuple[str, tuple[str, ...]]:
    """Choose the table that was named, or the one that can be one of answers."""
    if given is not None:
        if given not in parts:
            raise ColumnError(f"{source}: {not_among(what, given, parts)}")
        return given, ()
    filled = {name: columns for name, columns in parts.items() if columns}
    if not filled:
        raise SourceError(f"{source}: every {what} is empty; export the file again")
    whole = {name: columns for name, columns in filled.items() if len(columns) > 2}
    grades = {name: _grade(list(columns)) for name, columns in filled.items()}
    if len(whole) == 1:
        grades = dict.fromkeys(filled, 0) | dict.fromkeys(whole, _BOTH)
    best = [name for name in filled if grades[name] == max(grades.values())]
    if len(best) > 1 or (len(filled) > 1 and grades[best[0]] < _BOTH):
        listed = "; ".join(
            f"{name!r} ({', '.join(columns[:6])}{', ...' * (len(columns) > 6)})"
            for name, columns in list(filled.items())[:12]
        )
        raise ColumnError(
            f"{source}: there are several {what}s that may hold the answers: {listed}; "
            f'name one (`{option}="{best[0]}"`)'
        )
    if len(filled) == 1:
        return best[0], ()
    others = ", ".join(repr(name) for name in filled if name != best[0])
    which = f"The answers of {source} are those of the {what} {best[0]!r}"
    return best[0], (f"{which}; not read: {others}.",)


def _grade(names: list[str]) -> int:
    """Grade columns: an annotator says most, then an item and a label."""
    return sum(
        points * bool(usual(names, role) or any(is_likely(n, role) for n in names))
        for role, points in (("annotator", 4), ("item", 2), ("label", 1))
    )
