"""Results of a benchmark's runs, kept one by one in a folder, each whole or absent."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from consilience.whole_folder import whole_files


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """One method on one set."""

    data: str
    method: str
    key: Mapping[str, Any]
    outcome: Mapping[str, Any]
    labels: pd.DataFrame | None

    @property
    def done(self) -> bool:
        """Whether the method gave labels."""
        return self.labels is not None


def save(result: Result, folder: Path) -> None:
    """Keep a result; without both of its files, none is there."""
    path = _path(folder, result.data, result.method)
    record = {
        "data": result.data,
        "method": result.method,
        "key": dict(result.key),
        "outcome": dict(result.outcome),
    }
    text = json.dumps(record, indent=1, ensure_ascii=False)
    with whole_files(path.parent) as partial:
        if result.labels is not None:
            result.labels.to_parquet(partial / f"{path.stem}.parquet")
        (partial / path.name).write_text(text + "\n", encoding="utf-8")
        # Labels of another run must never stand beside the new record.
        path.with_suffix(".parquet").unlink(missing_ok=True)


def load(folder: Path, data: str, method: str) -> Result | None:
    """Return what is kept of a method on a set; None where nothing is.

    Parameters
    ----------
    folder
        Where results are kept.
    data, method
        Their names.
    """
    path = _path(folder, data, method)
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        done = record["outcome"]["status"] == "done"
        labels = pd.read_parquet(path.with_suffix(".parquet")) if done else None
        return Result(data, method, record["key"], record["outcome"], labels)
    except (OSError, ValueError, KeyError):
        return None  # absent, or damaged: it is run again


def stored_methods(folder: Path, data: str) -> list[str]:
    """Return the methods of which something is kept."""
    names = []
    for path in sorted((folder / data).glob("*.json")):
        with suppress(OSError, ValueError, KeyError):
            names.append(json.loads(path.read_text(encoding="utf-8"))["method"])
    return names


def _path(folder: Path, data: str, method: str) -> Path:
    # A method's name may hold a point: `with_suffix` must not take it for one.
    return folder / data / f"{method.replace('.', '-')}.json"
