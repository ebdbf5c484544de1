"""How soon the command line answers: `--help`, and a small fit as a whole process."""

import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.measure import alone, command, in_turn
from benchmarks.report import Report

RUNS = 10  # a process that takes tenths of a second needs more of them
SIZE = {"items": 2000, "annotators": 50, "classes": 5, "per_item": 5}
QUICK = {"items": 20, "annotators": 5, "classes": 3, "per_item": 5}
BARE = '''"""The same library with one command, nothing of ours."""
from cyclopts import App

APP = App(name="bare", help="Nothing.")


@APP.command
def fit(responses: str, /, *, out: str, model: str = "auto") -> None:
    """Do nothing."""


APP()
'''

NOTES = (
    (
        "Complete processes, including Python's own start; medians, alternating. "
        "`bare cyclopts` is a program with one command written with the same "
        "library."
    ),
    (
        "`fit` reads a CSV of 10,000 responses, fits by vb with its default restarts "
        "and draws, runs the checks and writes the run folder. First: with an empty "
        "compilation cache. Again: with the cache of the first."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Measure."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder, "bare.py")
        bare.write_text(BARE)
        ours = [sys.executable, "-m", "consilience", "--help"]
        taken = in_turn(
            {
                "bare cyclopts --help": partial(
                    command, [sys.executable, str(bare), "--help"]
                ),
                "consilience --help": partial(command, ours),
            },
            1 if quick else RUNS,
        )
        base = taken["bare cyclopts --help"]["seconds"]
        rows += [_row(name, figures, base) for name, figures in taken.items()]
        heavy = alone(("benchmarks.start", "imported_by_help", {}))["heavy"]
        table = str(Path(folder, "responses.csv"))
        size = QUICK if quick else SIZE
        alone(("benchmarks.start", "csv", {"path": table, **size}))
        fits = [_fits(Path(folder, str(number)), table) for number in range(repeats)]
        for name in ("fit by vb, first", "fit by vb, again"):
            pairs = in_turn({name: iter([fit[name] for fit in fits]).__next__}, repeats)
            rows.append(_row(name, pairs[name], None))
    imported = f"Heavy packages that --help imports: {', '.join(heavy) or 'none'}."
    return Report("Start-up time of the command line", rows, (*NOTES, imported))


def imported_by_help() -> dict[str, list[str]]:
    """Return which heavy packages `--help` imports."""
    from contextlib import redirect_stdout, suppress
    from io import StringIO

    from consilience.cli import main

    with redirect_stdout(StringIO()), suppress(SystemExit):
        main(["--help"])
    heavy = ("jax", "numpyro", "numpy", "pandas", "xarray", "scipy", "sklearn")
    return {"heavy": [name for name in heavy if name in sys.modules]}


def csv(path: str, **size: int) -> dict[str, int]:
    """Write a simulated crowd as CSV."""
    import pandas as pd

    from benchmarks.crowd import make

    made = make(path=path, **size)
    table = pd.read_parquet(path)[["task", "worker", "label"]]
    table.to_csv(path, index=False)
    return made


def _fits(folder, table):
    environment = {"JAX_COMPILATION_CACHE_DIR": str(folder / "cache")}
    program = [sys.executable, "-m", "consilience", "fit", table]
    options = ["--model", "bayesian_dawid_skene", "--engine", "vb", "--out"]
    return {
        f"fit by vb, {which}": command(
            [*program, *options, str(folder / which)], environment
        )
        for which in ("first", "again")
    }


def _row(name, figures, base):
    return {
        "process": name,
        "seconds": figures["seconds"],
        "more than bare": None if base is None else figures["seconds"] - base,
        "CPU seconds": figures["cpu_seconds"],
        "peak MiB": figures["peak_mib"],
    }
