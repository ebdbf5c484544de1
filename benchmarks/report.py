"""A benchmark's table with its notes, as Markdown."""

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("consilience", "jax", "numpyro", "numpy", "pandas", "scipy", "crowd-kit")


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
        One mapping a row; the columns are the first row's keys.
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


def markdown(report: Report) -> str:
    """Return the report as Markdown."""
    lines = [f"# {report.title}", "", *_table(report.rows)]
    for title, rows in report.more.items():
        lines += ["", f"## {title}", "", *_table(rows)]
    found = report.machine
    versions = ", ".join(
        f"{name} {number}" for name, number in found["versions"].items()
    )
    where = (
        f"{found['when']}, commit {found['commit']}, {found['processor']}, "
        f"{found['cores']} cores, load {found['load']} at the end; "
        f"Python {found['python']}, {versions}."
    )
    lines += ["", *(f"- {note}" for note in report.notes), f"- {where}", ""]
    return "\n".join(lines)


def keep(report: Report, path: Path) -> None:
    """Write `path`.md."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".md").write_text(markdown(report))


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    names = list(rows[0])
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
    command = ["git", "rev-parse", "--short", "HEAD"]
    try:
        found = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parent,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.machine()
