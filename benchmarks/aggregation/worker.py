"""One method on one data set: `python -m benchmarks.aggregation.worker FOLDER`.

The folder holds the job (`job.json`) and the answers (`responses/`), without gold. What
the method says is written beside them (`labels.parquet`), and last of all, so that a
job is done or not, how it went (`outcome.json`).
"""

import json
import sys
from pathlib import Path

from benchmarks.harness import compiling, peak_mib
from consilience.benchmark.runs import Method, predict
from consilience.responses import read_folder


def main() -> None:
    """Run the job of a folder."""
    folder = Path(sys.argv[1])
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    method = Method(**job["method"])
    spent = compiling() if method.package == "consilience" else None
    responses = read_folder(folder / "responses")
    outcome, table = predict(method, responses, job["seed"])
    if table is not None:
        outcome["peak_mib"] = peak_mib()
        if spent is not None:
            outcome["compile_seconds"] = sum(spent)
        table.to_parquet(folder / "labels.parquet")
    text = json.dumps(outcome)
    (folder / "outcome.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
