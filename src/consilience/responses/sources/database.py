"""Databases of SQLite and DuckDB: a table, or what a query gives.

Both are opened for reading alone. A query can only select: it opens no other file,
installs nothing and changes nothing.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from consilience.errors import MissingExtraError, OptionError
from consilience.responses.options import ReadOptions
from consilience.responses.sources.frames import Frame
from consilience.responses.sources.library_errors import readable
from consilience.responses.sources.parts import choose_part

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
    columns = dict(enumerate(zip(*cells, strict=True) if cells else [()] * len(names)))
    data = pd.DataFrame(
        {k: pd.Series(c, dtype=object).infer_objects() for k, c in columns.items()}
    )
    return Frame(
        data=data.set_axis(names, axis=1),
        name=source,
        file=path,
        assumptions=assumptions,
    )


def read_duckdb(path: Path, options: ReadOptions) -> Frame:
    """Read a table of a DuckDB file, or what `options.query` selects."""
    try:
        import duckdb  # noqa: PLC0415 - an extra
    except ImportError:
        msg = f"{path}: needs duckdb; install it: pip install 'consilience[duckdb]'"
        raise MissingExtraError(msg) from None
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
        query, assumptions = _query(parts, source, options.query, address)
        try:
            statements = base.extract_statements(query)
            if len(statements) != 1 or statements[0].type.name != "SELECT":
                msg = "give one SELECT"
                raise duckdb.InvalidInputException(msg)
            table = base.sql(query).to_arrow_table()
        except duckdb.Error as error:
            raise _bad_query(source, query, error) from None
    return Frame(data=table, name=source, file=path, assumptions=assumptions)


def _query(
    parts: Mapping[str, list[str]],
    source: str,
    given: str | None,
    address: Mapping[str, tuple[str, ...]] | None = None,
) -> tuple[str, tuple[str, ...]]:
    """Return the query: as given, all of the table that is named, or of the answers."""
    if given is not None and given not in parts:
        return given, ()
    name, assumptions = choose_part(parts, source, "table", "query", given)
    return _all(*(address[name] if address else (name,))), assumptions


def _all(*name: str) -> str:
    quoted = ".".join('"' + part.replace('"', '""') + '"' for part in name)
    return f"select * from {quoted}"  # noqa: S608 - a name of the file itself


def _bad_query(source: str, query: str, error: Exception) -> OptionError:
    reason = str(error).splitlines()[0]
    msg = (
        f"{source}: the query {query!r} cannot be run ({reason}); give one SELECT, or "
        "the name of a table"
    )
    return OptionError(msg)
