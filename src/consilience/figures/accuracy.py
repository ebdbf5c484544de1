"""Models against what people see: by number of objects, by disagreement, by class."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from consilience.analysis import error_frequencies, model_calibration
from consilience.analysis import validity_by_rank as rank_validity
from consilience.errors import OptionError
from consilience.figures import charts
from consilience.figures.charts import SHARE, Axis, Line
from consilience.figures.figure import Figure, percent, points, share_of
from consilience.figures.record import StudyFigures

METRICS = {
    "dataset_accuracy": "the data set's label",
    "main_object": "a name of the main object",
    "accuracy": "a name of any valid object",
}
_NUMBERS = {
    "one_object": "1",
    "two_objects": "2",
    "three_objects": "3",
    "four_objects": "4 or more",
}
_MEAN = "mean of the models"
_CLASSES = 20  # of a chart
_ACCURACY = Axis(column="accuracy", title="accuracy by the data set's labels", form="%")
_DATASET = "dataset"


def accuracy_by_objects(study: StudyFigures) -> Figure:
    """Return the accuracy of models by the number of objects of the items."""
    study.need_objects()
    table = study.in_order(study.evaluation.models)
    rows = table[table["metric"].isin(METRICS) & table["subset"].isin(_NUMBERS)]
    rows = rows.assign(
        panel=rows["metric"].map(METRICS),
        objects=rows["subset"].map(_NUMBERS),
        text=[
            f"{row['model']}: {METRICS[row['metric']]}, {_NUMBERS[row['subset']]} "
            f"objects: {share_of(row)}"
            for _, row in rows.iterrows()
        ],
    )
    rows = _by_metric(rows)
    x = Axis(column="objects", title="objects of the item")
    y = Axis(column="value", title="share of items", domain=SHARE, form="%")
    best = study.models[-1]
    of_best = table[(table["model"] == best) & (table["metric"] == "accuracy")]
    values = of_best.set_index("subset")
    if not {"one_object", "several_objects"} <= set(values.index):
        msg = "models are not compared on items of one and on items of several objects"
        raise OptionError(msg)
    one, several = (values.loc[name] for name in ("one_object", "several_objects"))
    return Figure(
        name="accuracy_by_objects",
        title="Accuracy by number of objects",
        finding=(
            f"{best} names a valid object in {share_of(several)} of the items with "
            f"several objects, and in {share_of(one)} of those with one."
        ),
        note=(
            "Of items with answers. The first label of each model. The number of "
            "objects and which labels are valid are from the same posterior draws."
        ),
        table=table,
        charts={
            "": lambda: charts.paths(
                rows, x, y, panels="panel", ordinal=True, hues=study.colours
            )
        },
        models=True,
    )


def accuracy_lost(study: StudyFigures) -> Figure:
    """Return how much accuracy models lose where items show several objects."""
    costs = study.evaluation.costs
    if costs.empty:
        msg = "no item has several labels or objects"
        raise OptionError(msg)
    table = study.beside(costs, "accuracy_lost", ["metric", "model"])
    table = study.in_order(table, last=[_MEAN])
    means = table[table["model"] == _MEAN].set_index("metric")
    lost = means.loc["dataset_accuracy"] if "dataset_accuracy" in means.index else None
    fair = means.loc["accuracy"]
    by_valid = f"{_lost(fair)} by any valid label"
    number = len(study.models)
    whose = f" (mean of {number} models)" if number > 1 else ""
    by_dataset = "" if lost is None else f"{_lost(lost)} by the data set's label and "
    finding = (
        f"Where items show several objects, models lose {by_dataset}{by_valid}{whose}."
    )
    rows = _by_metric(table[table["metric"].isin(METRICS)])
    rows = rows.assign(
        panel=rows["metric"].map(METRICS),
        text=[
            f"{row['model']}: {METRICS[row['metric']]}: "
            f"{points(row['value'], row['lower'], row['upper'])}"
            for _, row in rows.iterrows()
        ],
    )
    x = Axis(column="value", title="accuracy lost, share of items", form="%")
    hues = {**study.colours, _MEAN: "var(--ink)"}
    return Figure(
        name="accuracy_lost",
        title="What models lose where items show several objects",
        finding=finding,
        note=(
            "Accuracy on items with one object less that on items with several, each "
            "by the data set's label, by a name of the main object, and by a name of "
            "any valid object. Below zero: more accurate where there are several."
        ),
        table=table,
        charts={
            "": lambda: charts.intervals(rows, x, "model", hues=hues, panels="panel")
        },
        leads=True,
        models=True,
    )


def _lost(row: Any) -> str:
    return points(row["value"], row["lower"], row["upper"])


def disagreement(study: StudyFigures) -> Figure:
    """Return the accuracy of models where people see another main object."""
    study.need_objects()
    subset = "other_main_label_several"
    models = study.evaluation.models
    rows = models[
        (models["metric"] == "dataset_accuracy") & (models["subset"] == subset)
    ]
    chance = study.evaluation.baselines
    chance = chance[chance["subset"] == subset].rename(columns={"baseline": "model"})
    if chance.empty or rows.empty:
        msg = "no item with several objects has another main label than the data set's"
        raise OptionError(msg)
    table = study.in_order(pd.concat([rows, chance]), last=["random_object"])
    base = chance.iloc[0]
    drawn = _with_accuracy(study, table[table["model"] != "random_object"])
    better = int((drawn["lower"] > base["upper"]).sum())
    ends = (drawn["accuracy"].min(), drawn["accuracy"].max())
    line = Line(x=ends, y=(base["value"],) * 2, text="one of the objects at random")
    return Figure(
        name="disagreement",
        title="Models where people see another main object",
        finding=(
            f"{better} of {len(drawn)} models predict the data set's label more often "
            "than chance where people see another main object (naming one of the "
            f"objects at random would do so in {share_of(base)})."
        ),
        note=(
            f"Of the {base['items']:,.0f} items (expected) that show several objects "
            "and whose main label is not the data set's. A model that predicts the "
            "data set's label there has learned what the data set prefers."
        ),
        table=table,
        charts=_by_accuracy(study, drawn, "predicts the data set's label", line),
        models=True,
    )


def main_label(study: StudyFigures) -> Figure:
    """Return how often models predict the main label, beside their accuracy."""
    study.need_objects()
    models = study.evaluation.models
    table = models[(models["metric"] == "main_label") & (models["subset"] == "all")]
    table = study.in_order(table)
    drawn = _with_accuracy(study, table)
    x, y = (drawn[name].to_numpy(dtype=float) for name in ("accuracy", "value"))
    slope = ""
    if x.min() < x.max():
        slope = (
            " A point of accuracy by the data set's labels goes with "
            f"{np.polyfit(x, y, 1)[0]:.2f} points of accuracy by the main label."
        )
    line = Line(
        x=(x.min(), x.max()),
        y=(x.min(), x.max()),
        text="as often as the data set's label",
    )
    return Figure(
        name="main_label",
        title="Models by the main label that people see",
        finding=(
            f"{drawn['model'].iloc[-1]} predicts the main label of "
            f"{share_of(drawn.iloc[-1])} of the items.{slope}"
        ),
        note=(
            "The main label is the one that most of all annotators would give as the "
            "main one. Of items with answers. A slope below one: progress on the data "
            "set is in part progress in its own ways of naming."
        ),
        table=table,
        charts=_by_accuracy(study, drawn, "predicts the main label", line),
        models=True,
    )


def calibration(study: StudyFigures) -> Figure:
    """Return how often labels are valid that models state with some probability.

    Parameters
    ----------
    study
        The study.

    Raises
    ------
    OptionError
        There are no predictions, or they state no probability.
    """
    table = model_calibration(
        study.fit, study.predicted, tau=study.tau, **study.settings
    )
    table = study.in_order(table)
    gap = (table["stated"] - table["value"]).abs() * table["items"]
    error = gap.groupby(table["model"]).sum() / table.groupby("model")["items"].sum()
    order = [model for model in study.models if model in error.index]
    rows = table.assign(
        text=[
            f"{row['model']}: states {row['stated']:.2f}, valid {share_of(row)} of "
            f"{row['items']:,} items"
            for _, row in table.iterrows()
        ]
    )
    listed = ", ".join(f"{model} {error[model]:.3f}" for model in order[-5:])
    return Figure(
        name="calibration",
        title="Calibration of models against what items show",
        finding=(
            "Mean distance between the probability that a model states and the share "
            f"of its labels that are valid: {listed}."
        ),
        note=(
            "The first label of each model, in ten bins of the probability that it "
            "states; valid by the posterior of the fit. On the diagonal a model is as "
            "sure as it should be."
        ),
        table=table,
        charts={
            "": lambda: charts.paths(
                rows,
                Axis(column="stated", title="probability stated", domain=SHARE),
                Axis(column="value", title="share that is valid", domain=SHARE),
                hues=study.colours,
                diagonal=True,
            )
        },
        models=True,
    )


def validity_by_rank(study: StudyFigures) -> Figure:
    """Return how often the label of each rank of a model is valid.

    Parameters
    ----------
    study
        The study.

    Raises
    ------
    OptionError
        There are no predictions.
    """
    table = rank_validity(study.fit, study.predicted, tau=study.tau, **study.settings)
    table = study.in_order(table)
    rows = table.assign(
        text=[
            f"{row['model']}: rank {row['rank']}, valid {share_of(row)}"
            for _, row in table.iterrows()
        ],
        name=table["rank"].astype("str"),
    ).sort_values("rank", kind="stable")
    best = study.models[-1]
    ranks = table[table["model"] == best].set_index("rank")
    second = f", the second of {share_of(ranks.loc[2])}" if 2 in ranks.index else ""
    return Figure(
        name="validity_by_rank",
        title="How often the labels of a model are valid, by rank",
        finding=(
            f"The first label of {best} is valid of {share_of(ranks.loc[1])} of the "
            f"items{second}."
        ),
        note="Valid by the posterior of the fit; of items with answers.",
        table=table,
        charts={
            "": lambda: charts.paths(
                rows,
                Axis(column="name", title="rank"),
                Axis(
                    column="value", title="share that is valid", domain=SHARE, form="%"
                ),
                ordinal=True,
                hues=study.colours,
            )
        },
        models=True,
    )


def followed(study: StudyFigures) -> Figure:
    """Return the classes on which models follow the data set against people."""
    table = study.evaluation.labels
    if table.empty:
        _ = study.dataset_labels
        msg = "no item has a label of the data set"
        raise OptionError(msg)
    table = table.rename(
        columns={
            "followed": "value",
            "followed_lower": "lower",
            "followed_upper": "upper",
        }
    )
    table = study.in_order(table)
    expected = (
        (table["wrong"] * table["value"].fillna(0)).groupby(table["label"]).mean()
    )
    first = expected.sort_values(ascending=False, kind="stable").index[:_CLASSES]
    rows = table[table["label"].isin(first)].dropna(subset="value")
    place = {label: number for number, label in enumerate(first)}
    rows = rows.sort_values("label", key=lambda label: label.map(place), kind="stable")
    rows = rows.assign(
        name=[study.name_of(label) for label in rows["label"]],
        text=[
            f"{row['model']}: {study.name_of(row['label'])}, {share_of(row)} of "
            f"{row['wrong']:.1f} items"
            for _, row in rows.iterrows()
        ],
    )
    weight = table["wrong"].to_numpy()
    total = (table["value"].fillna(0) * weight).groupby(table["model"]).sum()
    share = total / table.groupby("model")["wrong"].sum()
    best = study.models[-1]
    shown = ", ".join(rows["name"].drop_duplicates().head(3))
    return Figure(
        name="followed",
        title="Classes on which models follow the data set against people",
        finding=(
            f"Where people see something else than the data set's label, {best} still "
            f"predicts that label in {100 * share[best]:.1f} % of the items; most such "
            f"items are of {shown}."
        ),
        note=(
            "Of the items of a class whose true label (of objects: main label) is "
            "another, the share on which the model predicts the data set's label. The "
            f"{_CLASSES} classes with most such items, expected."
        ),
        table=table,
        charts={
            "": lambda: charts.intervals(
                rows,
                Axis(
                    column="value", title="follows the data set", domain=SHARE, form="%"
                ),
                "name",
                hues=study.colours,
                width=0.0,
            )
        },
        models=True,
    )


def _by_accuracy(
    study: StudyFigures, drawn: pd.DataFrame, title: str, line: Line
) -> dict[str, Callable[[], charts.Chart]]:
    """Return the chart of a value by the accuracy of the models."""
    y = Axis(column="value", title=title, form="%")
    return {
        "": lambda: charts.by_model(drawn, _ACCURACY, y, [line], hues=study.colours)
    }


def _with_accuracy(study: StudyFigures, table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the accuracy by the data set's labels, and texts."""
    _ = study.dataset_labels
    models = study.evaluation.models
    whole = models[
        (models["metric"] == "dataset_accuracy") & (models["subset"] == "all")
    ]
    accuracy = whole.set_index("model")["value"]
    table = table.assign(accuracy=table["model"].map(accuracy))
    table = table.dropna(subset="accuracy")
    if table.empty:
        msg = "no item that models predict has a label of the data set"
        raise OptionError(msg)
    return table.assign(
        text=[
            f"{row['model']}: {share_of(row)}; accuracy by the data set's labels "
            f"{percent(row['accuracy'], np.nan, np.nan)}"
            for _, row in table.iterrows()
        ]
    )


def _by_metric(rows: pd.DataFrame) -> pd.DataFrame:
    place = {metric: number for number, metric in enumerate(METRICS)}
    return rows.sort_values("metric", key=lambda m: m.map(place), kind="stable")


def acceptance(study: StudyFigures) -> Figure:
    """Return how often people accept a model's prediction, beside its accuracy."""
    table = study.predicted_frequencies
    whole = table[table["subset"] == "all"]
    accuracy = whole[whole["statistic"] == "accuracy"].set_index("who")["value"]
    rows = whole[whole["statistic"] == "frequency"].rename(columns={"who": "model"})
    dataset = rows[rows["model"] == _DATASET].iloc[0]
    rows = rows[rows["model"] != _DATASET].copy()
    rows["accuracy"] = rows["model"].map(accuracy)
    rows = rows.sort_values("accuracy", kind="stable").assign(
        text=lambda table: [
            f"{row['model']}: people say yes to {share_of(row)}; accuracy "
            f"{100 * row['accuracy']:.1f} %"
            for _, row in table.iterrows()
        ]
    )
    apart = whole[whole["statistic"] == "less_dataset"].set_index("who")
    near = int(((apart["lower"] <= 0) & (apart["upper"] >= 0)).sum())
    ends = (float(rows["accuracy"].min()), float(rows["accuracy"].max()))
    level = Line(x=ends, y=(dataset["value"],) * 2, text="the data set's label")
    if_alone = tuple(end * dataset["value"] for end in ends)
    alone = Line(x=ends, y=if_alone, text="if only right labels were accepted")
    best = rows.iloc[-1]
    return Figure(
        name="acceptance",
        title="How often people accept what models predict",
        finding=(
            f"People say yes to {share_of(best)} of the labels that {best['model']} "
            f"predicts, and to {share_of(dataset)} of the data set's labels; {near} of "
            f"{len(rows)} models cannot be distinguished from the data set's labels."
        ),
        note=(
            "The share of yes among the answers about the label, a maybe counting "
            "half, of the items on which people were asked about it "
            f"({best['items']:,.0f} of {best['model']}, {dataset['items']:,.0f} of the "
            "data set). The lower line: accuracy times the share of the data set's "
            "labels."
        ),
        table=table,
        charts={
            "": lambda: charts.by_model(
                rows,
                Axis(
                    column="accuracy",
                    title="accuracy by the data set's labels, same items",
                    form="%",
                ),
                Axis(column="value", title="share of yes", form="%"),
                [level, alone],
                hues=study.colours,
            )
        },
        models=True,
    )


def errors_by_acceptance(study: StudyFigures) -> Figure:
    """Return how often people accept the errors of each model."""
    table = study.in_order(
        error_frequencies(
            study.asked_alone,
            study.predicted,
            dataset_labels=study.dataset_labels,
            **study.settings,
        )
    )
    rows = table.assign(
        name=[
            f"{low:g} to {high:g}"
            for low, high in zip(table["low"], table["high"], strict=True)
        ],
        text=[
            f"{row['model']}: {row['low']:g} to {row['high']:g} say yes, "
            f"{share_of(row)} of {row['items']:,} errors"
            for _, row in table.iterrows()
        ],
    )
    often = table[table["low"] == table["low"].max()].set_index("model")
    worst, best = study.models[0], study.models[-1]
    return Figure(
        name="errors_by_acceptance",
        title="Errors, by how often people accept them",
        finding=(
            f"Of the errors of {best}, {share_of(often.loc[best])} are labels that "
            f"four in five people or more accept; of {worst}'s, "
            f"{share_of(often.loc[worst])}."
        ),
        note=(
            "An error is a label that is not the data set's. By the share of yes among "
            "the answers about it; few raters spread these shares."
        ),
        table=table,
        charts={
            "": lambda: charts.paths(
                rows,
                Axis(column="name", title="share of people who say yes"),
                Axis(column="value", title="share of the model's errors", form="%"),
                ordinal=True,
                hues=study.colours,
            )
        },
        models=True,
    )
