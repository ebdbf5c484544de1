"""Compiled programs are dropped before the system has no room to map more of them.

Every compiled program maps memory in some thirty places, and Linux lets a process map
65,530; past that, compiling fails and the process aborts, however much memory is free.
Data sets of different sizes compile programs of their own, so a loop over some eighty
of them would get there. What is dropped is compiled again where it is needed again.
"""

from pathlib import Path

import jax

MAPS = Path("/proc/self/maps")
LIMIT = Path("/proc/sys/vm/max_map_count")
# Of the places that there are: one call compiles a few thousand places at most, and
# the programs that fill so many take up some hundreds of megabytes.
SHARE = 0.2
MOST_PROGRAMS = 500  # where the system does not count places
_COMPILED = "/jax/core/compile/backend_compile_duration"

_since = 0


def _count(event: str, duration_secs: float, **kwargs: str | int) -> None:
    global _since  # noqa: PLW0603 (JAX reports to a function)
    del duration_secs, kwargs
    _since += event == _COMPILED


jax.monitoring.register_event_duration_secs_listener(_count)


def drop_programs() -> bool:
    """Drop all compiled programs if they are many; return whether they were.

    Called between fits; it costs some milliseconds.
    """
    global _since  # noqa: PLW0603
    if not _many():
        return False
    jax.clear_caches()  # type: ignore[no-untyped-call]
    _since = 0
    return True


def _many() -> bool:
    try:
        limit = int(LIMIT.read_text())
        places = MAPS.read_bytes().count(b"\n")
    except OSError:  # no such files: not Linux
        return _since > MOST_PROGRAMS
    return places > SHARE * limit
