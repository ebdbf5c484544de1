"""Sources as they come: opened as files whose names say what they are, and as tables.

Patterns, folders, archives, packed files and standard input become files that every
reader finds; messages go on naming what the caller gave. What a file is shows from its
first bytes where its name does not say it. Packed files are unpacked onto the disk, and
only as far as a table of answers may reach. A folder that is a format of its own is
left as it is. Workbooks, databases and files of Arrow become tables in memory.
"""

import hashlib
import shutil
import struct
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from glob import glob
from pathlib import Path, PurePosixPath

import pyarrow as pa

from consilience.errors import OptionError, SourceError
from consilience.responses.columns.names import find, listing
from consilience.responses.options import ReadOptions
from consilience.responses.sources.arrow_columns import (
    open_parquet,
    read_arrow,
    read_arrow_file,
    read_frame,
)
from consilience.responses.sources.csv_file import read_csv
from consilience.responses.sources.frames import (
    File,
    Frame,
    Source,
    check_size,
    readable,
)
from consilience.responses.sources.json_file import read_records, records_table
from consilience.responses.sources.nested import nested_records, singular
from consilience.responses.text import TextTable, stack

KINDS = {
    **dict.fromkeys((".csv", ".tsv", ".txt", ".tab", ".dat"), "text"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".jsonl", ".ndjson"), "lines"),
    ".json": "json",
    **dict.fromkeys((".feather", ".arrow", ".arrows", ".ipc"), "arrow"),
    **dict.fromkeys((".xlsx", ".xlsm"), "workbook"),
    **dict.fromkeys((".sqlite", ".sqlite3", ".db3"), "sqlite"),
    **dict.fromkeys((".duckdb", ".ddb"), "duckdb"),
    ".xml": "xml",
    **dict.fromkeys((".zip", ".eval"), "zip"),
}
SHARDS = "shards.toml"  # is in each folder of shards
_PACKED = {".gz": "gzip", ".gzip": "gzip", ".bz2": "bz2", ".zst": "zstd"}
_PACKED |= {".zstd": "zstd"}
_ZSTD = 93  # number of the method in archives
_ANSWERS = {*KINDS, *_PACKED, ".manifest"} - {".zip"}
_MAGIC = {
    b"PAR1": ".parquet",
    b"ARROW1": ".arrow",
    b"\xff\xff\xff\xff": ".arrows",
    b"SQLite format 3\0": ".sqlite",
    b"\x1f\x8b": ".gz",
    b"\x28\xb5\x2f\xfd": ".zst",
    b"BZh": ".bz2",
}
STANDARD_INPUT = "standard input"
_PART = 1 << 22


def kind_of(source: Source) -> str:
    """Say what a source is; a file by the ending of its name, of text without one."""
    if isinstance(source, Frame):
        return "frame"
    suffix = source.suffix.lower()
    return KINDS.get(suffix, "") if suffix else "text"


# Files


def existing(given: Sequence[str | Path | Frame]) -> list[Source]:
    """Return the sources that are given, which are there."""
    sources = [path for each in given for path in _matching(each)]
    if not sources:
        raise OptionError("no source was given; name a file, a folder or a data frame")
    for path in sources:
        if isinstance(path, Path) and not path.exists() and str(path) != "-":
            raise SourceError(
                f"{path}: there is no such file or folder; check the path"
            )
    return sources


def _matching(source: str | Path | Frame) -> list[Source]:
    """Return the files that a pattern such as ``exports/*.json`` fits; else a path."""
    if isinstance(source, Frame):
        return [source]
    path = Path(source)
    if path.exists() or not set(str(source)) & set("*?["):
        return [path]
    matches = sorted(glob(str(source), recursive=True))  # noqa: PTH207
    return [Path(match) for match in matches] or [path]


@contextmanager
def unfolded(
    sources: Sequence[Source], is_format: Callable[[Path], bool]
) -> Iterator[list[Source]]:
    """Give the files of folders and archives, as long as they are needed."""
    first = next(iter(sources), None)
    if isinstance(first, Path) and first.is_dir() and is_format(first):
        yield list(sources)
        return
    with tempfile.TemporaryDirectory(prefix="consilience-") as folder:
        yield [
            file
            for number, source in enumerate(sources)
            for file in _unfold(source, Path(folder) / str(number))
        ]


def _unfold(source: Source, folder: Path) -> Iterator[Source]:
    """Give the files of a source; those of archives lie in a folder."""
    for number, path in enumerate(_files(source)):
        if isinstance(path, Path) and kind_of(path) == "zip" and path.is_file():
            inside = folder / str(number) / path.name
            _extract(path, inside)
            for each in _unfold(inside, folder / f"{number} inside"):
                if isinstance(each, Path):
                    yield File(each, f"{path}{str(each).removeprefix(str(inside))}")
        else:
            yield path


def _files(source: Source) -> Sequence[Source]:
    """Return the files of a folder that may hold answers; other sources as they are."""
    if not isinstance(source, Path) or not source.is_dir():
        return [source]
    if (source / SHARDS).is_file():
        raise SourceError(
            f"{source}: a folder of shards, which are fitted without being read "
            "(`shards.fit`, or the command fit); name it there, or the original files "
            "here"
        )
    inside = [path for path in source.rglob("*") if path.suffix.lower() in _ANSWERS]
    shown = (
        path
        for path in sorted(inside)
        if not any(p.startswith((".", "__")) for p in path.relative_to(source).parts)
    )
    return [path for path in shown if path.is_file()] or [source]


def _extract(archive: Path, folder: Path) -> None:
    """Unpack the files that may hold answers, no more than an export may hold."""
    with readable(str(archive)), zipfile.ZipFile(archive) as packed:
        members = [
            each
            for each in packed.infolist()
            if PurePosixPath(each.filename).suffix.lower() in _ANSWERS
            and not each.is_dir()
        ]
        if not members:
            raise SourceError(f"{archive}: the archive holds no file that can be read")
        check_size(archive, sum(each.file_size for each in members), str(archive))
        # `zipfile` leads no name out of the folder, and reads no more than the size
        # that is written there.
        for each in members:
            if each.compress_type == _ZSTD:
                _extract_zstd(archive, each, folder)
            else:
                packed.extract(each, folder)


def _extract_zstd(archive: Path, member: zipfile.ZipInfo, folder: Path) -> None:
    """Unpack a file as `zipfile` does from Python 3.14 on."""
    parts = PurePosixPath(member.filename).parts
    target = folder.joinpath(*(part for part in parts if part not in {"/", ".", ".."}))
    with archive.open("rb") as file:
        file.seek(member.header_offset + 26)  # of the lengths of name and extra field
        file.seek(sum(struct.unpack("<HH", file.read(4))), 1)
        packed = pa.BufferReader(file.read(member.compress_size))
    target.parent.mkdir(parents=True, exist_ok=True)
    with pa.CompressedInputStream(packed, "zstd") as content:
        target.write_bytes(content.read(member.file_size))


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Provide a file whose name says what it is."""
    standard = str(path) == "-" and not path.exists()
    if not standard and (path.suffix.lower() in KINDS or not path.is_file()):
        yield path
        return
    shown = STANDARD_INPUT if standard else str(path)
    with tempfile.TemporaryDirectory(prefix="consilience-") as folder:
        place = Path(folder)
        with readable(shown):
            file = _spooled(place / "input") if standard else path
            suffix = _suffix_of(file)
            if suffix in _PACKED:
                file = _unpack(file, place / "unpacked", _PACKED[suffix], shown)
                named = Path(Path(shown).stem).suffix.lower()
                suffix = named if named in KINDS else _suffix_of(file)
        if file == path and suffix in {"", path.suffix}:
            yield path
            return
        target = place / f"table{suffix}"
        if file == path:
            shutil.copyfile(path, target)
        else:
            file.rename(target)
        yield File(target, shown)


def _suffix_of(path: Path) -> str:
    """Return the suffix that a file's first bytes call for."""
    with path.open("rb") as file:
        start = file.read(1 << 16)
    if path.suffix.lower() in _PACKED:
        return path.suffix.lower()
    for magic, suffix in _MAGIC.items():
        if start.startswith(magic):
            return suffix
    if start[8:12] == b"DUCK":
        return ".duckdb"
    if start.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(path) as archive:
            return ".xlsx" if "xl/workbook.xml" in archive.namelist() else ".zip"
    binary = b"\0" in start and start[:2] not in {b"\xff\xfe", b"\xfe\xff"}
    return path.suffix.lower() if binary else _suffix_of_text(start)


def _suffix_of_text(start: bytes) -> str:
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] != b"{":
        return {b"<": ".xml", b"[": ".json"}.get(text[:1], ".csv")
    first, _, rest = text.partition(b"\n")
    whole = first.rstrip()[-1:] == b"}" and rest.lstrip()[:1] in {b"", b"{"}
    return ".jsonl" if whole else ".json"


def _spooled(target: Path) -> Path:
    """Write standard input to a file."""
    with target.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file, _PART)
    if not target.stat().st_size:
        raise SourceError(f"{STANDARD_INPUT} is empty; pipe a table into the command")
    return target


def _unpack(path: Path, target: Path, codec: str, shown: str) -> Path:
    size, source = 0, pa.OSFile(path.__fspath__())
    with pa.CompressedInputStream(source, codec) as packed, target.open("wb") as file:
        while part := packed.read(_PART):
            size += len(part)
            check_size(path, size, shown)
            file.write(part)
    return target


# Tables


@contextmanager
def opened(source: Source, options: ReadOptions) -> Iterator[Source]:
    """Provide a source as readers take it: a table in memory, or a file by its name."""
    if isinstance(source, Frame):
        yield source
        return
    with unpacked(source) as path:
        yield _in_memory(path, options)


def _in_memory(path: Path, options: ReadOptions) -> Source:
    """Return the table of a file that is read whole; others as they are."""
    kind = "folder" if path.is_dir() else kind_of(path)
    if kind in {"text", "lines", "json"} and path.is_file():
        return path if isinstance(path, File) else File(path)
    if kind not in {"folder", "parquet", "arrow", "workbook", "sqlite", "duckdb"}:
        return path
    # What a kind of file needs is loaded where there is one.
    from consilience.responses.sources import database, hugging_face  # noqa: PLC0415

    if kind == "folder":
        is_one = hugging_face.is_data_set(path)
        return hugging_face.read_data_set(path) if is_one else path
    if kind in {"arrow", "parquet"}:
        is_arrow = kind == "arrow"
        frame = Frame(data=read_arrow_file(path)) if is_arrow else open_parquet(path)
        return hugging_face.with_recorded_names(frame, path)
    read = {
        "workbook": database.read_workbook,
        "sqlite": database.read_sqlite,
        "duckdb": database.read_duckdb,
    }
    return read[kind](path, options)


def load_table(
    source: Source, options: ReadOptions, *, unnested: bool = False
) -> TextTable:
    """Load a table in memory, or a file of one."""
    if isinstance(source, Path) and not source.exists() and str(source) != "-":
        raise SourceError(f"{source}: there is no such file; check the path")
    with opened(source, options) as table:
        loaded = _load(table, options, unnested=unnested)
        if isinstance(table, File):
            table.content = None
        return loaded


def _load(source: Source, options: ReadOptions, *, unnested: bool) -> TextTable:
    if isinstance(source, Frame):
        return _of_frame(source, options, unnested=unnested)
    kind = kind_of(source)
    if kind == "text":
        return read_csv(source, options)
    if kind in {"lines", "json"}:
        records, lines = read_records(source, lines=kind == "lines")
        word = "line" if kind == "lines" else "record"
        return records_table(
            records, str(source), options, word=word, lines=lines, unnested=unnested
        )
    tables = ", ".join(each for each in KINDS if KINDS[each] not in {"xml", "zip"})
    raise SourceError(
        f"{source}: a file named *{source.suffix.lower()} is not a table that can be "
        f"read; expected one of {tables}"
    )


def _of_frame(frame: Frame, options: ReadOptions, *, unnested: bool) -> TextTable:
    if frame.table is not None:
        return frame.table
    data = frame.data
    if isinstance(data, list):
        return records_table(data, frame.name, options, unnested=unnested)
    records = nested_records(data, options.columns) if unnested else None
    if records is None:
        read = read_arrow if isinstance(data, pa.Table) else read_frame
        return read(frame, options)
    table = records_table(records, frame.name, options, unnested=True)
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


def fingerprints(sources: Sequence[Source]) -> dict[str, str]:
    """SHA-256 of each file."""
    prints = {}
    for source in sources:
        path = source.file if isinstance(source, Frame) else source
        if path is None:
            continue
        files = [path]
        if isinstance(path, File) and path.digest and path.is_shown:
            prints[str(path)] = path.digest
            continue
        if isinstance(path, File):
            files = [Path(path.shown) if Path(path.shown).is_file() else path]
        elif path.is_dir():
            files = sorted(each for each in path.rglob("*") if each.is_file())
        for each in files:
            name = str(path) if len(files) == 1 else str(each)
            with each.open("rb") as file:
                prints[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return prints
