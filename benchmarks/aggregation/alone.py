"""Run a program in a process of its own, within limits of time and memory."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

# How often the clock and the memory are looked at, in seconds.
_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Limits:
    """What a process may take.

    Attributes
    ----------
    seconds
        From its start to its end.
    gib
        Memory it may hold at once, in GiB; None: no limit. Watched on Linux alone.
    """

    seconds: float
    gib: float | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process ended.

    Attributes
    ----------
    how
        Whether it ended by itself (done), or what it ran out of.
    code
        Its exit code; negative: the signal that ended it.
    """

    how: Literal["done", "timeout", "memory"]
    code: int


def run(
    arguments: Sequence[str],
    limits: Limits,
    log: Path,
    environment: Mapping[str, str],
) -> Ending:
    """Run a program to its end or its limits.

    Whatever ends the wait (Ctrl-C too), no process is left.

    Parameters
    ----------
    arguments
        The command.
    limits
        What it may take.
    log
        File for all that it prints.
    environment
        What to add to this process's environment.
    """
    with log.open("wb") as file:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,
        )
        try:
            return _watch(process, limits)
        finally:
            _end(process)


def _watch(process: "subprocess.Popen[bytes]", limits: Limits) -> Ending:
    until = time.monotonic() + limits.seconds
    while True:
        try:
            return Ending("done", process.wait(_POLL_SECONDS))
        except subprocess.TimeoutExpired:
            pass
        if time.monotonic() > until:
            return Ending("timeout", 0)
        if limits.gib is not None and resident_gib(process.pid) > limits.gib:
            return Ending("memory", 0)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the process and those it has started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def resident_gib(process: int) -> float:
    """Return the memory that a process holds, in GiB; 0 where it cannot be known."""
    return _status(f"/proc/{process}/status", "VmRSS") / 2**20


def peak_mib() -> float:
    """Return the most memory this process has held, in MiB.

    On Linux what `getrusage` reports starts at what the parent held; the kernel's own
    account of this program does not.
    """
    kib = _status("/proc/self/status", "VmHWM")
    if kib:
        return kib / 2**10
    import resource

    unit = 2**20 if sys.platform == "darwin" else 2**10
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)


def free_gib() -> float | None:
    """Return the memory that is free for new programs, in GiB; None: not known."""
    kib = _status("/proc/meminfo", "MemAvailable")
    return kib / 2**20 if kib else None


def _status(file: str, name: str) -> int:
    with suppress(OSError):
        for line in Path(file).read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key == name:
                return int(value.split()[0])
    return 0
