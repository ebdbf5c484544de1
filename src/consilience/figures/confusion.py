"""Confusion of people and of models, between superclasses and between classes."""

import pandas as pd

from consilience.errors import ConsilienceError, OptionError
from consilience.figures import charts
from consilience.figures.charts import SHARE, Axis
from consilience.figures.figure import Figure, percent, share_of
from consilience.figures.record import MIN_PROBABILITY, PEOPLE, StudyFigures

_MAX_SIDE = 40  # labels of a matrix whose cells are drawn with numbers


def superclass_confusion(study: StudyFigures) -> Figure:
    """Return the confusion between superclasses, of people and of models."""
    if not study.depth:
        msg = "no label has a superclass (column parent of the table of labels)"
        raise OptionError(msg)
    table = study.confusion(1)
    people = table[table["who"] == PEOPLE]
    same = people["true_label"].astype("str") == people["given_label"].astype("str")
    kept = people[same].sort_values("probability", kind="stable")
    apart = people[~same].sort_values("probability", ascending=False, kind="stable")
    worst, most = kept.iloc[0], apart.iloc[0]
    finding = (
        f"Of the superclass {study.name_of(worst['true_label'])}, people keep "
        f"{_of(worst)} of the items; the largest confusion is that of "
        f"{study.name_of(most['true_label'])} with "
        f"{study.name_of(most['given_label'])}, {_of(most)}."
    )
    return Figure(
        name="superclass_confusion",
        title="Confusion between superclasses",
        finding=finding,
        note=(
            "Rows are superclasses of the data set's label, columns of what people "
            "(their main label) and models (their first label) call the items."
        ),
        table=table,
        charts={"": lambda: _matrix(study, table)},
    )


def class_confusion(study: StudyFigures) -> Figure:
    """Return the confusion between classes, of people and of models."""
    table = study.confusion(0)
    people = table[table["who"] == PEOPLE]
    same = people["true_label"].astype("str") == people["given_label"].astype("str")
    classes = people["true_label"].nunique()
    # A class of which almost nothing keeps its label has no cell for it.
    seldom = classes - int((people[same]["probability"] >= 0.5).sum())
    return Figure(
        name="class_confusion",
        title="Confusion between classes",
        finding=(
            f"{seldom} of {classes:,} classes are called by "
            "their own label in less than half of their items."
        ),
        note=(
            "Rows are the data set's labels, in the order of their superclasses. Cells "
            f"of at least {MIN_PROBABILITY:g} for one of those shown. Bounds reweight "
            "the items: of what never occurred they are zero."
        ),
        table=table,
        charts={"": lambda: _drawn_classes(study, table)},
    )


def within_superclass(study: StudyFigures) -> Figure:
    """Return how often items are called otherwise, and within their superclass."""
    if not study.depth:
        msg = "no label has a superclass (column parent of the table of labels)"
        raise OptionError(msg)
    table = study.compared_confusion.within()
    table = study.beside(table, "within_superclass", ["who", "statistic"])
    rows = table[table["statistic"] == "inside"].set_index("who")
    order = [PEOPLE, *reversed(study.models)]
    rows = rows.loc[[who for who in order if who in rows.index]].reset_index()
    rows = rows.rename(columns={"who": "model"}).assign(
        text=lambda table: [
            f"{row['model']}: {share_of(row)} of {row['items']:,.0f} items called "
            "otherwise"
            for _, row in table.iterrows()
        ]
    )
    people, best = rows.iloc[0], rows.iloc[1]
    x = Axis(
        column="value", title="share within the superclass", domain=SHARE, form="%"
    )
    return Figure(
        name="within_superclass",
        title="Confusions within a superclass",
        finding=(
            f"Where people call an item otherwise than the data set, it is within the "
            f"superclass in {share_of(people)}; where {best['model']} does, in "
            f"{share_of(best)}."
        ),
        note=(
            "The table also has how often items are called otherwise, and how often "
            "the superclass is kept."
        ),
        table=table,
        charts={
            "": lambda: charts.intervals(
                rows, x, "model", hues={**study.colours, PEOPLE: "var(--ink)"}
            )
        },
        models=True,
    )


def _of(row: pd.Series) -> str:
    return percent(row["probability"], row["lower"], row["upper"])


def _shown(study: StudyFigures, table: pd.DataFrame) -> list[str]:
    """Return whose confusion a chart shows: people's and that of the best model."""
    there = set(table["who"].astype("str"))
    models = [model for model in _models(study) if model in there]
    return [PEOPLE, *models[-1:]]


def _models(study: StudyFigures) -> list[str]:
    try:
        return study.models
    except ConsilienceError:
        return []


def _matrix(study: StudyFigures, table: pd.DataFrame) -> charts.Chart:
    rows = study.named(table[table["who"].isin(_shown(study, table))])
    rows = rows.assign(
        text=[
            f"{row['who']}: {row['true_label']} called {row['given_label']} {_of(row)}"
            for _, row in rows.iterrows()
        ]
    )
    return charts.heat(rows, rows="true_label", columns="given_label", panels="who")


def _drawn_classes(study: StudyFigures, table: pd.DataFrame) -> charts.Chart:
    labels = study.responses.labels
    if len(labels) <= _MAX_SIDE:
        return _matrix(study, table)
    order = labels.sort_values("parent", kind="stable")["label"].astype("str")
    place = pd.Series(range(len(order)), order.to_numpy())
    rows = table[table["who"].isin(_shown(study, table)) & (table["probability"] > 0)]
    rows = pd.DataFrame(
        {
            "panel": rows["who"].astype("str"),
            "row": rows["true_label"].astype("str").map(place),
            "column": rows["given_label"].astype("str").map(place),
            "probability": rows["probability"],
        }
    )
    axes = ("class, by superclass", "called")
    return charts.raster(rows, len(order), axes, "panel")
