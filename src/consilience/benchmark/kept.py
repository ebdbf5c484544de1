"""Results of a benchmark's runs, kept one by one in a folder, each whole or absent."""

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from consilience.errors import CannotWriteError


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """One method on one set.

    Attributes
    ----------
    data, method
        Their names.
    key
        What the result rests on; another key, another result.
    outcome
        `status` (done, timeout, memory, error), `reason` in one line, `probabilistic`,
        and, when done, `seconds`, `peak_mib`, `version`, `silent` and more.
    labels
        Columns item, label, probability, variant of the items with gold; None where
        the run failed.
    """

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
    """Keep a result; the file that says that it is there is written last.

    Raises
    ------
    CannotWriteError
        The disk refuses.
    """
    path = _path(folder, result.data, result.method)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if result.labels is not None:
            with _whole(path.with_suffix(".parquet")) as temporary:
                result.labels.to_parquet(temporary)
        record = {
            "data": result.data,
            "method": result.method,
            "key": dict(result.key),
            "outcome": dict(result.outcome),
        }
        with _whole(path) as temporary:
            text = json.dumps(record, indent=1, ensure_ascii=False)
            temporary.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        msg = f"{path}: {error.strerror}; choose another place for --out"
        raise CannotWriteError(msg) from error


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


def methods_kept(folder: Path, data: str) -> list[str]:
    """Return the methods of which something is kept.

    Parameters
    ----------
    folder
        Where results are kept.
    data
        Name of the set.
    """
    found = []
    for path in sorted((folder / data).glob("*.json")):
        with suppress(OSError, ValueError, KeyError):
            found.append(json.loads(path.read_text(encoding="utf-8"))["method"])
    return found


def _path(folder: Path, data: str, method: str) -> Path:
    # A method's name may hold a point: `with_suffix` must not take it for one.
    return folder / data / f"{method.replace('.', '-')}.json"


class _whole:  # noqa: N801 (reads as a word after `with`)
    """A file that is moved into place when it is whole."""

    def __init__(self, path: Path) -> None:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
        os.close(handle)
        self.path, self.temporary = path, Path(name)

    def __enter__(self) -> Path:
        return self.temporary

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.temporary.replace(self.path)
        else:
            self.temporary.unlink(missing_ok=True)
