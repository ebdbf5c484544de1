"""One method on one data set: `python -m consilience.benchmark.worker FOLDER`.

The folder holds the job (`job.json`) and the answers (`responses/`), without gold. What
the method says is written beside them (`labels.parquet`), and last of all, so that a
job is done or not, how it went (`outcome.json`).
"""

import json
import sys
import time
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

from consilience.benchmark.alone import peak_mib
from consilience.responses import read_folder
from consilience.scoring.prediction import COLUMNS, Prediction


def work(folder: Path) -> dict[str, Any]:
    """Run the job and return how it went.

    Parameters
    ----------
    folder
        Folder of the job.

    Returns
    -------
    What went wrong in one line (`reason`, empty when nothing), seconds, MiB, versions.
    """
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    try:
        responses = read_folder(folder / "responses")
        predict = import_module(job["module"]).load(job["setting"])
        before, started = peak_mib(), time.perf_counter()
        prediction = predict(responses, job["seed"])
        seconds = time.perf_counter() - started
        peak = peak_mib()
        _write(prediction, folder / "labels.parquet")
    except MemoryError as error:
        return {"status": "memory", "reason": one_line(error) or "out of memory"}
    except Exception as error:  # noqa: BLE001 (whatever a method raises is its result)
        return {"status": "error", "reason": one_line(error)}
    return {
        "status": "done",
        "reason": "",
        "seconds": seconds,
        "peak_mib": peak,
        "before_mib": before,
        "version": _version(job["package"]),
        **prediction.facts,
    }


def one_line(error: BaseException, most: int = 300) -> str:
    """Return an error as one line."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= most else f"{text[:most]}…"


def _write(prediction: Prediction, path: Path) -> None:
    tables = {"": prediction.labels, **prediction.variants}
    parts = [
        table[list(COLUMNS)]
        .astype({"item": "str", "label": "str", "probability": "float64"})
        .assign(variant=name)
        for name, table in tables.items()
    ]
    pd.concat(parts, ignore_index=True).to_parquet(path)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


if __name__ == "__main__":
    job_folder = Path(sys.argv[1])
    text = json.dumps(work(job_folder))
    (job_folder / "outcome.json").write_text(text, encoding="utf-8")
