"""What the interactive parts of the page need, as columns of small numbers.

Names are held once and pointed to. A list per item is one long column and, in `start`,
where each item's part begins. A number x, such as a probability or an entropy in nats,
is the whole number round(10,000 x), and -1 where it is not known.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int

from consilience.errors import ConsilienceError
from consilience.figures import StudyFigures
from consilience.figures.record import PEOPLE
from consilience.reports.record import Report, Run
from consilience.truth.named import label_groups

type Numbers = list[int]
ONE = 10_000
# Cells of confusions by annotator: some megabyte of the page.
MAX_CELLS = 120_000


class Names:
    """Names in order of first appearance, each with its code."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}

    def add(self, column: pd.Series) -> Int[np.ndarray, " N"]:
        """Return the codes of a column's names; null is -1."""
        codes, names = pd.factorize(column)
        numbers = [self.codes.setdefault(str(name), len(self.codes)) for name in names]
        return np.append(np.asarray(numbers, np.int64), -1)[codes]

    def all(self) -> list[str]:
        """Return the names."""
        return list(self.codes)


def answers(run: Run, items: Names, labels: Names, people: Names) -> dict[str, Any]:
    """Return who gave which answers about each item."""
    if run.answers is None:
        return {}
    table = run.answers
    item = items.add(table["item"])
    order = np.argsort(item, kind="stable")
    order = order[item[order] >= 0]
    content: dict[str, Any] = {
        **group_starts(item[order], len(items.codes)),
        "who": people.add(table["annotator"])[order].tolist(),
        "label": labels.add(table["label"])[order].tolist(),
    }
    if run.kind == "contains":
        words = pd.Categorical(table["answer"], categories=["no", "maybe", "yes"])
        content["answer"] = words.codes[order].tolist()
    if (table["n"] != 1).any():
        content["n"] = table["n"].to_numpy(np.int64)[order].tolist()
    if "main" in table:
        content["main"] = table["main"].to_numpy(np.int64)[order].tolist()
        content["response"] = table["response"].to_numpy(np.int64)[order].tolist()
    return content


def scale(values: Iterable[float], factor: int) -> Int[np.ndarray, " N"]:
    """Return numbers as whole numbers of a scale; what is not finite is -1."""
    number = np.asarray(pd.Series(values, dtype="float64"))
    finite = np.isfinite(number)
    whole = np.rint(np.where(finite, number, 0) * factor)
    return np.where(finite, whole, -1).astype(int)


def estimate(table: pd.DataFrame, rows: Int[np.ndarray, " N"]) -> dict[str, Numbers]:
    """Return the probabilities of some rows with their bounds."""
    taken = table.iloc[rows]
    return {
        "p": scale(taken["probability"], ONE).tolist(),
        "lower": scale(taken["lower"], ONE).tolist(),
        "upper": scale(taken["upper"], ONE).tolist(),
    }


def group_starts(owner: Sequence[int] | np.ndarray, number: int) -> dict[str, Numbers]:
    """Return where each owner's part begins, in a column sorted by owner."""
    return {"start": np.searchsorted(owner, np.arange(number + 1)).tolist()}


def scatter(
    values: Int[np.ndarray, " N"], at: Int[np.ndarray, " N"], number: int
) -> Numbers:
    """Return values in the order of all items; -1 for an item that has none."""
    scattered = np.full(number, -1)
    scattered[at] = values
    return scattered.tolist()


def confusions(run: Run, people: Names) -> dict[str, Any]:
    """Return a run's confusions, an owner after the other."""
    table = run.table("confusion")
    if table.empty:
        return {}
    true, given = Names(), Names()
    true.add(pd.Series(table["true_label"].cat.categories))
    given.add(pd.Series(table["given_label"].cat.categories))
    who = people.add(table["annotator"])
    cells = np.bincount(who + 1, minlength=len(people.codes) + 1)
    shown = _busiest(run, people, cells)
    place = np.full(len(cells), -1)
    place[np.append(0, shown + 1)] = np.arange(len(shown) + 1)
    owner = place[who + 1]
    rows = np.flatnonzero(owner >= 0)
    rows = rows[np.argsort(owner[rows], kind="stable")]
    return {
        **group_starts(owner[rows], len(shown) + 1),
        "who": [-1, *shown.tolist()],
        "left": int((cells[1:] > 0).sum() - len(shown)),
        "true": true.all(),
        "given": given.all(),
        "t": true.add(table["true_label"])[rows].tolist(),
        "g": given.add(table["given_label"])[rows].tolist(),
        **estimate(table, rows),
    }


def _busiest(
    run: Run, people: Names, cells: Int[np.ndarray, " J"]
) -> Int[np.ndarray, " S"]:
    """Return the annotators who answered most, as many as there is room for."""
    table = run.table("annotators")
    if table.empty:
        return np.zeros(0, np.int64)
    order = table.sort_values("responses", ascending=False, kind="stable")
    busy = people.add(order["annotator"])
    busy = busy[busy + 1 < len(cells)]
    busy = busy[cells[busy + 1] > 0]
    kept: np.ndarray = busy[cells[0] + np.cumsum(cells[busy + 1]) <= MAX_CELLS]
    return kept


def heat(study: StudyFigures | None) -> dict[str, Any] | None:
    """Return the confusions of a study, classes first; None where there are none."""
    if study is None:
        return None
    try:
        cells = study.confusion(0)
    except ConsilienceError:
        return None
    labels = study.responses.labels
    classes = cells[["true_label", "given_label"]].astype("str").to_numpy()
    codes = pd.Index(labels["label"].astype("str"))
    codes = codes[codes.isin(classes.ravel())]  # superclasses may be labels as well
    levels = [(np.arange(len(codes)), codes)]
    tables = [cells]
    for level in range(1, study.depth + 1):
        with suppress(ConsilienceError):  # people's alone has one level of superclasses
            tables.append(study.confusion(level))
            levels.append(label_groups(codes, labels, level))
    there = set(tables[0]["who"].astype("str"))
    models = study.models if there - {PEOPLE} else []
    who = [PEOPLE, *reversed(models)]
    return {
        "who": who,
        "levels": [
            {
                "names": [study.name_of(label) for label in names],
                "up": _up(
                    groups, levels[place + 1][0] if place + 1 < len(levels) else None
                ),
                "parties": [_party(table, one, names) for one in who],
            }
            for place, ((groups, names), table) in enumerate(
                zip(levels, tables, strict=True)
            )
        ],
    }


def _up(
    groups: Int[np.ndarray, " K"], above: Int[np.ndarray, " K"] | None
) -> list[int]:
    """Return the place above of each group; of the last level there is none."""
    if above is None:
        return []
    first = np.unique(groups, return_index=True)[1]
    return [int(place) for place in above[first]]


def _party(table: pd.DataFrame, who: str, names: pd.Index) -> dict[str, Any]:
    cells = table[(table["who"].astype("str") == who) & (table["probability"] > 0)]
    return {
        "t": names.get_indexer(pd.Index(cells["true_label"].astype("str"))).tolist(),
        "g": names.get_indexer(pd.Index(cells["given_label"].astype("str"))).tolist(),
        **estimate(cells, np.arange(len(cells))),
    }


def objects(run: Run, items: Names, labels: Names) -> dict[str, Any]:
    """Return what a run of kind objects says of each item."""
    table, number = run.table("objects"), len(items.codes)
    item = items.add(table["item"])
    order = np.lexsort((table["object"].to_numpy(), item))
    content: dict[str, Any] = {
        **group_starts(item[order], number),
        "object": table["object"].to_numpy(np.int64)[order].tolist(),
        "label": labels.add(table["label"])[order].tolist(),
        "share": scale(table["share"], ONE)[order].tolist(),
        "p": scale(table["probability"], ONE)[order].tolist(),
        "main": scale(table["main_probability"], ONE)[order].tolist(),
    }
    counts = run.table("object_counts")
    if len(counts):
        at = items.add(counts["item"])
        order = np.lexsort((counts["objects"], counts["tau"].fillna(-1), at))
        content["counts"] = {
            **group_starts(at[order], number),
            "tau": scale(counts["tau"], ONE)[order].tolist(),
            "objects": counts["objects"].to_numpy(np.int64)[order].tolist(),
            "p": scale(counts["probability"], ONE)[order].tolist(),
        }
    same = run.table("same_object")
    if len(same):
        at = items.add(same["item"])
        order = np.argsort(at, kind="stable")
        content["same"] = {
            **group_starts(at[order], number),
            "a": labels.add(same["label_a"])[order].tolist(),
            "b": labels.add(same["label_b"])[order].tolist(),
            "p": scale(same["probability"], ONE)[order].tolist(),
        }
        if "synonyms" in same:
            content["same"]["synonyms"] = scale(same["synonyms"], ONE)[order].tolist()
    ambiguity = run.table("ambiguity")
    if len(ambiguity):
        at = items.add(ambiguity["item"])
        content["ambiguity"] = {
            part: scatter(scale(ambiguity[part], ONE), at, number)
            for part in ("structure", "naming", "salience")
        }
    return content


def pairs(report: Report, labels: Names) -> dict[str, Any]:
    """Return the pairs of the report's tables; those of choice are in its confusion."""
    content: dict[str, Any] = {}
    table = report.pairs.get("objects_that_come_together")
    if table is not None:
        content["together"] = {
            "a": labels.add(table["class_label"]).tolist(),
            "b": labels.add(table["label"]).tolist(),
            "together": table["together"].to_numpy(np.int64).tolist(),
            "items": table["items"].to_numpy(np.int64).tolist(),
            "share": scale(table["share"], ONE).tolist(),
        }
    table = report.pairs.get("labels_with_another_main_object")
    if table is not None:
        content["confused"] = {
            "a": labels.add(table["label_a"]).tolist(),
            "b": labels.add(table["label_b"]).tolist(),
            "there": scale(table["a_called_b"], ONE).tolist(),
            "back": scale(table["b_called_a"], ONE).tolist(),
        }
    return content


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
    given = answers(report.runs[0], items, labels, people)
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
        "pairs": pairs(report, labels),
        "heat": heat(report.study),
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
        "confusion": confusions(run, people),
    }
    if "objects" in table:
        content["number"] = scatter(
            scale(table["objects"].astype(float), 1), at, number
        )
    if "objects" in run.tables:
        content["objects"] = objects(run, items, labels)
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
