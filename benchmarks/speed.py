"""A whole fit of a million responses, beside crowd-kit's on the same frame."""

import tempfile
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.measure import alone, in_turn
from benchmarks.report import Report

TOLERANCE = 1e-5  # crowd-kit's default
TOLERANCES = (TOLERANCE, 1e-7)  # and ours
SIZE = {"items": 200_000, "annotators": 1000, "classes": 10, "per_item": 5}
QUICK = {"items": 200, "annotators": 20, "classes": 3, "per_item": 5}
# Whatever the caller has set.
NO_CACHE = {"JAX_ENABLE_COMPILATION_CACHE": "false"}
PEER = "crowd-kit DawidSkene"

NOTES = (
    (
        "A complete fit: from a pandas frame of text in memory to a label for each "
        "item, without imports and without reading the frame from disk."
    ),
    (
        "Compiling: `new` compiles everything, as in a first fit of a size; `kept` "
        "uses JAX's compilation cache, which the command line keeps."
    ),
    (
        "The same tolerance: crowd-kit stops when its bound, divided by the number "
        "of responses, improves by less than `tol` nats in an iteration; consilience "
        "when its objective (em: penalized log-likelihood, vb: ELBO) per answer "
        "does. 1e-5 is crowd-kit's default, 1e-7 ours; the number of iterations is "
        "not limited in practice. crowd-kit counts an item's log prior once per "
        "response, so its bound is not an exact likelihood: the rule is the same, "
        "the number of iterations may differ."
    ),
    (
        "vb by default also draws from the posterior for intervals, which crowd-kit "
        "does not have; `vb, no draws` is the optimization and the point estimates "
        "alone."
    ),
    (
        "Memory: peak of the process, and the part allocated after the fit had begun "
        "(without imports and frame). Each fit in a separate process, alternating; "
        "medians."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Measure."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "responses.parquet"))
        size = {"path": path, **(QUICK if quick else SIZE)}
        made = alone(("benchmarks.crowd", "make", size))
        kept = {
            "JAX_COMPILATION_CACHE_DIR": str(Path(folder, "cache")),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        }
        for tolerance in TOLERANCES[:1] if quick else TOLERANCES:
            calls = _calls(path, tolerance, kept, quick=quick)
            for (_, compiling), call in calls.items():
                if compiling == "kept":
                    call()  # fills the cache
            taken = in_turn(calls, repeats)
            peer = taken.get((PEER, ""))
            rows += [
                _row(name, compiling, tolerance, figures, peer)
                for (name, compiling), figures in taken.items()
            ]
    title = f"A whole fit of {made['responses']:,} responses"
    return Report(title, rows, NOTES)


def has_peer() -> bool:
    """Return whether crowd-kit is installed."""
    return find_spec("crowdkit") is not None


def _calls(path, tolerance, kept, *, quick):
    fits = {
        "em dawid_skene": _ours("dawid_skene", "em"),
        "vb bayesian_dawid_skene, no draws": {
            **_ours("bayesian_dawid_skene", "vb"),
            "draws": 0,
        },
        "vb bayesian_dawid_skene": _ours("bayesian_dawid_skene", "vb"),
    }
    caches = {"new": NO_CACHE} if quick else {"new": NO_CACHE, "kept": kept}
    shared = {"path": path, "tolerance": tolerance}
    calls = {}
    if has_peer():
        call = ("benchmarks.fits", "crowd_kit", shared)
        calls[PEER, ""] = partial(alone, call)
    for name, arguments in list(fits.items())[: 1 if quick else None]:
        call = ("benchmarks.fits", "consilience", {**shared, **arguments})
        for compiling, environment in caches.items():
            calls[name, compiling] = partial(alone, call, environment)
    return calls


def _ours(model, engine):
    return {"model": model, "engine": engine}


def _row(name, compiling, tolerance, figures, peer):
    held = figures["peak_mib"] - figures["before_mib"]
    row = {
        "tolerance": f"{tolerance:g}",
        "program": name,
        "compiling": compiling,
        "seconds": figures["seconds"],
        "CPU seconds": figures["cpu_seconds"],
        "peak MiB": figures["peak_mib"],
        "of the fit, MiB": held,
        "sweeps": figures["sweeps"],
        "accuracy": figures["accuracy"],
        "reading s": figures.get("read_seconds"),
        "compiling s": figures.get("compile_seconds"),
    }
    if peer:
        theirs = peer["peak_mib"] - peer["before_mib"]
        row |= {
            "times faster": peer["seconds"] / figures["seconds"],
            "times less CPU": peer["cpu_seconds"] / figures["cpu_seconds"],
            "memory ratio": figures["peak_mib"] / peer["peak_mib"],
            "memory ratio of the fits": held / theirs if theirs else None,
        }
    return row
