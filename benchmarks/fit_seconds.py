"""What a fit costs by engine, size and model: the basis of the estimate before it."""

import math
from collections.abc import Sequence
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
        "`expected` is base + rate times answers times labels (choice) or answers "
        "(contains, objects), with base and rate of the engine and kind, chosen "
        "without the model in the row where there are others; `off by` is the factor "
        "between both."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Measure."""
    del repeats  # a factor of two does not matter here
    rows: list[dict[str, Any]] = []
    for engine, models in MODELS.items():
        sizes = [s for s in SIZES if s[0] <= LARGEST.get(engine, math.inf)]
        for model in models[:1] if quick else models:
            for items, annotators, classes in sizes[:1] if quick else sizes:
                size = {"items": items, "annotators": annotators, "classes": classes}
                rows.append(_row("choice", model, engine, size, 5 * items * classes))
    for kind, calls in KINDS.items():
        for model, engine in calls:
            for items, annotators in OTHER_SIZES[: 1 if quick else None]:
                size = {"items": items, "annotators": annotators}
                rows.append(_row(kind, model, engine, size, 5 * items))
    for row in rows:
        alike = [o for o in rows if (o["kind"], o["engine"]) == _group(row)]
        others = [o for o in alike if o["model"] != row["model"]] or alike
        base, rate = line(others)
        row["expected"] = base + rate * row["work"]
        row["off by"] = math.exp(abs(math.log(row["expected"] / row["CPU seconds"])))
    for kind, engine in dict.fromkeys(map(_group, rows)):
        alike = [o for o in rows if (o["kind"], o["engine"]) == (kind, engine)]
        base, rate = line(alike)
        rows.append(
            {
                "kind": kind,
                "engine": engine,
                "model": "all",
                "base s": base,
                "rate s": rate,
                "off by": max(o["off by"] for o in alike),
            }
        )
    return Report("What a fit costs", rows, NOTES)


def line(rows: Sequence[dict[str, Any]]) -> tuple[float, float]:
    """Return base and rate with the least mean absolute error of the logarithm."""
    first = min(row["CPU seconds"] for row in rows)
    best = (math.inf, 0.0, 0.0)
    rates = [row["CPU seconds"] / row["work"] for row in rows]
    for base in [first * share for share in (0.25, 0.5, 0.75, 1.0)]:
        for rate in [rate * factor for rate in rates for factor in (0.5, 0.75, 1.0)]:
            error = sum(
                abs(math.log((base + rate * row["work"]) / row["CPU seconds"]))
                for row in rows
            )
            best = min(best, (error, base, rate))
    return best[1], best[2]


def fitted(kind: str, model: str, engine: str, size: dict[str, int]) -> dict[str, Any]:
    """Fit simulated answers in this process."""
    import consilience as cs

    drawn = cs.simulate(kind=kind, per_item=5, seed=1, **size)
    clock = Clock()
    with clock.timed():
        cs.fit(drawn.responses, model=model, engine=engine)
    return clock.figures


def _row(kind, model, engine, size, work):
    arguments = {"kind": kind, "model": model, "engine": engine, "size": size}
    figures = alone(("benchmarks.fit_seconds", "fitted", arguments), NO_CACHE)
    return {
        "kind": kind,
        "engine": engine,
        "model": model,
        **size,
        "work": work,
        "CPU seconds": figures["cpu_seconds"],
        "seconds": figures["seconds"],
    }


def _group(row):
    return row["kind"], row["engine"]
