"""What a whole study of objects costs: from its answers to all tables, in a process."""

import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.measure import command, in_turn
from benchmarks.public_data import not_run, public_data
from benchmarks.report import Report

TITLE = "What a whole study of objects costs"
CPU_SECONDS, MIB = 40, 2048  # what it is to stay below

NOTES = (
    (
        "`consilience fit imagenet-multilabel --model objects --out FOLDER` in a new "
        "process: Python starts, 59,580 answers about 6,761 images are read, the model "
        "is fitted by em, 500 draws of every image are summed up, and all tables are "
        "written. CPU seconds of all cores, and peak memory of the process; medians. "
        "empty: the folder of compiled programs is empty, so that compilation is "
        "included; filled: the same command was run before."
    ),
    f"bar: {CPU_SECONDS} CPU seconds and {MIB / 1024:.0f} GiB with the folder empty.",
)


def run(*, quick: bool, repeats: int) -> Report:
    """Measure."""
    data = public_data("imagenet-multilabel", quick=quick)
    if data is None:
        return not_run(TITLE)
    with tempfile.TemporaryDirectory() as folder:
        study = partial(_study, data.resolve() / "imagenet-multilabel", Path(folder))
        taken = in_turn(
            {
                "empty": partial(study, fresh=True),
                "filled": partial(study, fresh=False),
            },
            repeats,
        )
    return Report(TITLE, [{"cache": name, **row} for name, row in taken.items()], NOTES)


def _study(answers: Path, folder: Path, *, fresh: bool) -> dict:
    """Run the command; fresh: with a folder of compiled programs of its own."""
    with tempfile.TemporaryDirectory(dir=folder) as new:
        out, cache = Path(new, "run"), Path(new if fresh else folder, "programs")
        words = ("fit", str(answers), "--model", "objects", "--out", str(out))
        arguments = [sys.executable, "-m", "consilience", *words]
        if not fresh and not cache.exists():
            _command(arguments, cache)
            arguments.append("--overwrite")
        figures = _command(arguments, cache)
        tables = list((out / "tables").glob("*.parquet"))
    names = {"cpu_seconds": "CPU s", "seconds": "on the wall s", "peak_mib": "peak MiB"}
    rounded = {new: round(figures[old], 1) for old, new in names.items()}
    return rounded | {"tables": len(tables)}


def _command(arguments: list[str], cache: Path) -> dict:
    return command(arguments, {"JAX_COMPILATION_CACHE_DIR": str(cache)})
