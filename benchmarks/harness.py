"""Figures of processes of their own, taken in turn with their peers, as a report.

Peak memory of a process is the most it ever held, so two fits in one process cannot be
told apart; and what one leaves behind (caches, compiled programs) helps or hinders the
next. So each figure is a function of a module of this folder, called by name in a fresh
interpreter. The parent imports nothing heavy: a child's peak starts at its parent's.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parent.parent
PACKAGES = ("consilience", "jax", "numpyro", "numpy", "pandas", "scipy", "crowd-kit")
# Whatever the caller has set.
NO_CACHE = {"JAX_ENABLE_COMPILATION_CACHE": "false"}
# Of JAX: turning a traced program into XLA's terms and that into machine code.
COMPILING = (
    "/jax/core/compile/jaxpr_to_mlir_module_duration",
    "/jax/core/compile/backend_compile_duration",
)
HEADINGS = {
    "cpu_seconds": "CPU seconds",
    "peak_mib": "peak MiB",
    "limit": "stopped after s",
    "ess": "smallest bulk ESS",
    "rhat": "R-hat",
}

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

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Measure the seconds of a part of the block."""
        started = time.perf_counter()
        yield
        self.figures[f"{name}_seconds"] = time.perf_counter() - started


def peak_mib() -> float:
    """Return the most memory this process has held, in MiB.

    On Linux what `getrusage` reports starts at what the parent held; the kernel's own
    account of this program does not.
    """
    import resource

    kib = status("/proc/self/status", "VmHWM")
    if kib:
        return kib / 2**10
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)


def status(file: str, name: str) -> int:
    """Return a number of a file of the kernel; 0 where it cannot be known."""
    with suppress(OSError):
        for line in Path(file).read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key == name:
                return int(value.split()[0])
    return 0


def compiling() -> list[float]:
    """Return a list that JAX fills from now on with the seconds it compiles."""
    import jax

    seconds: list[float] = []

    def note(event: str, duration: float, **_: object) -> None:
        if event in COMPILING:
            seconds.append(duration)

    jax.monitoring.register_event_duration_secs_listener(note)
    return seconds


def alone(
    call: Call, environment: Mapping[str, str] | None = None, limit: float | None = None
) -> Figures:
    """Call a function of this folder in a fresh interpreter; return what it returns.

    `process_seconds` is added: all of the process, from its start to its end. With a
    limit of seconds, a process that takes longer gives `limit` alone, and one that
    fails gives `failed`, the last line of its output.
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
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            arguments,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            text = output.read().decode(errors="replace")[-2000:]
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


@dataclass(frozen=True, slots=True)
class Case:
    """A row of a table of measurements.

    Attributes
    ----------
    named
        The cells that say what is measured: data, program, options.
    call
        Module, function and arguments, called in a process of its own, or the words of
        a command.
    environment
        Variables of the process.
    limit
        Seconds after which it is stopped.
    peer
        Whether the other cases beside it are compared with this one.
    """

    named: Mapping[str, Any]
    call: Call | Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    limit: float | None = None
    peer: bool = False

    def figures(self) -> Figures:
        """Take the measurement once."""
        if isinstance(self.call, tuple):
            return alone(self.call, self.environment, self.limit)
        return command(self.call, self.environment)


def measured(cases: Sequence[Case], repeats: int) -> list[Figures]:
    """Return a row for each of the cases, which are taken in turn."""
    taken = in_turn({place: each.figures for place, each in enumerate(cases)}, repeats)
    peer = next((taken[place] for place, each in enumerate(cases) if each.peer), {})
    return [
        {**each.named, **_cells(taken[place]), **_ratios(taken[place], peer)}
        for place, each in enumerate(cases)
    ]


def _cells(figures: Figures) -> Figures:
    cells: Figures = {}
    for name, value in figures.items():
        if name == "peak_mib" and "before_mib" in figures:
            cells["more MiB"] = value - figures["before_mib"]
        if name not in ("before_mib", "process_seconds"):
            cells[HEADINGS.get(name, name.replace("_", " "))] = value
    return cells


def _ratios(figures: Figures, peer: Figures) -> Figures:
    if figures is peer:
        return {}
    names = {"seconds": "times faster", "cpu_seconds": "times less CPU"}
    return {
        heading: peer[name] / figures[name]
        for name, heading in names.items()
        if name in peer and name in figures
    }


def has_peer() -> bool:
    """Return whether crowd-kit is installed."""
    return find_spec("crowdkit") is not None


def public_data(*names: str, quick: bool) -> Path | None:
    """Return the folder of public data, or None where it is not to be read.

    Parameters
    ----------
    names
        Parts of it that are needed.
    quick
        Whether the run is one without figures, which reads none.
    """
    folder = Path(os.environ.get("CONSILIENCE_DATA", "data"))
    there = all((folder / name).exists() for name in names)
    return folder if there and not quick else None


def machine() -> dict[str, Any]:
    """Return what the figures were taken on, and how busy it was."""
    return {
        "when": datetime.now(UTC).isoformat(timespec="minutes"),
        "commit": _commit(),
        "python": platform.python_version(),
        "processor": _processor(),
        "cores": os.process_cpu_count() if hasattr(os, "process_cpu_count") else None,
        "load": [round(load, 1) for load in os.getloadavg()],
        "versions": {name: _version(name) for name in PACKAGES},
    }


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured.

    Attributes
    ----------
    title
        What the table shows.
    rows
        One mapping a row; a column for each key of any of them.
    notes
        How it was measured, what is counted, what to beware of.
    more
        Further tables, by their titles.
    """

    title: str
    rows: Sequence[Mapping[str, Any]]
    notes: Sequence[str]
    more: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=machine)


def not_run(title: str) -> Report:
    """Return the report of a benchmark that had no data to read."""
    return Report(title, [{"what": "not run (quick, or no CONSILIENCE_DATA)"}], ())


def markdown(report: Report) -> str:
    """Return the report as Markdown."""
    lines = [f"# {report.title}", "", *_table(report.rows)]
    for title, rows in report.more.items():
        lines += ["", f"## {title}", "", *_table(rows)]
    where = report.machine
    versions = ", ".join(
        f"{name} {number}" for name, number in where["versions"].items()
    )
    taken_on = (
        f"{where['when']}, commit {where['commit']}, {where['processor']}, "
        f"{where['cores']} cores, load {where['load']} at the end; "
        f"Python {where['python']}, {versions}."
    )
    lines += ["", *(f"- {note}" for note in report.notes), f"- {taken_on}", ""]
    return "\n".join(lines)


def keep(report: Report, path: Path) -> None:
    """Write `path`.md."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".md").write_text(markdown(report))


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [_row(names), _row(["---"] * len(names))]
    return lines + [_row([_text(row.get(name)) for name in names]) for row in rows]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def _commit() -> str:
    words = ["git", "rev-parse", "--short", "HEAD"]
    try:
        output = subprocess.run(
            words, capture_output=True, text=True, check=True, cwd=ROOT
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return output.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.machine()
