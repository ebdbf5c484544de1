"""Compiled programs: kept on disk between processes, and dropped before they are many.

**Kept.** What JAX compiles takes seconds, and another study of a size wants the same
again; so it is kept in the user's cache folder, where a process that begins later finds
it. What a user has set of JAX's own cache stays as it was set: another folder
(`JAX_COMPILATION_CACHE_DIR`), or none (`JAX_ENABLE_COMPILATION_CACHE=false`).
`CONSILIENCE_KEEP_PROGRAMS=0` leaves JAX as it is.

**Dropped.** Every compiled program maps memory in some thirty places, and Linux lets a
process map 65,530; past that, compiling fails and the process aborts, however much
memory is free. Data sets of different sizes compile programs of their own, so a loop
over some eighty of them would get there. What is dropped is compiled again where it is
needed again.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import RLock

import jax
from platformdirs import user_cache_path

from consilience.errors import ConsilienceWarning

KEEP = "CONSILIENCE_KEEP_PROGRAMS"  # environment variable: 0 keeps none on disk
MAX_BYTES = 2**29  # of programs on disk: those of a fit of `auto` are some megabytes
# Many small functions are compiled, each in less than the second from which JAX would
# keep them, all together in many seconds. By setting: JAX's default, and ours.
SMALL = {
    "jax_persistent_cache_min_compile_time_secs": (1.0, 0.0),
    "jax_persistent_cache_min_entry_size_bytes": (0, -1),
}

MAPS = Path("/proc/self/maps")
LIMIT = Path("/proc/sys/vm/max_map_count")
# Of the places that there are: one call compiles a few thousand places at most, and
# the programs that fill so many take up some hundreds of megabytes.
SHARE = 0.2
MAX_PROGRAMS = 500  # where the system does not count places
_COMPILED = "/jax/core/compile/backend_compile_duration"

_num_compiled = 0


def _count(event: str, duration_secs: float, **kwargs: str | int) -> None:
    global _num_compiled  # noqa: PLW0603 (JAX reports to a function)
    del duration_secs, kwargs
    _num_compiled += event == _COMPILED


_ALONE = RLock()


@contextmanager
def double_precision() -> Iterator[None]:
    """Run programs in double precision, by one thread at a time.

    NumPyro keeps one stack of handlers for all threads of a process.
    """
    with _ALONE, jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
        yield


jax.monitoring.register_event_duration_secs_listener(_count)


def drop_programs() -> bool:
    """Drop all compiled programs if they are many; return whether they were.

    Called between fits; it costs some milliseconds.
    """
    global _num_compiled  # noqa: PLW0603
    if not _many():
        return False
    jax.clear_caches()  # type: ignore[no-untyped-call]
    _num_compiled = 0
    return True


def _many() -> bool:
    try:
        limit = int(LIMIT.read_text())
        places = MAPS.read_bytes().count(b"\n")
    except OSError:  # no such files: not Linux
        return _num_compiled > MAX_PROGRAMS
    return places > SHARE * limit


@cache
def keep_programs() -> None:
    """Let JAX keep what it compiles on disk, unless the user has said otherwise.

    Called whenever something is laid out for JAX; only the first time does anything.
    Where the folder cannot be written to, a warning says so and nothing is kept.
    """
    if os.environ.get(KEEP, "1").lower() in {"0", "false", "no", "off"}:
        return
    if not jax.config.jax_enable_compilation_cache:
        return
    if jax.config.jax_compilation_cache_dir is None:
        folder = user_cache_path("consilience", appauthor=False) / "jax"
        if not _usable(folder):
            msg = (
                f"{folder}: compiled programs cannot be kept there, so every process "
                "compiles again; name another folder (JAX_COMPILATION_CACHE_DIR), or "
                f"set {KEEP}=0"
            )
            warnings.warn(msg, ConsilienceWarning, stacklevel=2)
            return
        prune(folder, MAX_BYTES)
        jax.config.update("jax_compilation_cache_dir", str(folder))  # type: ignore[no-untyped-call]
    for name, (default, ours) in SMALL.items():
        if getattr(jax.config, name) == default and name.upper() not in os.environ:
            jax.config.update(name, ours)  # type: ignore[no-untyped-call]


def _usable(folder: Path) -> bool:
    """Return whether files can be written to a folder, which is made if need be."""
    if not folder.is_absolute():  # the user has no home
        return False
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.R_OK | os.W_OK | os.X_OK)


def prune(folder: Path, max_bytes: int) -> None:
    """Remove the files longest unused until all take up three fourths of the most.

    Nothing is removed where they take up less. Another process may read there, or
    remove the same: what is gone is compiled again.
    """
    files = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                status = entry.stat()
                files.append(
                    (max(status.st_atime, status.st_mtime), status.st_size, entry)
                )
    total = sum(size for _, size, _ in files)
    if total <= max_bytes:
        return
    for _, size, entry in sorted(files, key=lambda file: file[0]):
        if total <= 3 * max_bytes // 4:
            return
        with suppress(OSError):
            Path(entry).unlink()
            total -= size
