"""Objects of items: shares of items, numbers of objects, which come together."""

import numpy as np
import pandas as pd

from consilience.analysis import (
    cooccurring,
    evaluate,
    rival_labels,
    study_summary,
    valid_label_counts,
)
from consilience.errors import ConsilienceError
from consilience.figures import charts
from consilience.figures.charts import SHARE, Axis
from consilience.figures.figure import Figure, number_names, share_of
from consilience.figures.record import StudyFigures

_STATISTICS = {
    "several_objects": "several objects",
    "three_objects": "three objects or more",
    "other_main_label": "the data set's label is not the main one",
    "other_main_label_several": "the same, of items with several objects",
    "other_main_label_single": "the same, of items with one object",
    "label_wrong": "the data set's label is not true",
    "another_label_as_often": "another label gets yes as often as the data set's",
}
SHOWN = 25  # rows of a chart


def shares(study: StudyFigures) -> Figure:
    """Return the shares of items with several objects, with another main label, etc."""
    table = _shares(study)
    if study.contains is not None:
        rival = rival_labels(
            study.contains,
            study.dataset_labels,
            resamples=study.resamples,
            prob=study.prob,
            seed=study.seed,
        )
        table = pd.concat([table, rival], ignore_index=True)
    table = study.beside(table, "shares", ["statistic"])
    drawn = table[table["statistic"].isin(_STATISTICS)]
    drawn = drawn.assign(
        name=drawn["statistic"].map(_STATISTICS),
        text=[
            f"{_STATISTICS[row['statistic']]}: {share_of(row)} of "
            f"{row['items']:,} items"
            for _, row in drawn.iterrows()
        ],
    )
    x = Axis(column="value", title="share of items", domain=SHARE, form="%")
    return Figure(
        name="shares",
        title="What the items show, and what the data set says of them",
        finding=_sentence(table),
        note=(
            "Of the population of annotators: an item has several objects if each of "
            f"two would be named by more than {study.tau:g} of them. Items that nobody "
            "was asked about count as one object; shares of another main label are of "
            "items with answers."
        ),
        table=table,
        charts={"": lambda: charts.intervals(with_published_text(drawn), x, "name")},
        leads=True,
    )


def _shares(study: StudyFigures) -> pd.DataFrame:
    if study.kind == "objects":
        return study_summary(
            study.fit,
            study.responses,
            of=study.of,
            tau=study.tau,
            resamples=study.resamples,
            prob=study.prob,
            seed=study.seed,
        )
    labels = study.dataset_labels.assign(rank=1, model="data set")
    judged = evaluate(
        study.fit,
        labels,
        top=1,
        resamples=study.resamples,
        prob=study.prob,
        seed=study.seed,
    ).models
    row = judged[(judged["metric"] == "accuracy") & (judged["subset"] == "all")].iloc[0]
    return pd.DataFrame(
        {
            "statistic": ["label_wrong"],
            "value": [1 - row["value"]],
            "lower": [1 - row["upper"]],
            "upper": [1 - row["lower"]],
            "items": [round(row["items"])],
        }
    )


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
    table = valid_label_counts(
        study.fit,
        (study.tau,),
        of=study.of,
        resamples=study.resamples,
        prob=study.prob,
        seed=study.seed,
    )
    table = study.beside(table, "number_of_objects", ["what", "number"])
    rows = table[table["what"] == table["what"].iloc[0]]
    rows = rows.assign(
        name=number_names(rows["number"]),
        text=[
            f"{row['number']} objects: {share_of(row)}" for _, row in rows.iterrows()
        ],
    )
    x = Axis(column="name", title="objects of an item")
    top = float(np.ceil(10 * max(rows["upper"].max(), rows["value"].max())) / 10)
    y = Axis(column="value", title="share of items", domain=(0.0, top), form="%")
    return Figure(
        name="number_of_objects",
        title="Number of objects of an item",
        finding=_listed(rows, study.of),
        note=(
            f"An object counts if more than {study.tau:g} of all annotators would name "
            f"it; {study.of - len(study.items):,} items that nobody was asked about "
            "count as one object. The table also has the number of valid labels, where "
            "two names of one object count as two."
        ),
        table=table,
        charts={"": lambda: charts.bars(with_published_text(rows), x, y)},
    )


def _listed(rows: pd.DataFrame, of: int) -> str:
    numbers = rows.set_index("number")
    one, two, three = (share_of(numbers.loc[number]) for number in (1, 2, 3))
    return (
        f"{one} of the {of:,} items show one object, {two} show two and {three} show "
        "three."
    )


def cooccurring_objects(study: StudyFigures) -> Figure:
    """Return which objects come together with the items of a class."""
    study.need_objects()
    table = cooccurring(
        study.fit, study.responses, per_class=_per_class(study), prob=study.prob
    ).rename(columns={"share": "value"})
    table = table.astype({"class_label": "str", "label": "str"})
    table = study.beside(table, "cooccurring_objects", ["class_label", "label"])
    rows = table.head(SHOWN)
    named = [
        f"{study.name_of(a)} + {study.name_of(b)}"
        for a, b in zip(rows["class_label"], rows["label"], strict=True)
    ]
    texts = [
        f"{name}: together in {row['together']} of {row['items']} items"
        for name, (_, row) in zip(named, rows.iterrows(), strict=True)
    ]
    rows = with_published_text(rows.assign(name=named, text=texts))
    x = Axis(
        column="value", title="share of the items of the class", domain=SHARE, form="%"
    )
    first = rows.iloc[0] if len(rows) else None
    finding = "No two objects come together twice."
    if first is not None:
        finding = (
            f"{len(table):,} pairs of a class and another object come together in two "
            f"items or more, such as {first['name']}, in {first['together']} of "
            f"{first['items']} items."
        )
    return Figure(
        name="cooccurring_objects",
        title="Objects that come together",
        finding=finding,
        note=(
            "How often an item of the class (the first name) shows another object (the "
            f"second) that is present with probability .5 or more; the first {SHOWN} "
            "pairs. Jeffreys intervals."
        ),
        table=table,
        charts={"": lambda: charts.intervals(rows, x, "name")} if len(rows) else {},
    )


def _per_class(study: StudyFigures) -> int | None:
    """Return how many items each class has in the study, where all have as many."""
    try:
        number = study.dataset_labels["label"].value_counts()
    except ConsilienceError:
        return None
    return int(number.iloc[0]) if (number == number.iloc[0]).all() else None


def with_published_text(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with what the mark of a published value says."""
    if "published" not in rows:
        return rows
    return rows.assign(
        published_text=[
            f"published: {value:.3g} ({source})"
            for value, source in zip(rows["published"], rows["source"], strict=True)
        ]
    )
