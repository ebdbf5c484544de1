"""Objects and labels: how many, which come together, which people cannot tell apart."""

from functools import partial
from typing import Any

import pandas as pd

from consilience import analysis
from consilience.analysis import cooccurring, evaluate, study_summary
from consilience.errors import ConsilienceError, OptionError
from consilience.figures.figure import (
    NAMES,
    VALUE,
    Figure,
    apart,
    chart,
    count,
    least,
    marked,
    number_names,
    share_of,
    where,
)
from consilience.figures.record import MIN_PROBABILITY, PEOPLE, StudyFigures
from consilience.responses.tools.work import NONE
from consilience.tables import CATALOGUE
from consilience.tables.vega import INK, Axis, Chart, Estimates, heat, raster, top

SHOWN = 25  # rows of a chart


def shares(study: StudyFigures) -> Figure:
    """Return the shares of items with several objects, with another main label, etc."""
    table, name = _shares(study), "shares"
    if study.contains is not None:
        labels = study.dataset_labels
        rival = analysis.rival_labels(study.contains, labels, **study.resampling)
        table = pd.concat([table, rival], ignore_index=True)
    table = study.beside(table, name, ["statistic"])
    words = CATALOGUE[name].column("statistic").values
    drawn = table[table["statistic"] != "mean_objects"]
    drawn = drawn.assign(name=drawn["statistic"].map(words))
    charts = chart(name, drawn, Estimates(x=VALUE, y=NAMES))
    facts = {"threshold": study.threshold}
    size = least(table.iloc[0])  # of items with several objects, or wrong
    return Figure(name, table, _sentence(table), charts, facts=facts, size=size)


def _shares(study: StudyFigures) -> pd.DataFrame:
    if study.kind == "objects":
        of: dict[str, Any] = {
            "of": study.of,
            "threshold": study.threshold,
            "prob": study.prob,
        }
        return study_summary(study.fit, study.responses, **of)
    labels = study.dataset_labels.assign(rank=1, model="data set")
    judged = evaluate(study.fit, labels, top=1, **study.resampling).models
    row = where(judged, metric="accuracy", subset="all").iloc[0]
    wrong = {"statistic": "label_wrong", "value": 1 - row["value"]}
    wrong |= {"lower": 1 - row["upper"], "upper": 1 - row["lower"]}
    return pd.DataFrame([{**wrong, "items": round(row["items"])}])


def _sentence(table: pd.DataFrame) -> str:
    rows = table.set_index("statistic")
    if "several_objects" not in rows.index:
        row = rows.loc["label_wrong"]
        return f"The data set's label is not true of {share_of(row)} of the items."
    several, other = rows.loc["several_objects"], rows.loc["other_main_label_several"]
    return (
        f"{share_of(several)} of the {several['items']:,.0f} items show several "
        f"objects; in {share_of(other)} of these the data set's label is not the main "
        "one."
    )


def number_of_objects(study: StudyFigures) -> Figure:
    """Return the distribution of the number of objects of an item."""
    study.need_objects()
    name = "number_of_objects"
    table = analysis.valid_label_counts(
        study.fit, (study.threshold,), of=study.of, **study.resampling
    )
    table = study.beside(table, name, ["counted", "number"])
    rows = table[table["counted"] == table["counted"].iloc[0]]
    rows = rows.assign(name=number_names(rows["number"]))
    y = Axis(form="%", domain=(0.0, top(rows)))
    numbers = rows.set_index("number")
    one, two, three = (share_of(numbers.loc[number]) for number in (1, 2, 3))
    finding = (
        f"{one} of the {study.of:,} items show one object, {two} show two and {three} "
        "show three."
    )
    charts = chart(name, rows, Estimates(x=NAMES, y=y, bars=True))
    facts = {"threshold": study.threshold, "unasked": study.of - len(study.items)}
    return Figure(name, table, finding, charts, facts=facts)


def cooccurring_objects(study: StudyFigures) -> Figure:
    """Return which objects come together with the items of a class."""
    study.need_objects()
    name, keys = "cooccurring_objects", ["dataset_label", "label"]
    per_class = _per_class(study)
    table = cooccurring(
        study.fit, study.responses, per_class=per_class, prob=study.prob
    )
    table = table.rename(columns={"share": "value"}).astype(dict.fromkeys(keys, "str"))
    table = study.beside(table, name, keys)
    rows = study.named_pairs(table.head(SHOWN), keys, " + ")
    if rows.empty:
        raise OptionError("no two objects come together twice")
    first = rows.iloc[0]
    pairs = count(len(table), "pair", "pairs")
    come = "comes" if len(table) == 1 else "come"
    finding = (
        f"{pairs} of a class and another object {come} together in two items or more, "
        f"such as {first['name']}, in {first['together']} of {first['items']} items."
    )
    charts = chart(name, rows, Estimates(x=VALUE, y=NAMES))
    facts, size = {"shown": len(rows)}, least(first)
    return Figure(name, table, finding, charts, facts=facts, size=size)


def _per_class(study: StudyFigures) -> int | None:
    """Return how many items each class has in the study, where all have as many."""
    try:
        number = study.dataset_labels["label"].value_counts()
    except ConsilienceError:
        return None
    return int(number.iloc[0]) if (number == number.iloc[0]).all() else None


THRESHOLDS = tuple(round(0.1 * step, 1) for step in range(1, 10))
_HALF, _OFTEN, _EVER = 0.5, 0.2, 0.005
_MAX_SIDE = 40  # labels of a matrix whose cells are drawn with numbers


def valid_labels(study: StudyFigures) -> Figure:
    """Return how many labels of an item are valid, by the share that must agree."""
    parts, name = [], "valid_labels"
    if study.kind == "objects":
        parts.append(
            analysis.valid_label_counts(study.fit, THRESHOLDS, **study.resampling)
        )
    if study.contains is not None:
        alone = analysis.valid_label_counts(
            study.contains, THRESHOLDS, **study.resampling
        )
        parts.append(alone.assign(counted="contains"))
    if not parts:
        raise OptionError(
            f"the fit is of kind {study.kind}, whose items have one label"
        )
    table = pd.concat(parts, ignore_index=True)
    words = CATALOGUE[name].column("counted").values
    hues = {text: f"var(--model-{place})" for place, text in enumerate(words.values())}
    estimates = Estimates(
        x=NAMES, y=VALUE, series="series", hues=hues, legend="top", joined=True
    )
    frames = {}
    for threshold, rows in table.groupby("threshold"):
        names, series = number_names(rows["number"]), rows["counted"].map(words)
        charts = chart(name, rows.assign(series=series, name=names), estimates)
        frames[f"{threshold:g}"] = charts[""]
    half = f"{study.threshold:g}" if f"{study.threshold:g}" in frames else "0.5"
    on_paper = {half: frames.pop(half)}
    frames_of = "share of annotators that must agree"
    several = _several(table)
    more = several.reindex(["objects", "contains"]).diff().abs().fillna(0.0)
    size, finding = float(more["contains"]), _several_sentence(several)
    charts = on_paper | frames
    return Figure(name, table, finding, charts, frames=frames_of, size=size)


def _several(table: pd.DataFrame) -> pd.Series:
    """Return the share of items with several, if half must agree, by what is asked."""
    half = table[(table["threshold"] == _HALF) & (table["number"] >= 2)]
    return half.groupby("counted", sort=False)["value"].sum()


def _several_sentence(several: pd.Series) -> str:
    words = {
        "objects": "where people name objects",
        "contains": "where each label is asked about alone",
    }
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
    name, pairs = "confused_labels", study.human_confusion.pairs()
    mutual = {"mutual": "value", "mutual_lower": "lower", "mutual_upper": "upper"}
    pairs = pairs.rename(columns=mutual)
    pairs = pairs[pairs["value"] >= _EVER]
    if pairs.empty:
        raise OptionError("no two labels are taken for each other in both directions")
    rows = study.named_pairs(pairs.head(SHOWN), ["label", "other_label"], " / ")
    often = int((pairs["value"] >= _OFTEN).sum())
    finding = _confused_sentence(often, ", ".join(rows["name"].head(3)))
    x = Axis(form="%", domain=(0.0, top(rows)))
    charts = chart(name, rows, Estimates(x=x, y=NAMES))
    facts = {"shown": len(rows), "pairs": len(pairs)}
    size = least(rows.iloc[0]) if often else 0.0
    return Figure(name, pairs, finding, charts, facts=facts, size=size)


def _confused_sentence(often: int, first: str) -> str:
    how = "taken for each other in a fifth of the answers or more, in both directions"
    if not often:
        return f"No two labels are {how}; the closest are {first}."
    are = "is" if often == 1 else "are"
    return f"{count(often, 'pair', 'pairs')} of labels {are} {how}, such as {first}."


def renamed_classes(study: StudyFigures) -> Figure:
    """Return classes whose items people call by one other name, in one direction."""
    name, ends = "renamed_classes", ["true_label", "given_label"]
    table = study.human_confusion.table(min_probability=0.05)
    table = table[~_same(table) & (table["given_label"].astype("str") != NONE)]
    table = table.drop(columns="annotator").rename(columns={"probability": "value"})
    table = table.sort_values(
        "value", ascending=False, ignore_index=True, kind="stable"
    )
    rows = study.named_pairs(table.head(SHOWN), ends, " \N{RIGHTWARDS ARROW} ")
    if rows.empty:
        raise OptionError(
            "no class is called by another name in a twentieth of the answers"
        )
    often = int((table["value"] >= 0.5).sum())
    first = rows["name"].iloc[0]
    half = "more than half of the answers give one other label as the main one"
    finding = f"For {count(often, 'class', 'classes')}, {half}, such as {first}."
    if not often:
        finding = f"There is no class for which {half}; the closest is {first}."
    charts = chart(name, rows, Estimates(x=VALUE, y=NAMES))
    facts = {"shown": len(rows), "cells": len(table)}
    size = least(rows.iloc[0]) if often else 0.0
    return Figure(name, table, finding, charts, facts=facts, size=size)


def superclass_confusion(study: StudyFigures) -> Figure:
    """Return the confusion between superclasses, of people and of models."""
    _need_superclasses(study)
    name, table = "superclass_confusion", study.confusion(1)
    people = where(table, model=PEOPLE).sort_values("probability", kind="stable")
    same = _same(people)
    worst, other = people[same].iloc[0], people[~same]
    most = other[other["probability"] == other["probability"].max()].iloc[0]
    finding = (
        f"Of the superclass {study.name_of(worst['true_label'])}, people keep "
        f"{share_of(worst, 'probability')} of the items; the largest confusion is that "
        f"of {study.name_of(most['true_label'])} with "
        f"{study.name_of(most['given_label'])}, {share_of(most, 'probability')}."
    )
    charts = {"": partial(_matrix, study, table, name)}
    return Figure(name, table, finding, charts, size=least(most, "probability"))


def class_confusion(study: StudyFigures) -> Figure:
    """Return the confusion between classes, of people and of models."""
    name, table = "class_confusion", study.confusion(0)
    people = where(table, model=PEOPLE)
    classes = people["true_label"].nunique()
    # A class of which almost nothing keeps its label has no cell for it.
    seldom = classes - int((people[_same(people)]["probability"] >= 0.5).sum())
    finding = (
        f"{seldom} of {classes:,} classes are called by their own label in less than "
        "half of their items."
    )
    charts = {"": partial(_drawn_classes, study, table, name)}
    facts = {"least": MIN_PROBABILITY}
    surely = classes - int((people[_same(people)]["upper"] >= 0.5).sum())
    size = surely / classes
    return Figure(name, table, finding, charts, facts=facts, size=size)


def _same(table: pd.DataFrame) -> pd.Series:
    """Return in which rows the label that is given is the true one."""
    return table["true_label"].astype("str") == table["given_label"].astype("str")


def within_superclass(study: StudyFigures) -> Figure:
    """Return how often items are called otherwise, and within their superclass."""
    _need_superclasses(study)
    name = "within_superclass"
    table = study.compared_confusion.within()
    table = study.beside(table, name, ["model", "statistic"])
    rows = where(table, statistic="inside").set_index("model")
    order = [PEOPLE, *reversed(study.models)]
    rows = rows.loc[[who for who in order if who in rows.index]].reset_index()
    people, best = rows.iloc[0], rows.iloc[1]
    finding = (
        "Where people call an item otherwise than the data set, it is within the "
        f"superclass in {share_of(people)}; where {best['model']} does, in "
        f"{share_of(best)}."
    )
    hues = {**study.colours, PEOPLE: INK}
    drawn = Estimates(x=VALUE, y=Axis(column="model", names=True), hues=hues)
    charts, size = chart(name, rows, drawn), apart(best, people)
    return Figure(name, table, finding, charts, size=size, models=True)


def _need_superclasses(study: StudyFigures) -> None:
    if not study.depth:
        raise OptionError(
            "no label has a superclass (column parent of the table of labels)"
        )


def _shown(study: StudyFigures, table: pd.DataFrame) -> pd.DataFrame:
    """Return the confusion that a chart shows: people's and that of the best model."""
    there = set(table["model"].astype("str"))
    try:
        models = [model for model in study.models if model in there]
    except ConsilienceError:  # there are no predictions
        models = []
    return table[table["model"].isin([PEOPLE, *models[-1:]])]


def _matrix(study: StudyFigures, table: pd.DataFrame, name: str) -> Chart:
    rows = marked(name, study.named(_shown(study, table)))
    return heat(rows, rows="true_label", columns="given_label", panels="model")


def _drawn_classes(study: StudyFigures, table: pd.DataFrame, name: str) -> Chart:
    labels = study.responses.labels
    rows = _shown(study, table)
    rows = rows[rows["probability"] > 0]
    both = ("true_label", "given_label")
    used = set().union(*(rows[end].astype("str") for end in both))
    if len(used) <= _MAX_SIDE:
        return _matrix(study, rows, name)
    order = labels.sort_values("parent", kind="stable")["label"].astype("str")
    order = order[order.isin(used)]
    place = pd.Series(range(len(order)), order.to_numpy())
    ends = {"row": "true_label", "column": "given_label"}
    places = {end: rows[name].astype("str").map(place) for end, name in ends.items()}
    rows = rows.assign(panel=rows["model"].astype("str"), **places)
    rows = rows[["panel", "row", "column", "probability"]]
    axes = ("class, by superclass" if study.depth else "class", "called")
    return raster(rows, len(order), axes, "panel")
