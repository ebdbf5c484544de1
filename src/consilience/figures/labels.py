"""Labels: how many are valid by threshold, and which people cannot tell apart."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from consilience.analysis import valid_label_counts
from consilience.errors import ConsilienceError, OptionError
from consilience.figures import charts
from consilience.figures.charts import SHARE, Axis
from consilience.figures.figure import Figure, number_names, percent, share_of
from consilience.figures.objects import SHOWN, with_published_text
from consilience.figures.record import MIN_PROBABILITY, PEOPLE, StudyFigures
from consilience.responses.tools.on_screen import NONE

THRESHOLDS = tuple(round(0.1 * step, 1) for step in range(1, 10))
_HALF, _OFTEN = 0.5, 0.2
_ASKED = {
    "objects": "objects, as people name them",
    "labels": "labels, as people name objects",
    "contains": "labels, each asked about alone",
}
_SERIES = dict(
    zip(
        _ASKED.values(),
        ("var(--model-0)", "var(--model-1)", "var(--model-2)"),
        strict=True,
    )
)
_MAX_SIDE = 40  # labels of a matrix whose cells are drawn with numbers


def valid_labels(study: StudyFigures) -> Figure:
    """Return how many labels of an item are valid, by the share that must agree.

    Parameters
    ----------
    study
        The study.

    Raises
    ------
    OptionError
        No answers tell how many labels are valid.
    """
    parts = []
    options: dict[str, Any] = {
        "resamples": study.resamples,
        "prob": study.prob,
        "seed": study.seed,
    }
    if study.kind == "objects":
        parts.append(valid_label_counts(study.fit, THRESHOLDS, **options))
    if study.contains is not None:
        alone = valid_label_counts(study.contains, THRESHOLDS, **options)
        parts.append(alone.assign(what="contains"))
    if not parts:
        msg = f"the fit is of kind {study.kind}, whose items have one label"
        raise OptionError(msg)
    table = pd.concat(parts, ignore_index=True)
    frames = {
        f"{threshold:g}": _frame(table[table["threshold"] == threshold])
        for threshold in THRESHOLDS
    }
    half = f"{study.tau:g}" if f"{study.tau:g}" in frames else "0.5"
    on_paper = {half: frames.pop(half)}
    return Figure(
        name="valid_labels",
        title="Number of valid labels, by the share of annotators that must agree",
        finding=_several_sentence(table),
        note=(
            "A label is valid if at least the share of annotators that the slider "
            "shows would give it. Of items with answers; an item can have no valid "
            "label. The numbers depend on the question: people who name objects and "
            "people who are asked about each label agree on other labels."
        ),
        table=table,
        charts=on_paper | frames,
        frames="share of annotators that must agree",
    )


def _frame(rows: pd.DataFrame) -> Callable[[], Any]:
    def draw() -> Any:
        named = rows.assign(
            series=rows["what"].map(_ASKED),
            name=number_names(rows["number"]),
            text=[
                f"{_ASKED[row['what']]}, {row['number']}: {share_of(row)}"
                for _, row in rows.iterrows()
            ],
        )
        x = Axis(column="name", title="valid labels of an item")
        y = Axis(column="value", title="share of items", domain=SHARE, form="%")
        return charts.paths(named, x, y, ordinal=True, series="series", hues=_SERIES)

    return draw


def _several_sentence(table: pd.DataFrame) -> str:
    words = {
        "objects": "where people name objects",
        "contains": "where each label is asked about alone",
    }
    half = table[(table["threshold"] == _HALF) & (table["number"] >= 2)]
    several = half.groupby("what", sort=False)["value"].sum()
    parts = [
        f"{100 * several[what]:.1f} % {where}"
        for what, where in words.items()
        if what in several.index
    ]
    return (
        "If half of the annotators must agree, several labels or objects are valid of "
        f"this share of the items: {', '.join(parts)}."
    )


def confused_labels(study: StudyFigures) -> Figure:
    """Return pairs of labels that people cannot tell apart, in both directions."""
    pairs = study.human_confusion.pairs()
    pairs = pairs.rename(
        columns={"mutual": "value", "mutual_lower": "lower", "mutual_upper": "upper"}
    )
    rows = _named_pairs(study, pairs, " / ").head(SHOWN)
    first = ", ".join(rows["name"].head(3))
    x = Axis(
        column="value",
        title="P(called by the other's name), the smaller of both directions",
        domain=(0.0, _top(rows)),
        form="%",
    )
    return Figure(
        name="confused_labels",
        title="Labels that people cannot tell apart",
        finding=_confused_sentence(int((pairs["value"] >= _OFTEN).sum()), first),
        note=(
            "An answer about an item of one class gives the other label as the main "
            "one. Estimated by partial pooling, so that few items of a class do not "
            f"exaggerate; the first {SHOWN} of {len(pairs):,} pairs."
        ),
        table=pairs,
        charts={"": lambda: charts.intervals(rows, x, "name")} if len(rows) else {},
        leads=True,
    )


def _confused_sentence(often: int, first: str) -> str:
    how = "taken for each other in a fifth of the answers or more, in both directions"
    if not first:
        return "0 pairs of labels are taken for each other."
    if not often:
        return f"0 pairs of labels are {how}; the closest are {first}."
    return f"{often} pairs of labels are {how}, such as {first}."


def renamed_classes(study: StudyFigures) -> Figure:
    """Return classes whose items people call by one other name, in one direction."""
    table = study.human_confusion.table(min_probability=0.05)
    given = table["given_label"].astype("str")
    table = table[(table["true_label"].astype("str") != given) & (given != NONE)]
    table = table.drop(columns="annotator").rename(columns={"probability": "value"})
    table = table.sort_values(
        "value", ascending=False, ignore_index=True, kind="stable"
    )
    rows = table.head(SHOWN).rename(
        columns={"true_label": "label_a", "given_label": "label_b"}
    )
    rows = _named_pairs(study, rows, " \N{RIGHTWARDS ARROW} ")
    often = int((table["value"] >= 0.5).sum())
    first = f", such as {rows['name'].iloc[0]}" if len(rows) else ""
    x = Axis(column="value", title="share of answers", domain=SHARE, form="%")
    return Figure(
        name="renamed_classes",
        title="Classes that people call by another name",
        finding=(
            f"For {often} classes, more than half of the answers give one other label "
            f"as the main one{first}."
        ),
        note=(
            "The class is the data set's label. What people name instead can be a "
            "better name, or another object that is more prominent. Partially pooled; "
            f"the first {SHOWN} of {len(table):,} cells of at least .05."
        ),
        table=table,
        charts={"": lambda: charts.intervals(rows, x, "name")} if len(rows) else {},
    )


def _named_pairs(
    study: StudyFigures, pairs: pd.DataFrame, between: str
) -> pd.DataFrame:
    names = [
        f"{study.name_of(a)}{between}{study.name_of(b)}"
        for a, b in zip(pairs["label_a"], pairs["label_b"], strict=True)
    ]
    texts = [
        f"{name}: {percent(*row)}"
        for name, row in zip(
            names, pairs[["value", "lower", "upper"]].to_numpy(float), strict=True
        )
    ]
    return with_published_text(pairs.assign(name=names, text=texts))


def _top(rows: pd.DataFrame) -> float:
    largest = rows[["value", "upper"]].to_numpy(dtype=float).max(initial=0.1)
    return float(np.ceil(10 * largest) / 10)


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
