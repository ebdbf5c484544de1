"""Rows of a source that is larger than memory, a batch at a time.

Files lie on a disk, or at an address that Arrow or fsspec knows (`s3://`, `gs://`,
`abfs://`, `hdfs://` and others); or the rows are those of a table or a query of DuckDB.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.fs
from pyarrow.dataset import CsvFileFormat, dataset

from consilience.errors import SourceError, UnavailableError
from consilience.responses.options import ReadOptions
from consilience.responses.sources.csv_file import assumed_encoding, find_layout
from consilience.responses.sources.database import opened_duckdb
from consilience.responses.sources.encoding import UTF8
from consilience.responses.text import check_names

BATCH = 1 << 18  # rows
HEAD = 10_000  # rows by which columns are understood
_FORMATS = {
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".arrow", ".feather", ".ipc"), "ipc"),
    ".csv": "csv",
}
_DUCKDB = (".duckdb", ".ddb")
_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+):/{1,2}(?!/)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a source: how many, the first ones, and all of them in batches."""

    number: int
    head: pa.Table
    batches: Callable[[], Iterator[pa.RecordBatch]]
    stamp: Sequence[Any]
    assumptions: tuple[str, ...] = ()


def as_address(source: str) -> str | None:
    """Return the address that a text is, also where a path took a slash, or None."""
    match = _ADDRESS.match(source)
    if match is None or len(match[1]) == 1:  # a drive
        return None
    return f"{match[1]}://{source[match.end() :]}"


@contextmanager
def opened_rows(source: str, query: str | None = None) -> Iterator[Rows]:
    """Open a source without reading it; of text files, all cells are texts."""
    if as_address(source) is None and Path(source).suffix.lower() in _DUCKDB:
        with _of_duckdb(Path(source), query) as rows:
            yield rows
        return
    try:
        yield _of_files(source)
    except (OSError, pa.ArrowInvalid) as error:
        raise SourceError(
            f"{source}: cannot be read ({error}); check the path and the format"
        ) from error


@contextmanager
def _of_duckdb(path: Path, query: str | None) -> Iterator[Rows]:
    about = pa.fs.LocalFileSystem().get_file_info(str(path.resolve()))
    with opened_duckdb(path, query) as (selected, assumptions):
        yield Rows(
            number=int(selected.aggregate("count(*)").fetchall()[0][0]),
            head=selected.limit(HEAD).to_arrow_table(),
            batches=lambda: iter(selected.to_arrow_reader(BATCH)),
            stamp=[*_of_file(about), query or ""],
            assumptions=assumptions,
        )


def _of_files(source: str) -> Rows:
    address = as_address(source)
    files, system = _at(address) if address else _on_disk(Path(source))
    suffixes = {PurePosixPath(each).suffix.lower() for each in files}
    kinds = {_FORMATS[suffix] for suffix in suffixes & set(_FORMATS)}
    if len(kinds) != 1:
        raise SourceError(
            f"{source}: expected files of one format, {', '.join(_FORMATS)}, or of "
            f"DuckDB; found {', '.join(sorted(suffixes)) or 'none'}; convert them, or "
            "name one file"
        )
    (kind,) = kinds
    named = [each for each in files if PurePosixPath(each).suffix.lower() in _FORMATS]
    assumed: list[str] = []
    if kind == "csv" and not address:
        paths = [*map(Path, named)]
        given = dataset([dataset(each, format=_of_text(each)) for each in paths])
        assumed += (line for each in paths for line in assumed_encoding(each, None))
    elif kind == "csv":
        first = dataset(named, format=kind, filesystem=system)
        form = CsvFileFormat(convert_options=_texts(first.schema.names))
        given = dataset(named, format=form, filesystem=system)
    else:
        given = dataset(named, format=kind, filesystem=system)
    about = [_of_file(each) for each in system.get_file_info(named)]
    return Rows(
        number=given.count_rows(),
        head=given.head(HEAD),
        batches=lambda: given.to_batches(batch_size=BATCH),
        stamp=about,
        assumptions=tuple(assumed),
    )


def _of_text(path: Path) -> CsvFileFormat:
    """Return how the rows of a text file are laid out."""
    layout = find_layout(path, ReadOptions())
    names = check_names(layout.names, str(path))
    return CsvFileFormat(
        parse_options=pa.csv.ParseOptions(
            delimiter=layout.separator, newlines_in_values=True
        ),
        convert_options=_texts(names),
        read_options=pa.csv.ReadOptions(
            column_names=names,
            skip_rows=layout.skip,
            encoding="utf8" if layout.encoding == UTF8 else layout.encoding,
        ),
    )


def _texts(names: Sequence[str]) -> pa.csv.ConvertOptions:
    return pa.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))


def _of_file(info: Any) -> list[Any]:
    return [info.path, info.size or 0, info.mtime_ns or 0]


def _on_disk(path: Path) -> tuple[list[str], Any]:
    files = sorted(path.glob("*")) if path.is_dir() else [path]
    return [str(each) for each in files if each.is_file()], pa.fs.LocalFileSystem()


def _at(address: str) -> tuple[list[str], Any]:
    """Return the files at an address, and the file system that has them."""
    try:
        system, path = pa.fs.FileSystem.from_uri(address)
    except pa.ArrowInvalid:  # not one of Arrow's own
        system, path = _by_fsspec(address)
    if system.get_file_info(path).type == pa.fs.FileType.Directory:
        inside = system.get_file_info(pa.fs.FileSelector(path))
        return sorted(each.path for each in inside if each.is_file), system
    return [path], system


def _by_fsspec(address: str) -> tuple[Any, str]:
    try:
        import fsspec

        system, path = fsspec.core.url_to_fs(address)
    except ImportError as error:
        raise UnavailableError(
            f"{address}: {error}; install consilience[fsspec] and its package for such "
            "addresses, or copy the files to a disk"
        ) from error
    except ValueError as error:
        raise SourceError(f"{address}: {error}; check the address") from error
    return pa.fs.PyFileSystem(pa.fs.FSSpecHandler(system)), path
