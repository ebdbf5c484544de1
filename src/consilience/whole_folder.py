"""A folder, or a file, that is written whole or not at all.

What is written goes into a hidden folder beside the place, and from there into place by
a rename: that is one step, so whoever looks sees all of it or none. What was there
before is removed after that. Whatever stops the writing, a full disk or an interrupt,
removes what is hidden and puts back what was there.

A kill that no program can answer leaves the hidden folder behind. The next program that
writes to the same place removes it, or takes what was there before from it if the
place is empty. The hidden folder is locked as long as the process that made it lives,
so that no other takes it for such a leftover.
"""

import errno
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from consilience.errors import CannotWriteError, FolderExistsError

_PROBE = bytes(2**16)
# What a full disk, a quota and a limit of size say.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


type Replaceable = str | Callable[[Path], bool] | None


@contextmanager
def whole_folder(folder: Path, *, replaceable: Replaceable = None) -> Iterator[Path]:
    """Give a folder to write into that takes its place when all has gone well.

    An existing folder is replaced where it holds the file `replaceable`, or where that
    says that it may be.
    """
    with refusals(folder):
        place = clean_path(folder)
        _check_free(folder, place, replaceable)
        with _hidden(place) as hidden:
            new = hidden / place.name
            new.mkdir()
            yield new
            # Another may have been quicker.
            _check_free(folder, place, replaceable)
            if place.exists():
                place.rename(_backup(hidden, place))
            try:
                new.rename(place)
            except OSError:
                if new.is_dir() and place.exists():
                    raise FolderExistsError(_taken_message(folder)) from None
                raise


@contextmanager
def whole_file(path: Path, *, overwrite: bool = True) -> Iterator[Path]:
    """Give a file to write that takes its place when all has gone well."""
    with refusals(path):
        place = clean_path(path)
        if not overwrite:
            _check_free(path, place, None)
        with _hidden(place) as hidden:
            new = hidden / place.name
            yield new
            if not overwrite:
                _check_free(path, place, None)
            new.replace(place)


@contextmanager
def whole_files(folder: Path) -> Iterator[Path]:
    """Give a folder for files that join or replace others when all are written."""
    with refusals(folder):
        place = clean_path(folder / folder.name)
        with _hidden(place) as hidden:
            yield hidden
            for file in sorted(hidden.iterdir()):
                file.replace(place.with_name(file.name))


@contextmanager
def refusals(path: Path) -> Iterator[None]:
    """Turn what the disk refuses into a sentence."""
    try:
        yield
    except BrokenPipeError:
        raise  # of the screen, not of the disk
    except (OSError, CannotWriteError) as error:
        # What is written inside of another is named by what the caller asked for.
        cause = error if isinstance(error, OSError) else error.__cause__
        if not isinstance(cause, OSError):
            raise
        raise CannotWriteError(_refusal_message(path, cause)) from cause


def check_writable(path: Path) -> None:
    """Refuse a place that cannot be written to, before any work is done."""
    with refusals(path), _hidden(clean_path(path)) as hidden:
        (hidden / "probe").write_bytes(_PROBE)


def clean_path(path: Path) -> Path:
    """Return the full path of a place, rid of what killed processes left beside it."""
    # Without the full path, "." has no name and no place beside it; and of a link it is
    # what it leads to that is replaced, not the link.
    try:
        place = path.expanduser().resolve()
    except (RuntimeError, ValueError) as error:
        raise CannotWriteError(
            f"{path}: no path of this system ({error}); choose another place"
        ) from None
    _tidy(place.parent, re.escape(place.name))
    return place


def tidy(folder: Path) -> None:
    """Rid a folder of what killed processes left beside any place in it."""
    _tidy(folder, ".+")


def _tidy(folder: Path, names: str) -> None:
    left = re.compile(rf"\.({names})\.[0-9a-f]{{8}}\.(partial|former)")
    with suppress(OSError):
        for hidden in list(folder.iterdir()):
            match = left.fullmatch(hidden.name)
            with ExitStack() as lock:
                if match and _lock(hidden, lock, wait=False):
                    _clear(hidden, folder / match[1])


@contextmanager
def _hidden(place: Path) -> Iterator[Path]:
    """Give a hidden folder beside a place; afterwards it is gone."""
    hidden = place.with_name(f".{place.name}.{secrets.token_hex(4)}.partial")
    absent = [folder for folder in place.parents if not folder.exists()]
    with ExitStack() as lock:
        try:
            # Before it is locked, another may take it for a leftover: then once more.
            while not hidden.exists():
                hidden.mkdir(parents=True)
                _lock(hidden, lock, wait=True)
            yield hidden
        finally:
            _clear(hidden, place)
            with suppress(OSError):  # raised by the first that is not empty
                for folder in absent:
                    folder.rmdir()


def _lock(folder: Path, lock: ExitStack, *, wait: bool) -> bool:
    """Hold a folder until the stack is left or the process ends; say if it is held."""
    try:
        import fcntl  # noqa: PLC0415 (not on every system)

        handle = os.open(folder, os.O_RDONLY)
        lock.callback(os.close, handle)
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except (ImportError, OSError):
        return False  # held by a process that lives, or nobody can know
    return True


def _clear(hidden: Path, place: Path) -> None:
    """Put back what was there before if the place is empty, and remove the rest."""
    try:
        _clear_once(hidden, place)
    finally:  # again, where an interrupt has stopped it
        _clear_once(hidden, place)


def _clear_once(hidden: Path, place: Path) -> None:
    former = hidden if hidden.suffix == ".former" else _backup(hidden, place)
    with suppress(OSError):
        if former.exists() and not place.exists():
            former.rename(place)
    shutil.rmtree(hidden, ignore_errors=True)
    with suppress(OSError):
        hidden.unlink()


def _backup(hidden: Path, place: Path) -> Path:
    return hidden / f"{place.name}.former"


def _check_free(folder: Path, place: Path, replaceable: Replaceable) -> None:
    if not place.exists():
        return
    if replaceable is None:
        raise FolderExistsError(_taken_message(folder))
    marked = isinstance(replaceable, str) and (place / replaceable).is_file()
    if not (marked or (callable(replaceable) and replaceable(place))):
        raise FolderExistsError(
            f"{folder}: already exists and was not written by this program, so it is "
            "not replaced; choose another name or remove it first"
        )


def _taken_message(path: Path) -> str:
    return f"{path}: already exists; choose another name or remove it first"


def _refusal_message(path: Path, error: OSError) -> str:
    why = os.strerror(error.errno) if error.errno else str(error)
    room = "free some space or " if error.errno in FULL else ""
    return f"{path}: cannot be written ({why}); {room}choose another place"
