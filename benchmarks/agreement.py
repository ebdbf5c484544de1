"""Agreement of a million answers, beside the libraries krippendorff and statsmodels.

Those two take a table of counts, items x labels, which is made here with NumPy as part
of what is timed; each gives one coefficient, without an interval.
"""

import tempfile
from pathlib import Path

from benchmarks.measure import Clock, Figures, alone, in_turn
from benchmarks.report import Report

SIZES = (
    {"items": 200_000, "annotators": 1000, "classes": 10, "per_item": 5},
    {"items": 200_000, "annotators": 1000, "classes": 1000, "per_item": 5},
)
QUICK = ({"items": 100, "annotators": 10, "classes": 3, "per_item": 5},)
# krippendorff makes a table of items x labels x labels; larger ones are not asked for.
MOST_CELLS = 10**8

NOTES = (
    (
        "Seconds from answers in memory to the coefficient, and peak memory in "
        "addition to that before, each in a separate process; medians. `all, without "
        "resamples`: all coefficients with intervals from the published variance. "
        "`all, 1,000 resamples`: also with intervals from the bootstrap over items."
    ),
    (
        "Seven answers in ten name the truth, the others a random label. Empty "
        "cells: the tables of the other programs would not fit in memory "
        "(krippendorff's is items x labels x labels)."
    ),
)


def make(
    *, path: str, items: int, annotators: int, classes: int, per_item: int
) -> dict[str, int]:
    """Write a crowd; that of `crowd` holds a confusion matrix for each annotator."""
    import numpy as np
    import pandas as pd

    generator = np.random.default_rng(0)
    truth = np.repeat(generator.integers(0, classes, items), per_item)
    guess = generator.integers(0, classes, len(truth))
    first = np.repeat(generator.integers(0, annotators, items), per_item)
    table = {
        "task": np.repeat(np.arange(items), per_item),
        "worker": (first + np.tile(np.arange(per_item), items)) % annotators,
        "label": np.where(generator.random(len(truth)) < 0.7, truth, guess),
    }
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(table).astype("str").to_parquet(path)
    return {"responses": len(truth)}


def run(*, quick: bool, repeats: int) -> Report:
    """Measure."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for number, size in enumerate(QUICK if quick else SIZES):
            path = str(Path(folder, f"{number}.parquet"))
            made = alone(("benchmarks.agreement", "make", {"path": path, **size}))
            taken = in_turn(_calls(path, size), repeats)
            rows += [
                {
                    "answers": made["responses"],
                    "labels": size["classes"],
                    "program": program,
                    "seconds": figures.get("seconds"),
                    "more MiB": _more(figures),
                    "alpha": figures.get("alpha"),
                    "Fleiss's kappa": figures.get("fleiss"),
                }
                for program, figures in taken.items()
            ]
    return Report("Agreement of many answers", rows, NOTES)


def ours(path: str, resamples: int) -> Figures:
    """Measure all coefficients."""
    import pandas as pd

    from consilience import read
    from consilience.analysis import agreement

    table = pd.read_parquet(path)[["task", "worker", "label"]]
    responses = read(table)
    clock = Clock()
    with clock.timed():
        found = agreement(responses, bootstrap=resamples)
    return {
        **clock.figures,
        "alpha": found["krippendorff"],
        "fleiss": found["fleiss"],
    }


def alpha_by_krippendorff(path: str) -> Figures:
    """Measure the library's alpha from counts."""
    import krippendorff

    item, label = _codes(path)
    clock = Clock()
    with clock.timed():
        counts = _counts(item, label)
        value = krippendorff.alpha(value_counts=counts, level_of_measurement="nominal")
    return {**clock.figures, "alpha": float(value)}


def kappa_by_statsmodels(path: str) -> Figures:
    """Measure the library's Fleiss's kappa from counts."""
    from statsmodels.stats.inter_rater import fleiss_kappa

    item, label = _codes(path)
    clock = Clock()
    with clock.timed():
        value = fleiss_kappa(_counts(item, label))
    return {**clock.figures, "fleiss": float(value)}


def _calls(path, size):
    small = size["items"] * size["classes"] ** 2 <= MOST_CELLS
    module = "benchmarks.agreement"
    return {
        "consilience: all, without resamples": lambda: alone(
            (module, "ours", {"path": path, "resamples": 0})
        ),
        "consilience: all, 1,000 resamples": lambda: alone(
            (module, "ours", {"path": path, "resamples": 1000})
        ),
        "krippendorff: alpha": lambda: (
            alone((module, "alpha_by_krippendorff", {"path": path})) if small else {}
        ),
        "statsmodels: Fleiss's kappa": lambda: (
            alone((module, "kappa_by_statsmodels", {"path": path})) if small else {}
        ),
    }


def _more(figures):
    if "peak_mib" not in figures:
        return None
    return figures["peak_mib"] - figures["before_mib"]


def _codes(path):
    import pandas as pd

    table = pd.read_parquet(path)
    return pd.factorize(table["task"])[0], pd.factorize(table["label"])[0]


def _counts(item, label):
    import numpy as np

    shape = int(item.max()) + 1, int(label.max()) + 1
    flat = np.bincount(item * shape[1] + label, minlength=shape[0] * shape[1])
    return flat.reshape(shape)
