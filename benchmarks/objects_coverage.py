"""Whether intervals of objects hold what they promise, on simulated studies.

Studies are drawn by the package's simulator, which is not the model, and by a second
generator: annotators name every object that stands out above a threshold of their own,
and the one that stands out most is the main one. In it nobody stops at one object on
purpose, and what annotators name goes together.

Feeds `docs/reference/objects.md`.
"""

from dataclasses import asdict, replace
from time import process_time
from typing import Any

from benchmarks.harness import Report

STUDIES, SIZES = 8, (30, 150)  # of each kind, and their numbers of items
PEOPLE, PER_ITEM, LABELS = 20, 5, 20
SPREAD = 0.7  # of the thresholds of annotators, in units of the noise of one look
FIRST = 1000  # seed; constants were chosen with others
# Settings of the simulator, or how much further objects stand out.
KINDS: dict[str, dict[str, Any] | float] = {
    "as simulated by default": {},
    "low recall": {"recall": 0.25},
    "few objects": {"new": 0.7, "salience": 3.0},
    "thresholds, few with several": -1.6,
    "thresholds, many with several": 0.0,
}

NOTES = (
    (
        f"Of {STUDIES} studies of each kind and size ({PEOPLE} annotators, {PER_ITEM} "
        "an item, default settings of the fit): the true share of these items with "
        "several objects, its estimate, how often the 90 % interval of `study_summary` "
        "contains it, and the mean width of that."
    ),
    (
        "single_label, recall: how often the intervals of the table styles contain "
        "what the simulator drew from. accuracy: share of the intervals of annotators "
        "that contain how often the typical annotator gives the label that most would."
    ),
    (
        "The simulator's settings are those named; thresholds: `benchmarks."
        "objects_coverage.above_thresholds`. CPU s: median, compiling included."
    ),
)


def objects_coverage(*, quick: bool, repeats: int) -> Report:
    """Fit every kind by default, and count what intervals contain."""
    del repeats
    kinds = list(KINDS)[:1] if quick else list(KINDS)
    table = [
        _row(kind, items, 1 if quick else STUDIES)
        for items in (SIZES[:1] if quick else SIZES)
        for kind in kinds
    ]
    if not quick:
        table += [
            {"kind": "all", "items": items, "holds": _mean(table, items, "holds")}
            for items in SIZES
        ]
    return Report("Coverage of the intervals of objects", table, NOTES)


def _mean(table: list[dict[str, Any]], items: int, name: str) -> float:
    values = [row[name] for row in table if row["items"] == items]
    return sum(values) / len(values)


def _row(kind: str, items: int, studies: int) -> dict[str, Any]:
    import numpy as np

    each = [_study(KINDS[kind], items, FIRST + seed) for seed in range(studies)]

    def mean(name: str) -> float | None:
        values = [study[name] for study in each if name in study]
        return float(np.mean(values)) if values else None

    return {
        "kind": kind,
        "items": items,
        **{
            name.replace("_", " "): mean(name)
            for name in ("true", "estimate", "holds", "width")
        },
        "single_label": mean("single_label"),
        "recall": mean("recall"),
        "accuracy": mean("accuracy"),
        "CPU s": float(np.median([study["seconds"] for study in each])),
    }


def _study(design: dict[str, Any] | float, items: int, seed: int) -> dict[str, Any]:
    import consilience as cs

    inside: dict[str, float] = {}
    if isinstance(design, dict):
        study = cs.simulate(
            kind="objects",
            items=items,
            annotators=PEOPLE,
            per_item=PER_ITEM,
            classes=LABELS,
            prior=design or None,
            seed=seed,
        )
        responses, several = study.responses, _several(study.truth["objects"])
    else:
        responses, several = above_thresholds(items, design, seed)
    started = process_time()
    fit = cs.fit(responses, seed=0)
    seconds = process_time() - started
    if isinstance(design, dict):
        inside = _inside(fit, design, study.truth["objects"])
    row = (
        cs.analysis.study_summary(fit, responses)
        .set_index("statistic")
        .loc["several_objects"]
    )
    return {
        "true": several,
        "estimate": row["value"],
        "holds": row["lower"] <= several <= row["upper"],
        "width": row["upper"] - row["lower"],
        "seconds": seconds,
        **inside,
    }


def _several(truth: Any) -> float:
    objects = truth.drop_duplicates(["item", "object"])
    number = (objects["reported"] > 0.5).groupby(objects["item"]).sum()
    return float((number > 1).mean())


def _inside(fit: Any, design: dict[str, Any], truth: Any) -> dict[str, float]:
    """Return which intervals contain what the simulator drew from."""
    from consilience.simulation import ObjectsSettings

    settings = ObjectsSettings(**design)
    common = (truth["salience"] * truth["naming"]).groupby(truth["item"]).max().mean()
    people = fit.annotators()
    styles = fit.table("styles").set_index("style")
    return {
        "accuracy": (people["lower"].le(common) & people["upper"].ge(common)).mean(),
        **{
            name: styles["lower"][name] <= true <= styles["upper"][name]
            for name, true in asdict(settings).items()
            if name in ("single_label", "recall")
        },
    }


def above_thresholds(items: int, stands_out: float, seed: int) -> tuple[Any, float]:
    """Draw a study, and return the share of its items with several objects.

    An object stands out by some number, one of each item by more than one; annotators
    name those that do so by more than their threshold, with the noise of each look. Two
    fifths of the objects have two names.
    """
    import numpy as np
    import pandas as pd
    from scipy.stats import norm

    import consilience as cs

    generator = np.random.default_rng(seed)
    threshold = SPREAD * generator.normal(size=PEOPLE)
    rows, offered, several = [], [], 0
    for item in range(items):
        number = min(1 + generator.poisson(1.0), 4)
        visible = generator.normal(stands_out, 1.0, number)
        visible[0] = 1.2 + abs(visible[0])
        several += (norm.cdf(visible / np.hypot(1, SPREAD)) > 0.5).sum() > 1
        names = 1 + (generator.random(number) < 0.4)
        last = names.cumsum()
        labels = generator.permutation(LABELS)[: last[-1]]
        shares = [generator.dirichlet(np.full(many, 1.5)) for many in names]
        offered += [(f"item{item}", f"class{label}") for label in labels]
        for who in generator.permutation(PEOPLE)[:PER_ITEM]:
            seen = visible + generator.normal(size=number) - threshold[who]
            main = seen.argmax()
            for thing in np.flatnonzero((seen > 0) | (np.arange(number) == main)):
                name = generator.choice(names[thing], p=shares[thing])
                label = labels[last[thing] - names[thing] + name]
                answer = (f"item{item}", f"annotator{who}", f"{item}/{who}")
                rows.append((*answer, f"class{label}", thing == main))
    columns = ["item", "annotator", "response_id", "label", "main"]
    responses = cs.read(
        pd.DataFrame(rows, columns=columns),
        kind="objects",
        labels=[f"class{label}" for label in range(LABELS)],
        offered=pd.DataFrame(offered, columns=["item", "label"]),
    )
    first = pd.DataFrame(offered, columns=["item", "dataset_label"])
    items_table = first.drop_duplicates("item").reset_index(drop=True).astype("str")
    return replace(responses, items=items_table), several / items
