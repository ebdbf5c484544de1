"""A folder, or a file, that is written whole or not at all.

What is written goes under a hidden name beside the place, which is then renamed: a
rename is one step, so whoever looks sees all of it or none. Whatever stops the writing,
an error or Ctrl-C, removes what is hidden. A kill that no program can answer leaves
that behind, never a part of the folder or file itself.
"""

import contextlib
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from consilience.errors import CannotWriteError, FolderExistsError


@contextlib.contextmanager
def whole_folder(
    folder: Path, *, replaceable: Callable[[Path], bool] | None = None
) -> Iterator[Path]:
    """Give a folder to write into that takes its place when all has gone well.

    Parameters
    ----------
    folder
        Where the folder shall stand. Folders above it are made.
    replaceable
        Says of a folder that is there already whether it may be replaced; without it
        none may.

    Yields
    ------
    The hidden folder to write into.

    Raises
    ------
    FolderExistsError
        When the place is taken and may not be replaced.
    CannotWriteError
        When the disk refuses.
    """
    # Without the full path, "." has no name and no place beside it; and of a link it is
    # what it leads to that is replaced, not the link.
    place = folder.expanduser().resolve()
    occupied = place.exists()
    if occupied and (replaceable is None or not replaceable(place)):
        raise FolderExistsError(_taken(folder, may_replace=replaceable is not None))
    mark = secrets.token_hex(4)
    partial = place.with_name(f".{place.name}.{mark}.partial")
    former = place.with_name(f".{place.name}.{mark}.former")
    try:
        partial.mkdir(parents=True)
        yield partial
        if occupied:
            place.rename(former)
        partial.rename(place)
    except OSError as error:
        raise CannotWriteError(_refused(folder, error)) from error
    finally:
        # Only after a failure are the first two still there to be put right.
        if former.exists() and not place.exists():
            former.rename(place)
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(former, ignore_errors=True)


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a file to write that takes its place when all has gone well.

    Parameters
    ----------
    path
        Where the file shall stand. What is there is replaced; folders above it are
        made.

    Yields
    ------
    The hidden file to write.

    Raises
    ------
    CannotWriteError
        When the disk refuses.
    """
    place = path.expanduser().resolve()
    partial = place.with_name(f".{place.name}.{secrets.token_hex(4)}.partial")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(place)
    except OSError as error:
        raise CannotWriteError(_refused(path, error)) from error
    finally:
        partial.unlink(missing_ok=True)


def _refused(path: Path, error: OSError) -> str:
    return (
        f"{path}: cannot be written ({error.strerror or error}); free some space or "
        "choose another place"
    )


def _taken(folder: Path, *, may_replace: bool) -> str:
    if not may_replace:
        return f"{folder}: is there already; choose another name or remove it first"
    return (
        f"{folder}: is there already and this program did not write it, so it is not "
        "replaced; choose another name or remove it first"
    )
