"""What the interactive parts of the page need, as columns of small numbers.

Names are held once and pointed to. A list per item is one long column and, in `start`,
where each item's part begins. A number x, such as a probability or an entropy in nats,
is the whole number round(10,000 x), and -1 where it is not known.
"""

from typing import Any

import numpy as np
import pandas as pd

from consilience.reports.columns import answers, confusions, heat, objects, pairs
from consilience.reports.columns.coded import (
    ONE,
    Names,
    Numbers,
    estimate,
    group_starts,
    scale,
    scatter,
)
from consilience.reports.record import Report, Run

# Labels shown of an item: those that make a difference, within reason.
_MIN_PROBABILITY, _MAX_LABELS = 0.0005, 15


def columns(report: Report) -> dict[str, Any]:
    """Return what the page's program reads."""
    items, labels, people = Names(), Names(), Names()
    for run in report.runs:
        items.add(run.table("items")["item"])
        if run.kind != "contains":
            labels.add(pd.Series(run.table("labels")["label"].cat.categories))
    runs = [_run(run, items, labels, people) for run in report.runs]
    given = answers.answers(report.runs[0], items, labels, people)
    dataset_labels = report.dataset_labels
    per_item = pd.Series(
        [dataset_labels.get(name) for name in items.all()], dtype="str"
    )
    return {
        "kind": report.kind,
        "prob": report.prob,
        "runs": runs,
        "answers": given,
        "own": labels.add(per_item).tolist() if dataset_labels else [],
        "pairs": pairs.pairs(report, labels),
        "heat": heat.heat(report.study),
        "items": items.all(),
        "labels": labels.all(),
        "people": people.all(),
    }


def _run(run: Run, items: Names, labels: Names, people: Names) -> dict[str, Any]:
    number = len(items.codes)
    table = run.table("items")
    at = items.add(table["item"])
    content: dict[str, Any] = {
        "name": run.name,
        "best": scatter(labels.add(table["label"]), at, number),
        "p": scatter(scale(table["probability"], ONE), at, number),
        "entropy": scatter(scale(table["entropy"], ONE), at, number),
        "asked": scatter(table["responses"].to_numpy(np.int64), at, number),
        "tied": np.sort(at[table["tied"].to_numpy(bool)]).tolist(),
        "labels": _labels(run, items, labels),
        "confusion": confusions.confusions(run, people),
    }
    if "objects" in table:
        content["number"] = scatter(
            scale(table["objects"].astype(float), 1), at, number
        )
    if "objects" in run.tables:
        content["objects"] = objects.objects(run, items, labels)
    return content


def _labels(run: Run, items: Names, labels: Names) -> dict[str, Numbers]:
    table = run.table("labels")
    item = items.add(table["item"])
    p = table["probability"].to_numpy(float)
    order = np.lexsort((-np.nan_to_num(p), item))
    first = np.searchsorted(item[order], item[order])
    rank = np.arange(len(order)) - first
    contains = run.kind != "choice"
    min_probability = 0 if contains else _MIN_PROBABILITY
    kept = (rank < _MAX_LABELS) & ((p[order] >= min_probability) | (rank == 0))
    more = np.bincount(item[order][~kept], minlength=len(items.codes))
    rows = order[kept]
    return {
        **group_starts(item[rows], len(items.codes)),
        "label": labels.add(table["label"])[rows].tolist(),
        **estimate(table, rows),
        "more": more.tolist(),
    }
