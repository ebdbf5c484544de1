"""A thousand fits in one process, of data sets of different sizes and of all models.

Every size compiles programs of its own, each of which maps memory in some forty places;
a process may map 65,530. So the figures are of places and of memory, as fits go on.
"""

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.measure import alone, peak_mib
from benchmarks.report import Report

FITS, QUICK = 1000, 6
EVERY = 100  # fits to a row of the table
# Rows of one table share what they do: models by closed form, then the others.
CHOICE = (
    ("dawid_skene", "em"),
    ("one_coin_dawid_skene", "vb"),
    ("one_coin_dawid_skene", "em"),
    ("bayesian_dawid_skene", "vb"),
    ("bayesian_dawid_skene", "em"),
    ("hierarchical_dawid_skene", "vb"),
    ("multinomial", "vb"),
    ("multinomial", "em"),
    ("class_conditional", "vb"),
    ("class_conditional", "em"),
    ("shared_errors", "vb"),
    ("community_bcc", "em"),
    ("mace", "em"),
    ("mace", "vb"),
    ("structured", "vb"),
    ("majority", "em"),
)
# Of these, which take longer to compile, one after every round of those above.
SLOW = (
    ("choice", "ebcc", "em"),
    ("choice", "bwa", "rule"),
    ("choice", "glad", "em"),
    ("contains", "contains_counts", "em"),
    ("choice", "community_bcc", "vb"),
    ("contains", "contains_states", "vb"),
    ("choice", "ebcc", "vb"),
    ("choice", "item_difficulty", "em"),
    ("contains", "contains", "em"),
    ("choice", "logistic_random_effects", "gibbs"),
    ("objects", "objects", "em"),
    ("choice", "auto", "auto"),
    ("objects", "objects_by_annotator", "em"),
    ("objects", "tsipras2020", "auto"),
    ("choice", "auto", "vb"),
)

NOTES = (
    (
        "Simulated studies of 20 to 400 answers, each of a new size; every model of "
        "choice in turn, with models of contains and of objects in between."
    ),
    (
        "places: memory mappings of the process after the last fit; most: the "
        "maximum after any fit. Linux allows a process 65,530."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Fit, in a process of its own."""
    del repeats
    number = QUICK if quick else FITS
    rows = alone(("benchmarks.many_fits", "fits", {"number": number}))["rows"]
    return Report("A thousand fits in one process", rows, NOTES)


def fits(number):
    """Fit so often; return how places and memory stand after every hundred."""
    import consilience as cs

    rows, most, taken = [], 0, []
    started = time.process_time()
    for fit in range(1, number + 1):
        kind, model, engine = _which(fit)
        cs.fit(_study(kind, fit), model=model, engine=engine, seed=fit)
        taken.append(model)
        here = _places()
        most = max(most, here)
        print(fit, model, engine, here, f"{_resident_mib():.0f} MiB", file=sys.stderr)
        if not fit % EVERY or fit == number:
            rows.append(
                {
                    "fits": fit,
                    "models": len(set(taken)),
                    "places": here,
                    "most": most,
                    "resident_mib": _resident_mib(),
                    "peak_mib": peak_mib(),
                    "cpu_seconds": time.process_time() - started,
                }
            )
    return {"rows": rows}


def _which(fit):
    round_, place = divmod(fit - 1, len(CHOICE) + 1)
    if place == len(CHOICE):
        return SLOW[round_ % len(SLOW)]
    return ("choice", *CHOICE[place])


def _study(kind, fit):
    import consilience as cs

    items, annotators, per_item = 7 + fit * 37 % 61, 5 + fit * 11 % 7, 2 + fit % 4
    size = {"items": items, "annotators": annotators, "seed": fit}
    if kind == "objects":
        size |= {"items": 10 + fit % 9, "per_item": 4, "classes": 8}
        return cs.simulate(kind=kind, **size).responses
    if kind == "contains":
        size |= {"model": "contains", "per_item": per_item}
        return cs.simulate(kind=kind, **size).responses
    generator = np.random.default_rng(fit)
    item = np.repeat(np.arange(items), per_item)
    asked = [generator.permutation(annotators)[:per_item] for _ in range(items)]
    truth, other = (generator.integers(2 + fit % 4, size=n) for n in (items, len(item)))
    right = generator.random(len(item)) < 0.7
    return pd.DataFrame(
        {
            "item": [f"i{each}" for each in item],
            "annotator": [f"a{each}" for each in np.concatenate(asked)],
            "label": [f"l{each}" for each in np.where(right, truth[item], other)],
        }
    )


def _places():
    maps = Path("/proc/self/maps")
    return maps.read_bytes().count(b"\n") if maps.exists() else 0


def _resident_mib():
    status = Path("/proc/self/status")
    if not status.exists():
        return peak_mib()
    line = next(row for row in status.read_text().split("\n") if "VmRSS" in row)
    return int(line.split()[1]) / 2**10
