"""Take a figure in a process of its own, and in turn with its peers.

Peak memory of a process is the most it ever held, so two fits in one process cannot be
told apart; and what one leaves behind (caches, compiled programs) helps or hinders the
next. So each figure is a function of a module of this folder, called by name in a fresh
interpreter. The parent imports nothing heavy: a child's peak starts at its parent's.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parent.parent

type Figures = dict[str, Any]
type Call = tuple[str, str, Mapping[str, Any]]  # module, function, arguments


class Clock:
    """Seconds on the wall and of the processors, and memory held before and at most."""

    def __init__(self) -> None:
        self.figures: Figures = {}

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Measure the block."""
        self.figures["before_mib"] = peak_mib()
        wall, processor = time.perf_counter(), time.process_time()
        yield
        self.figures["seconds"] = time.perf_counter() - wall
        self.figures["cpu_seconds"] = time.process_time() - processor
        self.figures["peak_mib"] = peak_mib()


def peak_mib() -> float:
    """Return the most memory this process has held, in MiB."""
    import resource

    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def alone(
    call: Call,
    environment: Mapping[str, str] | None = None,
    limit: float | None = None,
) -> Figures:
    """Call a function of this folder in a fresh interpreter; return what it returns.

    `process_seconds` is added: all of the process, from its start to its end. With a
    limit of seconds, a process that takes longer gives `limit` alone, and one that
    fails gives `failed`, the last line it said.
    """
    module, function, arguments = call
    program = (
        "import json, sys, importlib; "
        "module, function, arguments, out = sys.argv[1:]; "
        "value = getattr(importlib.import_module(module), function)"
        "(**json.loads(arguments)); "
        "open(out, 'w').write(json.dumps(value))"
    )
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "figures.json")
        command = [sys.executable, "-c", program, module, function]
        started = time.perf_counter()
        try:
            subprocess.run(
                [*command, json.dumps(dict(arguments)), str(out)],
                check=True,
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                stdout=subprocess.DEVNULL,
                stderr=None if limit is None else subprocess.PIPE,
                timeout=limit,
            )
        except subprocess.TimeoutExpired:
            return {"limit": limit}
        except subprocess.CalledProcessError as error:
            if limit is None:
                raise
            lines = error.stderr.decode(errors="replace").strip().splitlines()
            return {"failed": (lines or [f"exit code {error.returncode}"])[-1][:200]}
        seconds = time.perf_counter() - started
        figures: Figures = json.loads(out.read_text())
    return {**figures, "process_seconds": seconds}


def command(
    arguments: Sequence[str], environment: Mapping[str, str] | None = None
) -> Figures:
    """Run a command as a whole process: seconds, CPU seconds, peak memory.

    Raises
    ------
    RuntimeError
        It failed.
    """
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        process = subprocess.Popen(
            arguments,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            text = said.read().decode(errors="replace")[-2000:]
            msg = f"{' '.join(arguments)} ended with {process.returncode}: {text}"
            raise RuntimeError(msg)
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return {
        "seconds": seconds,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "peak_mib": used.ru_maxrss / unit,
    }


def in_turn[Name](
    calls: Mapping[Name, Callable[[], Figures]], repeats: int
) -> dict[Name, Figures]:
    """Call each in turn, A B A B; return the median of every figure, by name."""
    taken: dict[Name, list[Figures]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            taken[name].append(call())
    return {name: _medians(several) for name, several in taken.items()}


def _medians(several: Sequence[Figures]) -> Figures:
    last = several[-1]
    return {
        name: median(each[name] for each in several) if _is_number(value) else value
        for name, value in last.items()
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
