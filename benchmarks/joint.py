"""Objects and Contains in one likelihood: held-out responses with and without.

About 3,707 of the 6,761 images of the ImageNet multi-label study, other annotators were
asked in another study whether labels are in the image (no, maybe, yes; five answers to
each pair of image and label). One fold of the items is foreseen by a model fitted to
the others, with and without these answers.
"""

import numpy as np

from benchmarks.public_data import not_run, public_data
from benchmarks.report import Report

HELD = 0
TOLERANCE = 1e-6  # nats an answer, .06 in all: where a climb stops
OBSERVED = (None, 1)

NOTES = (
    (
        "Mean log predictive density of a held-out response, in nats; ± by item, as "
        "in `objects`. Responses about the items of one fold of five are predicted "
        "by em fitted to the other four. gain: relative to the same model without "
        "the answers of kind contains, paired by item."
    ),
    (
        "asked: items with such answers about their candidates. The others are "
        "predicted by the parameters alone."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Foresee every response of a fold with and without answers of kind contains."""
    del repeats
    title = "Objects and Contains in one likelihood"
    folder = public_data("imagenet-multilabel", "reassessed-imagenet", quick=quick)
    if folder is None:
        return not_run(title)
    import consilience as cs

    responses = cs.read(folder / "imagenet-multilabel")
    contains = cs.read(folder / "reassessed-imagenet")
    rows = []
    for observed in OBSERVED:
        rows += _foreseen(responses, contains, observed)
    return Report(title, rows, NOTES)


def _foreseen(responses, contains, observed) -> list[dict]:
    import consilience as cs
    from benchmarks.held_out import study
    from consilience.inference import EngineOptions

    given = study(responses)
    fold = np.empty(len(given.code), int)
    fold[given.code] = given.fold
    told = {
        name: cs.cross_validate_objects(
            responses,
            fold,
            only=[HELD],
            others=observed,
            seed=1,
            contains=beside,
            effort=EngineOptions(tolerance=TOLERANCE),
        )
        for name, beside in (("objects alone", None), ("with contains", contains))
    }
    asked = set(contains.table["item"].cat.categories)
    rows = []
    for question in ("selected", "main"):
        for items in ("asked", "others"):
            bar = None
            for name, found in told.items():
                here = found["item"].astype("str").isin(asked) == (items == "asked")
                row, bar = _row(found[here], question, bar)
                about = {"question": question, "observed": str(observed or 8)}
                rows.append({**about, "items": items, "method": name, **row})
    return rows


def _row(found, question, bar):
    """Return a row, and the sum of each item's logs and how many they are."""
    from benchmarks.held_out import clustered

    each = found.loc[found.index.repeat(found["n"])]
    code, item = np.unique(each["item"].astype("str"), return_inverse=True)
    told = each[question].to_numpy()
    sums = np.bincount(item, told, len(code))
    row = {
        "nats": round(float(told.mean()), 4),
        "±": round(clustered(told, item), 4),
        "accuracy": None if question != "main" else round(float(each["top"].mean()), 4),
        "gain": None,
        "± gain": None,
    }
    if bar is not None:
        apart = sums - bar
        error = np.sqrt(apart.var(ddof=1) * len(apart)) / len(told)
        row |= {
            "gain": round(float(apart.sum() / len(told)), 4),
            "± gain": round(float(error), 4),
        }
    return row, sums if bar is None else bar
