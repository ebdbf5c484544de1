"""Models against what people see: by number of objects, by disagreement, by class."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from consilience.errors import OptionError
from consilience.figures.figure import (
    FREE,
    NAMES,
    VALUE,
    Charts,
    Figure,
    apart,
    chart,
    least,
    points_of,
    share_of,
    where,
)
from consilience.figures.record import StudyFigures
from consilience.tables import CATALOGUE
from consilience.tables.vega import DIAGONAL, INK, Axis, Estimates, Line

_NUMBERS = {
    "one_object": "1",
    "two_objects": "2",
    "three_objects": "3",
    "four_objects": "4 or more",
}
_METRICS = ("dataset_accuracy", "main_object", "accuracy")
_MEAN = "mean of the models"
_FEWEST = 3  # models that a slope is drawn through
_FEW = 4  # models that an axis gets room beside
_CLASSES = 20  # of a chart
_DATASET = "dataset"


def accuracy_by_objects(study: StudyFigures) -> Figure:
    """Return the accuracy of models by the number of objects of the items."""
    study.need_objects()
    name = "accuracy_by_objects"
    table = study.in_order(study.evaluation.models)
    best = study.models[-1]
    values = where(table, model=best, metric="accuracy").set_index("subset")
    if not {"one_object", "several_objects"} <= set(values.index):
        raise OptionError(
            "models are not compared on items of one and on items of several objects"
        )
    finding = (
        f"{best} names a valid object in {share_of(values.loc['several_objects'])} of "
        f"the items with several objects, and in {share_of(values.loc['one_object'])} "
        "of those with one."
    )
    rows = table[table["subset"].isin(_NUMBERS)]
    rows = _by_metric(name, rows.assign(objects=rows["subset"].map(_NUMBERS)))
    drawn = _paths(study, Axis(column="objects", names=True), panels="panel")
    size = apart(values.loc["several_objects"], values.loc["one_object"])
    charts = chart(name, rows, drawn)
    return Figure(name, table, finding, charts, size=size, models=True)


def accuracy_lost(study: StudyFigures) -> Figure:
    """Return how much accuracy models lose where items show several objects."""
    name, costs = "accuracy_lost", study.evaluation.costs
    if costs.empty:
        raise OptionError("no item has several labels or objects")
    table = study.beside(costs, name, ["metric", "model"])
    table = study.in_order(table, last=[_MEAN])
    means = where(table, model=_MEAN).set_index("metric").to_dict("index")
    metrics = {
        "dataset_accuracy": "by the data set's label",
        "accuracy": "by any valid label",
    }
    changes = [
        f"{'lose' if means[metric]['value'] >= 0 else 'gain'} "
        f"{points_of(_size(means[metric]))} {how}"
        for metric, how in metrics.items()
        if metric in means
    ]
    number = len(study.models)
    whose = f" (mean of {number} models)" if number > 1 else ""
    finding = (
        f"Where items show several objects, models {' and '.join(changes)}{whose}."
    )
    rows, hues = _by_metric(name, table), {**study.colours, _MEAN: INK}
    y = Axis(column="model", names=True)
    charts = chart(name, rows, Estimates(x=FREE, y=y, hues=hues, panels="panel"))
    size = max(
        (apart(means[metric]) for metric in metrics if metric in means), default=0
    )
    return Figure(name, table, finding, charts, size=size, models=True)


def _size(row: Mapping[Any, Any]) -> dict[str, float]:
    """Return a gain as a positive number, with the bounds of it."""
    value, lower, upper = (row[name] for name in ("value", "lower", "upper"))
    if value < 0:
        value, lower, upper = -value, -upper, -lower
    return {"value": value, "lower": lower, "upper": upper}


def _by_metric(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the metrics that a chart has panels of, in their order."""
    words = CATALOGUE[name].column("metric").values
    parts = [where(rows, metric=metric) for metric in _METRICS]
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(panel=rows["metric"].map(words))


def disagreement(study: StudyFigures) -> Figure:
    """Return the accuracy of models where people see another main object."""
    study.need_objects()
    name, subset = "disagreement", "other_main_label_several"
    models, chance = study.evaluation.models, study.evaluation.baselines
    rows = where(models, metric="dataset_accuracy", subset=subset)
    chance = where(chance, subset=subset).rename(columns={"baseline": "model"})
    if chance.empty or rows.empty:
        raise OptionError(
            "no item with several objects has another main label than the data set's"
        )
    table = study.in_order(pd.concat([rows, chance]), last=["random_object"])
    base = chance.iloc[0]
    drawn = _with_accuracy(study, table[table["model"] != "random_object"])
    better = int((drawn["lower"] > base["upper"]).sum())
    ends = (drawn["accuracy"].min(), drawn["accuracy"].max())
    line = Line(x=ends, y=(base["value"],) * 2, text="one of the objects at random")
    finding = (
        f"{better} of {len(drawn)} models predict the data set's label more often than "
        "chance where people see another main object (naming one of the objects at "
        f"random would do so in {share_of(base)})."
    )
    charts = _by_accuracy(study, name, drawn, line)
    facts = {"items": base["items"]}
    size = float((drawn["lower"] - base["upper"]).max().clip(0))
    return Figure(name, table, finding, charts, facts=facts, size=size, models=True)


def main_label(study: StudyFigures) -> Figure:
    """Return how often models predict the main label, beside their accuracy."""
    study.need_objects()
    name, models = "main_label", study.evaluation.models
    table = study.in_order(where(models, metric=name, subset="all"))
    drawn = _with_accuracy(study, table)
    x, y = (drawn[name].to_numpy(dtype=float) for name in ("accuracy", "value"))
    slope, ends = "", (x.min(), x.max())
    if len(x) >= _FEWEST and x.min() < x.max():
        slope = (
            " A point of accuracy by the data set's labels goes with "
            f"{np.polyfit(x, y, 1)[0]:.2f} points of accuracy by the main label."
        )
    best = drawn.iloc[-1]
    finding = (
        f"{best['model']} predicts the main label of {share_of(best)} of the items."
        f"{slope}"
    )
    line = Line(x=ends, y=ends, text="as often as the data set's label")
    charts, size = _by_accuracy(study, name, drawn, line), apart(best, best["accuracy"])
    return Figure(name, table, finding, charts, size=size, models=True)


def _by_accuracy(
    study: StudyFigures, name: str, rows: pd.DataFrame, *lines: Line
) -> Charts:
    """Return the chart of a value by the accuracy of the models."""
    # Points of two or three models would lie on the frame, and their ticks be many.
    low, high = rows["accuracy"].min(), rows["accuracy"].max()
    room = max(0.1 * (high - low), 0.05) if len(rows) <= _FEW else 0.0
    ends = (max(low - room, 0.0), min(high + room, 1.0)) if room else None
    x = Axis(column="accuracy", form=".0%", domain=ends)
    how = Estimates(x=x, y=FREE, hues=study.colours, legend="right", lines=lines)
    return chart(name, rows, how)


def _with_accuracy(study: StudyFigures, table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the accuracy by the data set's labels."""
    _ = study.dataset_labels
    models = where(study.evaluation.models, metric="dataset_accuracy", subset="all")
    accuracy = models.set_index("model")["value"]
    table = table.assign(accuracy=table["model"].map(accuracy))
    table = table.dropna(subset="accuracy")
    if table.empty:
        raise OptionError("no item that models predict has a label of the data set")
    return table


def calibration(study: StudyFigures) -> Figure:
    """Return how often labels are valid that models state with some probability."""
    name = "calibration"
    table = study.in_order(study.evaluation.calibration())
    gap = (table["stated"] - table["value"]).abs() * table["items"]
    error = gap.groupby(table["model"]).sum() / table.groupby("model")["items"].sum()
    order = [model for model in study.models if model in error.index]
    listed = ", ".join(f"{model} {error[model]:.3f}" for model in order[-5:])
    finding = (
        "Mean distance between the probability that a model states and the share of "
        f"its labels that are valid: {listed}."
    )
    drawn = _paths(study, replace(VALUE, column="stated"), lines=(DIAGONAL,))
    bins = where(table, model=order[-1]) if order else table
    outside = np.array([apart(row, row["stated"]) for _, row in bins.iterrows()])
    size = float(outside @ bins["items"] / max(bins["items"].sum(), 1))
    charts = chart(name, table, drawn)
    return Figure(name, table, finding, charts, size=size, models=True)


def validity_by_rank(study: StudyFigures) -> Figure:
    """Return how often the label of each rank of a model is valid."""
    name = "validity_by_rank"
    table = study.in_order(study.evaluation.by_rank())
    best = study.models[-1]
    ranks = where(table, model=best).set_index("rank")
    second = f", the second of {share_of(ranks.loc[2])}" if 2 in ranks.index else ""
    finding = (
        f"The first label of {best} is valid of {share_of(ranks.loc[1])} of the items"
        f"{second}."
    )
    rows = table.sort_values("rank", kind="stable")
    charts = chart(name, rows, _paths(study, Axis(column="rank", names=True)))
    size = least(ranks.loc[2]) if second else 0.0
    return Figure(name, table, finding, charts, size=size, models=True)


def _paths(study: StudyFigures, x: Axis, y: Axis = VALUE, **how: Any) -> Estimates:
    """Return a chart of the values of each model along x, joined by lines."""
    hues = study.colours
    return Estimates(x=x, y=y, hues=hues, legend="right", joined=True, **how)


def wrong_labels_repeated(study: StudyFigures) -> Figure:
    """Return the classes on which models follow the data set against people."""
    name, table = "wrong_labels_repeated", study.evaluation.labels
    if table.empty:
        _ = study.dataset_labels
        raise OptionError("no item has a label of the data set")
    bounds = {"repeated_lower": "lower", "repeated_upper": "upper"}
    table = study.in_order(table.rename(columns={"repeated": "value", **bounds}))
    weight = table["wrong"] * table["value"].fillna(0)
    expected = weight.groupby(table["label"]).mean()
    first = expected.sort_values(ascending=False, kind="stable").index[:_CLASSES]
    rows = table[table["label"].isin(first)].dropna(subset="value")
    place = {label: number for number, label in enumerate(first)}
    rows = rows.sort_values("label", key=lambda label: label.map(place), kind="stable")
    rows = rows.assign(name=[study.name_of(label) for label in rows["label"]])
    wrong = table.groupby("model")["wrong"].sum()
    share = weight.groupby(table["model"]).sum() / wrong
    best = study.models[-1]
    shown = ", ".join(rows["name"].drop_duplicates().head(3))
    finding = (
        f"Where people see something else than the data set's label, {best} still "
        f"predicts that label in {100 * share[best]:.1f} % of the items; most such "
        f"items are of {shown}."
    )
    drawn = Estimates(x=VALUE, y=NAMES, hues=study.colours, legend="right", rules=False)
    charts, facts = chart(name, rows, drawn), {"classes": _CLASSES}
    rows = where(table, model=best)
    lower, items = (rows[name].to_numpy(dtype=float) for name in ("lower", "wrong"))
    size = float(np.nan_to_num(lower) @ items / max(items.sum(), 1.0))
    return Figure(name, table, finding, charts, facts=facts, size=size, models=True)


def acceptance(study: StudyFigures) -> Figure:
    """Return how often people accept a model's prediction, beside its accuracy."""
    name, table = "acceptance", study.evaluation_by_answers.frequencies()
    whole = where(table, subset="all")
    accuracy = where(whole, statistic="accuracy").set_index("model")["value"]
    rows = where(whole, statistic="frequency")
    dataset = where(rows, model=_DATASET).iloc[0]
    rows = rows[rows["model"] != _DATASET]
    rows = rows.assign(accuracy=rows["model"].map(accuracy))
    rows = rows.sort_values("accuracy", kind="stable")
    less = where(whole, statistic="less_dataset")
    near = int(((less["lower"] <= 0) & (less["upper"] >= 0)).sum())
    ends = (rows["accuracy"].min(), rows["accuracy"].max())
    level = Line(x=ends, y=(dataset["value"],) * 2, text="the data set's label")
    if_alone = (ends[0] * dataset["value"], ends[1] * dataset["value"])
    alone = Line(x=ends, y=if_alone, text="if only right labels were accepted")
    best = rows.iloc[-1]
    finding = (
        f"People say yes to {share_of(best)} of the labels that {best['model']} "
        f"predicts, and to {share_of(dataset)} of the data set's labels; {near} of "
        f"{len(rows)} models cannot be distinguished from the data set's labels."
    )
    charts = _by_accuracy(study, name, rows, level, alone)
    facts = {
        "model": best["model"],
        "items": best["items"],
        "dataset_items": dataset["items"],
    }
    size = apart(best, dataset)
    return Figure(name, table, finding, charts, facts=facts, size=size, models=True)


def errors_by_acceptance(study: StudyFigures) -> Figure:
    """Return how often people accept the errors of each model."""
    name = "errors_by_acceptance"
    table = study.in_order(study.evaluation_by_answers.errors())
    bins = zip(table["low"], table["high"], strict=True)
    rows = table.assign(name=[f"{low:g} to {high:g}" for low, high in bins])
    often = table[table["low"] == table["low"].max()].set_index("model")
    worst, best = study.models[0], study.models[-1]
    finding = (
        f"Of the errors of {best}, {share_of(often.loc[best])} are labels that four in "
        f"five people or more accept; of {worst}'s, {share_of(often.loc[worst])}."
    )
    charts, size = chart(name, rows, _paths(study, NAMES, FREE)), least(often.loc[best])
    return Figure(name, table, finding, charts, size=size, models=True)
