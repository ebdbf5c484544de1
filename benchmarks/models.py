"""Every closed form on a million responses, beside crowd-kit's of the same name."""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measure import alone, in_turn
from benchmarks.report import Report
from benchmarks.speed import NO_CACHE, QUICK, SIZE, has_peer

# Ours, and crowd-kit's method of the same name.
PEERS = {
    "majority": "MajorityVote",
    "dawid_skene": "DawidSkene",
    "one_coin_dawid_skene": "OneCoinDawidSkene",
    "mace": "MACE",
    "glad": "GLAD",
}
# Of data of another sort, and with benchmarks of their own: many labels on short lists,
# and one label at a time.
LEFT_OUT = ("structured", "contains")
CLOSED = ("vb", "em")
LIMIT = 300.0

NOTES = (
    (
        "A complete fit, from a pandas frame of text in memory to a label for each "
        "item, without imports; each in a separate process, with the default "
        "settings of both programs. Ours include compilation, as in a first fit of a "
        "size."
    ),
    (
        f"`over {LIMIT:g} s`: stopped after that time. `failed`: the reason is in the "
        "last column."
    ),
    (
        "crowd-kit's MACE restarts 10 times with 50 iterations each, and its GLAD "
        "uses up to 100 iterations; ours stop at convergence."
    ),
    (
        "The data are simulated with a confusion matrix per annotator, so models "
        "with confusion matrices are more accurate. Memory is the peak of the "
        "process."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Measure; the closed forms are those of the registry."""
    del repeats  # a run of all models is long enough
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "responses.parquet"))
        made = alone(
            ("benchmarks.crowd", "make", {"path": path, **(QUICK if quick else SIZE)})
        )
        names = ["majority", "dawid_skene"] if quick else None
        rows = [
            _row(model, engine, _figures(path, model, engine))
            for model, engine in closed_forms().items()
            if names is None or model in names
        ]
    title = f"Every closed form on {made['responses']:,} responses"
    return Report(title, rows, NOTES)


def closed_forms() -> dict[str, str]:
    """Return the engine of each model that has a closed form."""
    from consilience.cli.commands.models import entries

    found = {
        entry.name: next((one for one in entry.engines if one in CLOSED), None)
        for entry in entries()
    }
    return {
        name: engine
        for name, engine in found.items()
        if engine and name not in LEFT_OUT
    }


def _figures(path, model, engine):
    arguments = {"path": path, "model": model, "engine": engine}
    ours = ("benchmarks.fits", "consilience", arguments)
    calls = {"ours": partial(alone, ours, NO_CACHE, limit=LIMIT)}
    if model in PEERS and has_peer():
        theirs = {"path": path, "name": PEERS[model]}
        call = ("benchmarks.fits", "crowd_kit_method", theirs)
        calls["theirs"] = partial(alone, call, limit=LIMIT)
    return in_turn(calls, 1)


def _row(model, engine, figures) -> dict[str, Any]:
    ours, theirs = figures["ours"], figures.get("theirs", {})
    both = "seconds" in ours and "seconds" in theirs
    return {
        "model": model,
        "engine": engine,
        "seconds": _seconds(ours),
        "of them compiling": ours.get("compile_seconds"),
        "sweeps": ours.get("sweeps"),
        "peak MiB": ours.get("peak_mib"),
        "accuracy": ours.get("accuracy"),
        "crowd-kit's": PEERS.get(model, "") if theirs else "",
        "its seconds": _seconds(theirs),
        "its peak MiB": theirs.get("peak_mib"),
        "its accuracy": theirs.get("accuracy"),
        "times faster": theirs["seconds"] / ours["seconds"] if both else None,
        "why failed": ours.get("failed") or theirs.get("failed"),
    }


def _seconds(figures):
    if "failed" in figures:
        return "failed"
    return (
        f"over {figures['limit']:g}" if "limit" in figures else figures.get("seconds")
    )
