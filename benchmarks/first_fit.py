"""The first fit in a process, imports included, beside crowd-kit's on the same frame.

What a person waits for who starts Python, has a frame of answers, and wants labels.
"""

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measure import alone, in_turn
from benchmarks.report import Report
from benchmarks.speed import has_peer

TITLE = "The first fit of a process, and the second"
SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
QUICK = (100,)
CLASSES, PER_ITEM = 4, 5
ENGINES = {
    "em": ("dawid_skene", "em"),
    "vb": ("bayesian_dawid_skene", "vb"),
    "auto": ("auto", "auto"),
}
FEW = 10_000  # answers, up to which each fit is repeated
LARGEST_OF_AUTO = 100_000  # of a million, it takes minutes
PEER = "crowd-kit DawidSkene"
TOLERANCE = 1e-5  # crowd-kit's default, for all in the rows "same tolerance"

NOTES = (
    (
        "Seconds of a complete process: Python starts, reads a Parquet file of text "
        "columns, loads the library, fits, and computes a label for each item. "
        "`first` is this total; `second` is the fit of another data set of similar "
        "size afterwards in the same process. Four classes, five answers per item, "
        "100 answers per annotator (at least five annotators)."
    ),
    (
        "Each library uses its default tolerance and as many iterations as it needs; "
        "`em, 1e-5` has crowd-kit's tolerance. em: dawid_skene, the same model as "
        "crowd-kit's; vb: bayesian_dawid_skene with draws for intervals; auto: five "
        "models compared and stacked, with draws. crowd-kit has no intervals and "
        "stops after 100 iterations."
    ),
    (
        "empty cache: the folder of compiled programs is empty; filled: another "
        "process fitted another data set of similar size before. These fits compile "
        "nothing, so the difference is noise."
    ),
    (
        "CPU s: of both cores, first fit. Medians of alternating processes; one run "
        "each for more than 10,000 answers, and none of auto for a million."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Measure."""
    rows: list[dict[str, Any]] = []
    for answers in QUICK if quick else SIZES:
        with tempfile.TemporaryDirectory() as folder:
            paths = [str(Path(folder, f"{seed}.parquet")) for seed in (0, 1)]
            for seed, path in enumerate(paths):
                size = {
                    "items": answers // PER_ITEM + seed,  # of like size, not the same
                    "annotators": max(answers // 100, 2 * PER_ITEM),
                    "classes": CLASSES,
                    "per_item": PER_ITEM,
                }
                made = {"path": path, "seed": seed, **size}
                alone(("benchmarks.crowd", "make", made))
            rows += _of_size(answers, paths, folder, repeats)
    return Report(TITLE, rows, NOTES)


def _of_size(
    answers: int, paths: list[str], folder: str, repeats: int
) -> list[dict[str, Any]]:
    def call(name: str, cache: str, tolerance: float | None = None) -> Any:
        kept = {"JAX_COMPILATION_CACHE_DIR": str(Path(folder, cache))}
        arguments = {"paths": paths, "name": name, "tolerance": tolerance}
        return lambda: alone(("benchmarks.first_fit", "fits", arguments), kept)

    calls = {}
    if has_peer():
        calls[PEER, ""] = call(PEER, "")
    names = [name for name in ENGINES if name != "auto" or answers <= LARGEST_OF_AUTO]
    for name in names:
        other = {"paths": paths[::-1], "name": name, "tolerance": None}
        kept = {"JAX_COMPILATION_CACHE_DIR": str(Path(folder, f"filled-{name}"))}
        alone(("benchmarks.first_fit", "fits", other), kept)
        calls[name, "empty"] = call(name, f"empty-{name}")
        calls[name, "filled"] = call(name, f"filled-{name}")
    calls["em, 1e-5", "empty"] = call("em", "empty-same", TOLERANCE)
    taken = in_turn(calls, repeats if answers <= FEW else 1)
    peer = taken.get((PEER, ""))
    return [
        {
            "answers": answers,
            "fit": name,
            "cache": cache,
            "first s": figures["first"],
            "CPU s": figures["cpu"],
            "second s": figures["second"],
            "x crowd-kit": peer["first"] / figures["first"] if peer else None,
            "peak MiB": figures["peak_mib"],
        }
        for (name, cache), figures in taken.items()
    ]


def fits(*, paths: list[str], name: str, tolerance: float | None) -> dict[str, float]:
    """Fit two data sets in this process; seconds of the first are those since exec."""
    import os
    import time

    import pandas as pd

    from benchmarks.measure import peak_mib

    frame = pd.read_parquet(paths[0])[["task", "worker", "label"]]
    _fit(frame, name, tolerance)
    ticks = os.sysconf("SC_CLK_TCK")
    began = int(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
    up = float(Path("/proc/uptime").read_text().split()[0])
    first, cpu = up - began / ticks, time.process_time()
    other = pd.read_parquet(paths[1])[["task", "worker", "label"]]
    started = time.perf_counter()
    _fit(other, name, tolerance)
    second = time.perf_counter() - started
    return {"first": first, "cpu": cpu, "second": second, "peak_mib": peak_mib()}


def _fit(frame: Any, name: str, tolerance: float | None) -> None:
    if name == PEER:
        from crowdkit.aggregation import DawidSkene

        DawidSkene().fit_predict(frame)
        return
    import consilience as cs

    model, engine = ENGINES[name]
    effort = cs.EngineOptions(tolerance=tolerance)
    cs.fit(frame, model=model, engine=engine, effort=effort).labels()
