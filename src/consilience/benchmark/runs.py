"""Run every method on every set, each in a process of its own; keep the results."""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from consilience import responses as room
from consilience.benchmark import kept
from consilience.benchmark.alone import Ending, Limits, run
from consilience.benchmark.datasets import DataSet
from consilience.benchmark.kept import Result
from consilience.benchmark.methods import Method
from consilience.benchmark.worker import one_line
from consilience.scoring.prediction import complete
from consilience.whole_folder import refusals

# Seconds are those of a first run: what a run before it has compiled must not help.
_ENVIRONMENT = {"JAX_ENABLE_COMPILATION_CACHE": "false"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to run.

    Attributes
    ----------
    folder
        Where results are kept.
    limits
        Of each process.
    seed
        Seed of the random number generator.
    again
        Run also what is kept.
    """

    folder: Path
    limits: Limits
    seed: int = 0
    again: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A method is about to be run, or its result is there (`result` is not None)."""

    number: int
    total: int
    data: str
    method: str
    result: Result | None = None
    kept: bool = False


def run_all(
    sets: Sequence[DataSet],
    methods: Sequence[Method],
    plan: Plan,
    report: Callable[[Step], None],
) -> list[Result]:
    """Run what is not kept yet, one after the other.

    Parameters
    ----------
    sets
        The data.
    methods
        What to run on each.
    plan
        How.
    report
        Called before and after each run.

    Returns
    -------
    The results of these methods, set by set.
    """
    results: list[Result] = []
    total = len(sets) * len(methods)
    for data in sets:
        for method in methods:
            number = len(results) + 1
            result = None if plan.again else _load_stored(data, method, plan)
            before = result is not None
            if result is None:
                report(Step(number, total, data.name, method.name))
                result = run_one(data, method, plan)
                kept.save(result, plan.folder)
            report(Step(number, total, data.name, method.name, result, kept=before))
            results.append(result)
    return results


def run_one(data: DataSet, method: Method, plan: Plan) -> Result:
    """Run a method on a set, in a process of its own.

    Parameters
    ----------
    data
        The set.
    method
        The method.
    plan
        How.
    """
    with tempfile.TemporaryDirectory(prefix="consilience-benchmark-") as name:
        folder = Path(name)
        room.write(data.responses, folder / "responses")
        job = {
            "module": method.module,
            "setting": method.setting,
            "package": method.package,
            "seed": plan.seed,
        }
        with refusals(folder):
            (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        command = [sys.executable, "-m", "consilience.benchmark.worker", name]
        ending = run(command, plan.limits, folder / "said", _ENVIRONMENT)
        outcome, labels = _outcome(folder, ending, plan.limits, data)
    outcome["probabilistic"] = method.probabilistic
    return Result(data.name, method.name, _key(data, method, plan), outcome, labels)


def _outcome(
    folder: Path, ending: Ending, limits: Limits, data: DataSet
) -> tuple[dict[str, Any], pd.DataFrame | None]:
    if ending.how == "timeout":
        reason = f"not done after {limits.seconds:g} s"
        return {"status": "timeout", "reason": reason, "limit": limits.seconds}, None
    if ending.how == "memory":
        reason = f"held more than {limits.gib:.3g} GiB"
        return {"status": "memory", "reason": reason}, None
    try:
        text = (folder / "outcome.json").read_text(encoding="utf-8")
        outcome: dict[str, Any] = json.loads(text)
    except (OSError, ValueError):
        return _crashed(ending.code, folder / "said"), None
    if outcome["status"] != "done":
        return outcome, None
    try:
        labels, silent = _gold_items(pd.read_parquet(folder / "labels.parquet"), data)
    except ValueError as error:
        return {"status": "error", "reason": one_line(error)}, None
    return {**outcome, "silent": silent}, labels


def _crashed(code: int, log: Path) -> dict[str, Any]:
    # The kernel ends with signal 9 what has taken the last of the memory.
    if code == -9:
        return {"status": "memory", "reason": "ended by the system (signal 9)"}
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return {"status": "error", "reason": f"{how}: {last[:300]}"}


def _gold_items(table: pd.DataFrame, data: DataSet) -> tuple[pd.DataFrame, int]:
    items, labels = data.items, data.labels
    parts, most = [], 0
    for name, rows in table.groupby("variant", sort=False):
        stated, silent = complete(rows, items, labels)
        parts.append(stated.assign(variant=name))
        most = max(most, silent)
    return pd.concat(parts, ignore_index=True), most


def _load_stored(data: DataSet, method: Method, plan: Plan) -> Result | None:
    """Return what is kept, if it is what would be found now.

    What timed out is run again only with more time.
    """
    result = kept.load(plan.folder, data.name, method.name)
    if result is None or dict(result.key) != _key(data, method, plan):
        return None
    outcome = result.outcome
    if outcome["status"] == "timeout" and outcome["limit"] < plan.limits.seconds:
        return None
    return result


def _key(data: DataSet, method: Method, plan: Plan) -> dict[str, Any]:
    return {
        "responses": data.fingerprint,
        "gold": len(data.gold),
        "module": method.module,
        "setting": method.setting,
        "seed": plan.seed,
    }


def other_stored_results(
    sets: Sequence[DataSet], results: Sequence[Result], plan: Plan
) -> Iterator[Result]:
    """Give what the folder holds besides, of the same answers and the same seed.

    Parameters
    ----------
    sets
        The data.
    results
        Those that are there already.
    plan
        How they were run.
    """
    there = {(result.data, result.method) for result in results}
    for data in sets:
        for name in kept.stored_methods(plan.folder, data.name):
            stored = kept.load(plan.folder, data.name, name)
            if stored is None or (data.name, name) in there:
                continue
            same = {"responses": data.fingerprint, "seed": plan.seed}
            if same.items() <= dict(stored.key).items():
                yield stored
