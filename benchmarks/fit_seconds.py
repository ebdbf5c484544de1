"""What a fit costs, beside the estimate that is given before it."""

import math
from typing import Any

from benchmarks.measure import Clock, alone
from benchmarks.report import Report
from benchmarks.speed import NO_CACHE

# Items, annotators, labels; five answers an item.
SIZES = ((200, 20, 3), (600, 40, 6), (20_000, 200, 4))
MODELS = {
    "em": ("dawid_skene", "glad"),
    "vb": ("hierarchical_dawid_skene", "ebcc"),
    "gibbs": ("correlated_dawid_skene",),
    "svi": ("hierarchical_dawid_skene",),
    "nuts": ("one_coin_dawid_skene", "hierarchical_dawid_skene"),
}
LARGEST = {"nuts": 1000}  # items
KINDS = {  # of these the number of labels is that of the simulation's default
    "contains": (("contains", "em"), ("contains_states", "vb")),
    "objects": (("objects", "em"),),
}
OTHER_SIZES = ((60, 15), (400, 30))

NOTES = (
    (
        "CPU seconds of a first fit in a process, compiling included, of simulated "
        "answers, five for each item (objects: their simulation's default model)."
    ),
    (
        "`expected` is what is said before a fit that takes twenty seconds or more; "
        "`off by` is the factor between both, where either does."
    ),
)
LONG = 20.0  # seconds


def run(*, quick: bool, repeats: int) -> Report:
    """Measure."""
    del repeats  # a factor of two does not matter here
    rows: list[dict[str, Any]] = []
    for engine, models in MODELS.items():
        sizes = [s for s in SIZES if s[0] <= LARGEST.get(engine, math.inf)]
        for model in models[:1] if quick else models:
            for items, annotators, classes in sizes[:1] if quick else sizes:
                size = {"items": items, "annotators": annotators, "classes": classes}
                rows.append(_row("choice", model, engine, size))
    for kind, calls in KINDS.items():
        for model, engine in calls:
            for items, annotators in OTHER_SIZES[: 1 if quick else None]:
                size = {"items": items, "annotators": annotators}
                rows.append(_row(kind, model, engine, size))
    return Report("What a fit costs", rows, NOTES)


def fitted(kind: str, model: str, engine: str, size: dict[str, int]) -> dict[str, Any]:
    """Fit simulated answers in this process."""
    import consilience as cs
    from consilience.fitting.expected_seconds import expected_seconds

    drawn = cs.simulate(kind=kind, per_item=5, seed=1, **size)
    expected = expected_seconds(drawn.responses, model, engine, cs.EngineOptions())
    clock = Clock()
    with clock.timed():
        cs.fit(drawn.responses, model=model, engine=engine)
    return {**clock.figures, "expected": expected}


def _row(kind, model, engine, size):
    arguments = {"kind": kind, "model": model, "engine": engine, "size": size}
    figures = alone(("benchmarks.fit_seconds", "fitted", arguments), NO_CACHE)
    took, expected = figures["cpu_seconds"], figures["expected"]
    factor = max(took / expected, expected / took)
    return {
        "kind": kind,
        "engine": engine,
        "model": model,
        **size,
        "CPU seconds": took,
        "seconds": figures["seconds"],
        "expected": expected,
        "off by": factor if max(took, expected) >= LONG else None,
    }
