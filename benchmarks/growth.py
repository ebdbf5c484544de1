"""How seconds and memory of a fit grow with the responses, from 1e4 to 1e7."""

import tempfile
from pathlib import Path

from benchmarks.measure import alone, in_turn
from benchmarks.report import Report
from benchmarks.speed import NO_CACHE, PEER, TOLERANCE, has_peer

# Responses, and annotators: a thousand responses or more of each.
SIZES = ((10_000, 10), (100_000, 100), (1_000_000, 1000), (10_000_000, 10_000))
QUICK = ((500, 10),)
LARGEST_OF_PEER = 1_000_000  # beyond, the peer alone would take longer than all else
FEW = 1_000_000  # up to here each fit is repeated

NOTES = (
    (
        "Ten classes, five answers per item, a thousand answers per annotator. "
        "Complete fits as in the benchmark `speed`, to the same tolerance, including "
        "compilation; fits of ten million are measured once."
    ),
    "vb uses its default number of draws for the size; `draws` states it.",
    (
        "process MiB is the peak memory of the process, including imports, data frame "
        "and compiler."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Measure."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for responses, annotators in QUICK if quick else SIZES:
            path = str(Path(folder, f"{responses}.parquet"))
            size = {"items": responses // 5, "annotators": annotators}
            size |= {"classes": 3 if quick else 10, "per_item": 5}
            alone(("benchmarks.crowd", "make", {"path": path, **size}))
            taken = in_turn(
                {name: _alone(path, *call) for name, call in _calls(responses).items()},
                repeats if responses <= FEW else 1,
            )
            Path(path).unlink()
            rows += [_row(responses, name, figures) for name, figures in taken.items()]
    return Report("How the cost of a fit grows", rows, NOTES)


def _calls(responses):
    calls = {
        "em dawid_skene": ("consilience", {"model": "dawid_skene", "engine": "em"}),
        "vb bayesian_dawid_skene": (
            "consilience",
            {"model": "bayesian_dawid_skene", "engine": "vb"},
        ),
    }
    if has_peer() and responses <= LARGEST_OF_PEER:
        calls[PEER] = ("crowd_kit", {})
    return calls


def _alone(path, function, arguments):
    call = (
        "benchmarks.fits",
        function,
        {"path": path, "tolerance": TOLERANCE, **arguments},
    )
    return lambda: alone(call, NO_CACHE)


def _row(responses, name, figures):
    return {
        "responses": responses,
        "program": name,
        "seconds": figures["seconds"],
        "CPU seconds": figures["cpu_seconds"],
        "process MiB": figures["peak_mib"],
        "of the fit, MiB": figures["peak_mib"] - figures["before_mib"],
        "of it compiling, s": figures.get("compile_seconds"),
        "reading, s": figures.get("read_seconds"),
        "sweeps": figures["sweeps"],
        "draws": figures.get("draws"),
        "responses/s": responses / figures["seconds"],
    }
