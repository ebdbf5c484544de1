"""Any tabular source as columns of text, by what it is."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from consilience.errors import SourceNotFoundError, UnknownFormatError
from consilience.responses.columns.names import find, listing
from consilience.responses.options import ReadOptions
from consilience.responses.sources.arrow_columns import read_frame, read_parquet
from consilience.responses.sources.csv_file import read_csv
from consilience.responses.sources.json_file import read_json_lines, read_json_records
from consilience.responses.tables.text_table import TextTable, stack

type Source = Path | pd.DataFrame

TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".tab", ".dat")
TABLE_SUFFIXES = (*TEXT_SUFFIXES, ".parquet", ".pq", ".jsonl", ".ndjson", ".json")


def load_table(source: Source, options: ReadOptions) -> TextTable:
    """Load a data frame or a CSV, TSV, Parquet, JSON-lines or JSON file.

    Raises
    ------
    UnknownFormatError
        If the name does not say what the file is and it is not text.
    """
    if isinstance(source, pd.DataFrame):
        return read_frame(source, options)
    if not source.exists():
        msg = f"{source}: there is no such file; check the path"
        raise SourceNotFoundError(msg)
    suffix = source.suffix.lower()
    if suffix in {".parquet", ".pq"}:
        return read_parquet(source, options)
    if suffix in {".jsonl", ".ndjson"}:
        return read_json_lines(source, options)
    if suffix == ".json":
        return read_json_records(source, options)
    if suffix in TEXT_SUFFIXES or suffix == "":
        return read_csv(source, options)
    msg = (
        f"{source}: a file named *{suffix} is not a table that can be read; expected "
        f"one of {', '.join(TABLE_SUFFIXES)}"
    )
    raise UnknownFormatError(msg)


def load_tables(sources: Sequence[Source], options: ReadOptions) -> TextTable:
    """Load several tables, one below the other, without the columns to exclude."""
    table = stack([load_table(source, options) for source in sources])
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


def fingerprints(sources: Sequence[Source]) -> dict[str, str]:
    """SHA-256 of each file."""
    prints = {}
    for source in sources:
        if isinstance(source, Path):
            with source.open("rb") as file:
                prints[str(source)] = hashlib.file_digest(file, "sha256").hexdigest()
    return prints
