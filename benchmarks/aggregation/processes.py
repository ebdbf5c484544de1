"""Run a method in a process of its own, and say how it ended."""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.aggregation.alone import Ending, Limits, run
from consilience import responses as room
from consilience.benchmark.datasets import DataSet
from consilience.benchmark.runs import Method

ROOT = Path(__file__).parents[2]
# Seconds are those of a first run: what a run before it has compiled must not help.
ENVIRONMENT = {"JAX_ENABLE_COMPILATION_CACHE": "false"}


def in_a_process(
    limits: Limits,
) -> Callable[[DataSet, Method, int], tuple[dict[str, Any], pd.DataFrame | None]]:
    """Return what runs a method within these limits."""

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
                {**ENVIRONMENT, "PYTHONPATH": path},
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
