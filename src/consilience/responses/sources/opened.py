"""Files as they come: compressed, on standard input, or without a telling name.

Each is put where every reader finds it, under a name that says what it is; messages go
on naming what the caller gave. What a file is shows from its first bytes where its name
does not say it. Compressed files are unpacked onto the disk, and only as far as a table
of answers may reach.
"""

import bz2
import gzip
import shutil
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from consilience.errors import NoResponsesError, UnreadableFileError
from consilience.responses.sources.library_errors import readable

PACKED = {".gz": "gzip", ".gzip": "gzip", ".bz2": "bz2", ".zst": "zstd"}
PACKED |= {".zstd": "zstd"}
_TELLING = frozenset(
    """
    .csv .tsv .txt .tab .dat .parquet .pq .json .jsonl .ndjson .xml .zip .feather
    .arrow .arrows .ipc .xlsx .xlsm .sqlite .sqlite3 .db3 .duckdb .ddb
    """.split()  # noqa: SIM905 - a list is longer
)
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
_FREE = 1 << 28  # bytes that any file may hold
_RATIO = 100  # beyond these, at most so many times those of the packed file


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
def unpacked(path: Path) -> Iterator[Path]:
    """Provide a file whose name says what it is."""
    suffix = path.suffix.lower()
    standard = str(path) == "-" and not path.exists()
    if not standard and (suffix in _TELLING or not path.is_file()):
        yield path
        return
    with TemporaryDirectory(prefix="consilience-") as folder:
        place, shown = Path(folder), STANDARD_INPUT if standard else str(path)
        if standard:
            with readable(shown):
                path = _spooled(place / "input")
        with readable(shown):
            suffix = kind_of(path)
            if suffix in PACKED:
                path = _unpack(path, place / "unpacked", PACKED[suffix], shown)
                named = Path(Path(shown).stem).suffix.lower()
                suffix = named if named in _TELLING else kind_of(path)
        if not standard and path == Path(shown) and suffix in {"", path.suffix}:
            yield path
            return
        target = place / f"table{suffix}"
        if path.parent == place:
            path.rename(target)
        else:
            shutil.copyfile(path, target)
        yield Unpacked(target, shown)


def kind_of(path: Path) -> str:
    """Return the suffix that a file's first bytes call for."""
    with path.open("rb") as file:
        start = file.read(1 << 16)
    if path.suffix.lower() in PACKED:
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
    return path.suffix.lower() if binary else _kind_of_text(start)


def _kind_of_text(start: bytes) -> str:
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
