"""Predictions for Label Studio: the labels of a fit beside the tasks of a project.

The tasks are those of an export, or those that `write_tasks` wrote. A task keeps its
data and gets one prediction, whose score is the probability of its least certain
decision: sorting by it puts first what is worth another look.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from consilience.errors import OptionError, UnreadableFileError
from consilience.responses.label_studio.tasks import item_field
from consilience.responses.sources.json_file import read_json

_HERE = ("labels", "image", "choices")  # the controls that `write_tasks` writes


@dataclass(frozen=True, slots=True)
class Control:
    """The tag of the labelling configuration that a prediction fills in."""

    from_name: str
    to_name: str
    type: str
    paths: Mapping[str, list[str]] = field(default_factory=dict)

    def value(self, labels: list[str]) -> dict[str, Any]:
        """Return labels as the value of a result."""
        if self.type == "rating":
            return {"rating": int(labels[0])} if labels else {}
        if self.type == "taxonomy":
            return {"taxonomy": [self.paths.get(label, [label]) for label in labels]}
        return {"choices": labels}


def write_predictions(
    labels: pd.DataFrame,
    path: Path,
    tasks: Path,
    note: Mapping[str, str | float],
    *,
    several: bool,
    item: str | None = None,
) -> None:
    """Write the tasks with predictions, to be imported into a project."""
    read_json(tasks)  # which says where a file is broken
    given = json.loads(tasks.read_text(encoding="utf-8-sig"))
    if not isinstance(given, list) or not all(
        isinstance(task, dict) and isinstance(task.get("data"), dict) for task in given
    ):
        msg = f"{tasks}: is not a list of tasks with data; export the project as JSON"
        raise UnreadableFileError(msg)
    by_item = dict(iter(labels.astype({"item": "str"}).groupby("item", observed=True)))
    control = _control(given, set(labels["label"].astype("str").unique()))
    version = f"consilience {note['version']} {note['model']}"
    written, matched = [], 0
    for task in given:
        name = _item(task, item, tasks)
        kept = {key: task[key] for key in ("id", "data", "meta") if key in task}
        if name in by_item:
            matched += 1
            kept["predictions"] = [
                _prediction(by_item[name], control, version, several=several)
            ]
        written.append(kept)
    if not matched:
        first = _item(given[0], item, tasks) if given else "none"
        msg = (
            f"{tasks}: no task is an item of the fit (the first task is {first!r}, the "
            f"first item {next(iter(by_item), 'none')!r}); name the field of the "
            "tasks' data that names the item (`item=`)"
        )
        raise OptionError(msg)
    text = json.dumps(written, ensure_ascii=False, indent=1)
    path.write_text(f"{text}\n", encoding="utf-8")


def _item(task: Mapping[str, Any], item: str | None, source: Path) -> str:
    field = item_field(task["data"], item, str(source))
    return str(task.get("id") if field is None else task["data"].get(field))


def _prediction(
    rows: pd.DataFrame, control: Control, version: str, *, several: bool
) -> dict[str, Any]:
    """Return the prediction of one task."""
    rows = rows.sort_values("probability", ascending=False, kind="stable")
    if several:
        chosen = rows[rows["probability"] > 0.5]
        score = float(
            rows["probability"].where(lambda p: p > 0.5, lambda p: 1 - p).min()
        )
    else:
        chosen = rows.head(1)
        score = float(chosen["probability"].iloc[0])
    result = {
        "from_name": control.from_name,
        "to_name": control.to_name,
        "type": control.type,
        "value": control.value([str(label) for label in chosen["label"]]),
        "score": score,
    }
    return {"model_version": version, "score": score, "result": [result]}


def _control(tasks: list[dict[str, Any]], labels: set[str]) -> Control:
    """Return the control whose answers in the export are most often our labels."""
    counts = Counter(
        (result["from_name"], result["to_name"], result["type"])
        for result in _results(tasks)
        if labels & _answers(result)
    )
    if not counts:
        return Control(*_HERE)
    chosen = counts.most_common(1)[0][0]
    paths = {
        str(path[-1]): path
        for result in _results(tasks)
        for path in result["value"].get("taxonomy") or ()
        if path
    }
    return Control(*chosen, paths)


def _results(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for task in tasks:
        for work in (
            *(task.get("annotations") or ()),
            *(task.get("completions") or ()),
        ):
            for result in work.get("result") or ():
                if {"from_name", "to_name", "type", "value"} <= set(result):
                    yield result


def _answers(result: Mapping[str, Any]) -> set[str]:
    value = result["value"]
    if result["type"] == "rating":
        return {str(value.get("rating"))}
    if result["type"] == "taxonomy":
        return {str(path[-1]) for path in value.get("taxonomy") or () if path}
    return set(map(str, value.get("choices") or ()))
