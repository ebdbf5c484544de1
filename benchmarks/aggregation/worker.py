"""One method on one data set: `python -m benchmarks.aggregation.worker FOLDER`.

The folder holds the job (`job.json`) and the answers (`responses/`), without gold. What
the method says is written beside them (`labels.parquet`), and last of all, so that a
job is done or not, how it went (`outcome.json`).
"""

import json
import sys
from pathlib import Path

from benchmarks.aggregation.alone import peak_mib
from consilience.benchmark.runs import Method, predict
from consilience.responses import read_folder

# JAX: turning a traced program into XLA's terms, and that into machine code.
COMPILING = (
    "/jax/core/compile/jaxpr_to_mlir_module_duration",
    "/jax/core/compile/backend_compile_duration",
)


def main() -> None:
    """Run the job of a folder."""
    folder = Path(sys.argv[1])
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    method = Method(**job["method"])
    compiling = _time_compiling() if method.package == "consilience" else None
    responses = read_folder(folder / "responses")
    outcome, table = predict(method, responses, job["seed"])
    if table is not None:
        outcome["peak_mib"] = peak_mib()
        if compiling is not None:
            outcome["compile_seconds"] = sum(compiling)
        table.to_parquet(folder / "labels.parquet")
    text = json.dumps(outcome)
    (folder / "outcome.json").write_text(text, encoding="utf-8")


def _time_compiling():
    import jax

    seconds = []

    def note(event, duration_secs, **_):
        if event in COMPILING:
            seconds.append(duration_secs)

    jax.monitoring.register_event_duration_secs_listener(note)
    return seconds


if __name__ == "__main__":
    main()
