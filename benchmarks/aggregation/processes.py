"""Run a method in a process of its own, within limits of time and memory."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from benchmarks.harness import NO_CACHE, ROOT, status
from consilience import responses as room
from consilience.benchmark.datasets import DataSet
from consilience.benchmark.runs import Method

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
    arguments: Sequence[str], limits: Limits, log: Path, environment: Mapping[str, str]
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
    return status(f"/proc/{process}/status", "VmRSS") / 2**20


def free_gib() -> float | None:
    """Return the memory that is free for new programs, in GiB; None: not known."""
    kib = status("/proc/meminfo", "MemAvailable")
    return kib / 2**20 if kib else None


def in_a_process(
    limits: Limits,
) -> Callable[[DataSet, Method, int], tuple[dict[str, Any], pd.DataFrame | None]]:
    """Return what runs a method within these limits.

    Seconds are those of a first run: what a run before it has compiled must not help.
    """

    def run_alone(data, method, seed):
        with tempfile.TemporaryDirectory(prefix="consilience-benchmark-") as name:
            folder = Path(name)
            room.write(data.responses, folder / "responses")
            job = {"method": asdict(method), "seed": seed}
            (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
            path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
            ending = run(
                [sys.executable, "-m", "benchmarks.aggregation.worker", name],
                limits,
                folder / "printed",
                {**NO_CACHE, "PYTHONPATH": path},
            )
            return _outcome(folder, ending, limits)

    return run_alone


def _outcome(folder: Path, ending: Ending, limits: Limits):
    if ending.how == "timeout":
        reason = f"not done after {limits.seconds:g} s"
        return {"status": "timeout", "reason": reason, "limit": limits.seconds}, None
    if ending.how == "memory":
        reason = f"held more than {limits.gib:.3g} GiB"
        return {"status": "memory", "reason": reason}, None
    try:
        text = (folder / "outcome.json").read_text(encoding="utf-8")
        outcome = json.loads(text)
    except (OSError, ValueError):
        return _crashed(ending.code, folder / "printed"), None
    done = outcome["status"] == "done"
    return outcome, pd.read_parquet(folder / "labels.parquet") if done else None


def _crashed(code: int, log: Path) -> dict[str, Any]:
    # The kernel ends with signal 9 what has taken the last of the memory.
    if code == -9:
        return {"status": "memory", "reason": "ended by the system (signal 9)"}
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return {"status": "error", "reason": f"{how}: {last[:300]}"}
