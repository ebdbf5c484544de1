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
from consilience.reports.content import Report, Run
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
    numbers = ["n"] if (table["n"] != 1).any() else []
    numbers += [name for name in ("main", "response") if name in table]
    for name in numbers:
        content[name] = table[name].to_numpy(np.int64)[order].tolist()
    return content


def scale(values: Iterable[float], factor: int) -> Int[np.ndarray, " N"]:
    """Return numbers as whole numbers of a scale; what is not finite is -1."""
    number = np.asarray(pd.Series(values, dtype="float64"))
    finite = np.isfinite(number)
    whole = np.rint(np.where(finite, number, 0) * factor)
    return np.where(finite, whole, -1).astype(int)


def estimate(table: pd.DataFrame, rows: Int[np.ndarray, " N"]) -> dict[str, Numbers]:
    """Return the probabilities of some rows with their bounds."""
    columns = {"p": "probability", "lower": "lower", "upper": "upper"}
    taken = table.iloc[rows]
    return {short: scale(taken[name], ONE).tolist() for short, name in columns.items()}


def _numbers(
    table: pd.DataFrame, labels: Names, columns: Iterable[str]
) -> dict[str, Numbers]:
    """Return columns as whole numbers: text as codes of labels, shares to scale."""
    numbers = {}
    for name in columns:
        column = table[name]
        if pd.api.types.is_float_dtype(column):
            numbers[name] = scale(column, ONE).tolist()
        elif pd.api.types.is_numeric_dtype(column):
            numbers[name] = column.to_numpy(np.int64).tolist()
        else:
            numbers[name] = labels.add(column).tolist()
    return numbers


def _by_item(
    table: pd.DataFrame, items: Names, labels: Names, columns: Iterable[str]
) -> dict[str, Any]:
    """Return columns of a table, in the order of the items."""
    item = items.add(table["item"])
    order = np.argsort(item, kind="stable")
    starts = group_starts(item[order], len(items.codes))
    return {**starts, **_numbers(table.iloc[order], labels, columns)}


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


def confusions(run: Run, people: Names, true: Names, given: Names) -> dict[str, Any]:
    """Return a run's confusions, an owner after the other."""
    table = run.table("confusion")
    if table.empty:
        return {}
    who = people.add(table["annotator"])
    cells = np.bincount(who + 1, minlength=len(people.codes) + 1)
    shown = _busiest(run, people, cells)
    place = np.full(len(cells), -1)
    place[np.append(0, shown + 1)] = np.arange(len(shown) + 1)
    ends = true.add(table["true_label"]), given.add(table["given_label"])
    return {
        **_cells(table, place[who + 1], len(shown) + 1, ends),
        "who": [-1, *shown.tolist()],
        "left": int((cells[1:] > 0).sum() - len(shown)),
        "true": list(true.codes),
        "given": list(given.codes),
        "items": scale(
            pd.Series(list(true.codes)).map(_true_items(run)).fillna(0), 10
        ).tolist(),
    }


def _true_items(run: Run) -> dict[str, float]:
    """Return of how many items each label is the truth, where that can be counted."""
    labels, p = run.table("labels"), "probability"
    if run.kind == "contains":
        present = float(labels[p].sum())
        return {"present": present, "absent": len(labels) - present}
    if "objects" in run.tables:
        labels, p = run.table("objects"), "main_probability"
        labels = labels.assign(main_probability=labels[p] * labels["share"])
    number = labels.groupby("label", observed=True)[p].sum()
    return {str(label): float(items) for label, items in number.items()}


def _cells(
    table: pd.DataFrame,
    owner: Int[np.ndarray, " N"],
    number: int,
    ends: tuple[Int[np.ndarray, " N"], Int[np.ndarray, " N"]],
) -> dict[str, Any]:
    """Return the cells of matrices in the order of their owners; -1 has none."""
    rows = np.flatnonzero(owner >= 0)
    rows = rows[np.argsort(owner[rows], kind="stable")]
    return {
        **group_starts(owner[rows], number),
        "t": ends[0][rows].tolist(),
        "g": ends[1][rows].tolist(),
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
    return busy[cells[0] + np.cumsum(cells[busy + 1]) <= MAX_CELLS]


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
    classes_of_items = study.dataset_labels["label"].astype("str")
    of_class = classes_of_items.value_counts().reindex(codes, fill_value=0)
    levels = [(np.arange(len(codes)), codes)]
    tables = [cells]
    for level in range(1, study.depth + 1):
        with suppress(ConsilienceError):  # people's alone has one level of superclasses
            tables.append(study.confusion(level))
            levels.append(label_groups(codes, labels, level))
    there = set(tables[0]["model"].astype("str"))
    models = study.models if there - {PEOPLE} else []
    who = [PEOPLE, *reversed(models)]
    contents = []
    for place, (groups, names) in enumerate(levels):
        called = [study.name_of(label) for label in names]
        first = np.unique(groups, return_index=True)[1]
        above = [group[first].tolist() for group, _ in levels[place + 1 :][:1]]
        items = np.bincount(groups, of_class, len(names))
        head = {"true": called, "given": called, "up": above[0] if above else []}
        head["items"] = scale(items, 10).tolist()
        contents.append(head | _level(tables[place], who, names))
    return {"who": who, "levels": contents}


def _level(table: pd.DataFrame, who: list[str], names: pd.Index) -> dict[str, Any]:
    table = table[table["probability"] > 0]
    owner = pd.Index(who).get_indexer(pd.Index(table["model"].astype("str")))
    true, given = (
        names.get_indexer(pd.Index(table[end].astype("str")))
        for end in ("true_label", "given_label")
    )
    return _cells(table, owner, len(who), (true, given))


_OBJECTS = ("object", "label", "share", "probability", "main_probability")
_SAME = ("label", "other_label", "probability", "synonyms")


def objects(run: Run, items: Names, labels: Names) -> dict[str, Any]:
    """Return what a run of kind objects says of each item."""
    table = run.table("objects").sort_values("object", kind="stable")
    content = _by_item(table, items, labels, _OBJECTS)
    counts, same = run.table("object_counts"), run.table("same_object")
    if len(counts):
        by_rule = counts.sort_values(["threshold", "objects"], na_position="first")
        stated = ("threshold", "objects", "probability")
        content["counts"] = _by_item(by_rule, items, labels, stated)
    if len(same):
        there = [name for name in _SAME if name in same]
        content["same"] = _by_item(same, items, labels, there)
    ambiguity = run.table("ambiguity")
    if len(ambiguity):
        at = items.add(ambiguity["item"])
        content["ambiguity"] = {
            part: scatter(scale(ambiguity[part], ONE), at, len(items.codes))
            for part in ("structure", "naming", "salience")
        }
    return content


# Labels shown of an item: those that make a difference, within reason.
_MIN_PROBABILITY, _MAX_LABELS = 0.0005, 15


def columns(report: Report) -> dict[str, Any]:
    """Return what the page's program reads."""
    items, labels, people, true, given = (Names() for _ in range(5))
    for run in report.runs:
        items.add(run.table("items")["item"])
        if run.kind != "contains":
            labels.add(pd.Series(run.table("labels")["label"].cat.categories))
        cells = run.table("confusion")
        for end, ends in (("true_label", true), ("given_label", given)):
            if len(cells):
                used = cells[end].cat.remove_unused_categories()
                ends.add(pd.Series(used.cat.categories))
    runs = [
        _run(run, items, labels) | {"confusion": confusions(run, people, true, given)}
        for run in report.runs
    ]
    dataset_labels, texts = report.dataset_labels, report.runs[0].texts
    per_item = pd.Series([*map(dataset_labels.get, items.codes)], dtype="str")
    return {
        "kind": report.kind,
        "prob": report.prob,
        "runs": runs,
        "answers": answers(report.runs[0], items, labels, people),
        "own": labels.add(per_item).tolist() if dataset_labels else [],
        "heat": heat(report.study),
        "items": list(items.codes),
        "texts": [texts.get(item, "") for item in items.codes] if texts else [],
        "labels": list(labels.codes),
        "people": list(people.codes),
    }


def _run(run: Run, items: Names, labels: Names) -> dict[str, Any]:
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
    }
    if "objects" in table:
        objects_of = table["objects"].astype(float)
        content["number"] = scatter(scale(objects_of, 1), at, number)
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
