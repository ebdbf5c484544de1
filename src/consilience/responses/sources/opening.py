"""Sources as they come: patterns, folders, archives, packed files, standard input.

Each is put where every reader finds it, under a name that says what it is; messages go
on naming what the caller gave. What a file is shows from its first bytes where its name
does not say it. Packed files are unpacked onto the disk, and only as far as a table of
answers may reach. A folder that is a format of its own is left as it is.
"""

import bz2
import gzip
import hashlib
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

from consilience.errors import NoResponsesError, UnreadableFileError
from consilience.responses.sources.frames import Frame, Source
from consilience.responses.sources.library_errors import readable

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
    ".zip": "zip",
}
TABLES = tuple(suffix for suffix in KINDS if suffix not in {".xml", ".zip"})
_PACKED = {".gz": "gzip", ".gzip": "gzip", ".bz2": "bz2", ".zst": "zstd"}
_PACKED |= {".zstd": "zstd"}
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
_MOST_FILES = 100_000
_MOST_BYTES = 1 << 34  # of an archive, unpacked
_MOST_TIMES = 1_000  # as large as packed; more is no export
_FREE_ARCHIVE = 1 << 24  # bytes that any archive may unpack to
_FREE = 1 << 28  # bytes that any file may hold
_RATIO = 100  # beyond these, at most so many times those of the packed file
_PART = 1 << 22


def kind_of(path: Path) -> str:
    """Say what a file is by the ending of its name; without one, it is of text."""
    suffix = path.suffix.lower()
    return KINDS.get(suffix, "") if suffix else "text"


class Unpacked(Path):
    """A file that stands for another, which messages name."""

    def __init__(self, path: Path, shown: str) -> None:
        super().__init__(path)
        self.shown = shown

    def with_segments(self, *segments: str | PathLike[str]) -> Path:  # type: ignore[override]
        """Return a path beside this one, which is a path like any other."""
        return Path(*segments)

    def __str__(self) -> str:
        """Return what the caller gave."""
        return self.shown

    def __fspath__(self) -> str:
        """Return where the bytes are."""
        return super().__str__()


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
        files: list[Source] = []
        for number, source in enumerate(sources):
            if isinstance(source, Path) and _is_archive(source):
                inside = Path(folder) / str(number) / source.name
                _extract(source, inside)
                files += [
                    Unpacked(path, f"{source}/{path.relative_to(inside)}")
                    for path in _files(inside)
                    if isinstance(path, Path)
                ]
            else:
                files += _files(source)
        yield files


def _is_archive(path: Path) -> bool:
    return kind_of(path) == "zip" and path.is_file()


def _files(source: Source) -> list[Source]:
    if not isinstance(source, Path) or not source.is_dir():
        return [source]
    inside = sorted(
        path
        for path in source.rglob("*")
        if path.suffix.lower() in _ANSWERS
        and path.is_file()
        and not any(p.startswith((".", "__")) for p in path.relative_to(source).parts)
    )
    return [*inside] or [source]


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
            msg = f"{archive}: the archive holds no file that can be read"
            raise NoResponsesError(msg)
        size = sum(each.file_size for each in members)
        most = max(_MOST_TIMES * archive.stat().st_size, _FREE_ARCHIVE)
        if len(members) > _MOST_FILES or size > min(most, _MOST_BYTES):
            msg = (
                f"{archive}: it holds {len(members):,} files of {size:,} bytes; "
                "no export is so large; unpack it and pass the files"
            )
            raise UnreadableFileError(msg)
        for each in members:
            # `zipfile` reads no more than the size that is written there.
            to = folder / _safe(each.filename)
            to.parent.mkdir(parents=True, exist_ok=True)
            with packed.open(each) as source, to.open("wb") as file:
                shutil.copyfileobj(source, file, _PART)


def _safe(name: str) -> Path:
    """Return a name of an archive without what leads out of a folder."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return Path(*[p.replace(":", "_") for p in parts if p not in {"..", "/", "."}])


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Provide a file whose name says what it is."""
    suffix = path.suffix.lower()
    standard = str(path) == "-" and not path.exists()
    if not standard and (suffix in KINDS or not path.is_file()):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="consilience-") as folder:
        place, shown = Path(folder), STANDARD_INPUT if standard else str(path)
        if standard:
            with readable(shown):
                path = _spooled(place / "input")
        with readable(shown):
            suffix = _suffix_of(path)
            if suffix in _PACKED:
                path = _unpack(path, place / "unpacked", _PACKED[suffix], shown)
                named = Path(Path(shown).stem).suffix.lower()
                suffix = named if named in KINDS else _suffix_of(path)
        if not standard and path == Path(shown) and suffix in {"", path.suffix}:
            yield path
            return
        target = place / f"table{suffix}"
        if path.parent == place:
            path.rename(target)
        else:
            shutil.copyfile(path, target)
        yield Unpacked(target, shown)


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
        msg = f"{STANDARD_INPUT} is empty; pipe a table into the command"
        raise NoResponsesError(msg)
    return target


def _unpack(path: Path, target: Path, codec: str, shown: str) -> Path:
    most = max(_FREE, _RATIO * path.stat().st_size)
    size = 0
    with _stream(path, codec) as packed, target.open("wb") as file:
        while part := packed.read(_PART):
            size += len(part)
            if size > most:
                msg = (
                    f"{shown}: unpacked it holds more than {most / 2**20:,.0f} MiB, "
                    f"over {size // path.stat().st_size} times its size, as no table "
                    "of answers does; if it is one, unpack it and read the result"
                )
                raise UnreadableFileError(msg)
            file.write(part)
    return target


def _stream(path: Path, codec: str) -> Any:
    """Open a packed file; the streams of these libraries have no type in common."""
    if codec == "gzip":
        return gzip.open(path)
    if codec == "bz2":
        return bz2.open(path)
    return pa.CompressedInputStream(pa.OSFile(path.__fspath__()), codec)


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
