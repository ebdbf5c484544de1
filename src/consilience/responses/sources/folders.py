"""Folders and archives of exports, taken as the files inside.

Some tools deliver a file for each annotator or batch, in a folder or an archive. A
folder that is a format of its own is left as it is.
"""

import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from consilience.errors import NoResponsesError, UnreadableFileError
from consilience.responses.sources.library_errors import readable
from consilience.responses.sources.load import TABLE_SUFFIXES, Source
from consilience.responses.sources.opened import PACKED, Unpacked

SUFFIXES = (*TABLE_SUFFIXES, *PACKED, ".xml", ".manifest")
_MOST_FILES = 100_000
_MOST_BYTES = 1 << 34  # unpacked
_MOST_TIMES = 1_000  # as large as packed; more is no export
_FREE = 1 << 24  # bytes that any archive may unpack to
_BLOCK = 1 << 20


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
                _unpack(source, inside)
                files += [
                    Unpacked(path, f"{source}/{path.relative_to(inside)}")
                    for path in _files(inside)
                    if isinstance(path, Path)
                ]
            else:
                files += _files(source)
        yield files


def _is_archive(path: Path) -> bool:
    return path.suffix.lower() == ".zip" and path.is_file()


def _files(source: Source) -> list[Source]:
    if not isinstance(source, Path) or not source.is_dir():
        return [source]
    inside = sorted(
        path
        for path in source.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and path.is_file()
        and not any(p.startswith((".", "__")) for p in path.relative_to(source).parts)
    )
    return [*inside] or [source]


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack the files that may hold answers, no more than an export may hold."""
    with readable(str(archive)), zipfile.ZipFile(archive) as packed:
        members = [
            each
            for each in packed.infolist()
            if PurePosixPath(each.filename).suffix.lower() in SUFFIXES
            and not each.is_dir()
        ]
        if not members:
            msg = f"{archive}: the archive holds no file that can be read"
            raise NoResponsesError(msg)
        size = sum(each.file_size for each in members)
        most = max(_MOST_TIMES * archive.stat().st_size, _FREE)
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
                shutil.copyfileobj(source, file, _BLOCK)


def _safe(name: str) -> Path:
    """Return a name of an archive without what leads out of a folder."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return Path(*[p.replace(":", "_") for p in parts if p not in {"..", "/", "."}])
