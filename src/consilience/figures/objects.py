"""Objects of items: shares of items, numbers of objects, which come together."""

from typing import Any

import pandas as pd

from consilience.analysis import (
    cooccurring,
    evaluate,
    rival_labels,
    study_summary,
    valid_label_counts,
)
from consilience.errors import ConsilienceError
from consilience.figures.figure import (
    NAMES,
    VALUE,
    Figure,
    chart,
    number_names,
    share_of,
    where,
)
from consilience.figures.record import StudyFigures
from consilience.tables import CATALOGUE
from consilience.tables.vega import Axis, Estimates, top

SHOWN = 25  # rows of a chart


def shares(study: StudyFigures) -> Figure:
    """Return the shares of items with several objects, with another main label, etc."""
    table, name = _shares(study), "shares"
    if study.contains is not None:
        labels = study.dataset_labels
        rival = rival_labels(study.contains, labels, **study.resampling)
        table = pd.concat([table, rival], ignore_index=True)
    table = study.beside(table, name, ["statistic"])
    words = CATALOGUE[name].column("statistic").values
    drawn = table[table["statistic"] != "mean_objects"]
    drawn = drawn.assign(name=drawn["statistic"].map(words))
    charts = chart(name, drawn, Estimates(x=VALUE, y=NAMES))
    facts = {"tau": study.tau}
    return Figure(name, table, _sentence(table), charts, facts=facts, leads=True)


def _shares(study: StudyFigures) -> pd.DataFrame:
    if study.kind == "objects":
        of: dict[str, Any] = {"of": study.of, "tau": study.tau, **study.resampling}
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
    table = valid_label_counts(study.fit, (study.tau,), of=study.of, **study.resampling)
    table = study.beside(table, name, ["what", "number"])
    rows = table[table["what"] == table["what"].iloc[0]]
    rows = rows.assign(name=number_names(rows["number"]))
    y = Axis(form="%", domain=(0.0, top(rows)))
    numbers = rows.set_index("number")
    one, two, three = (share_of(numbers.loc[number]) for number in (1, 2, 3))
    finding = (
        f"{one} of the {study.of:,} items show one object, {two} show two and {three} "
        "show three."
    )
    charts = chart(name, rows, Estimates(x=NAMES, y=y, bars=True))
    facts = {"tau": study.tau, "unasked": study.of - len(study.items)}
    return Figure(name, table, finding, charts, facts=facts)


def cooccurring_objects(study: StudyFigures) -> Figure:
    """Return which objects come together with the items of a class."""
    study.need_objects()
    name, keys = "cooccurring_objects", ["class_label", "label"]
    per_class = _per_class(study)
    table = cooccurring(
        study.fit, study.responses, per_class=per_class, prob=study.prob
    )
    table = table.rename(columns={"share": "value"}).astype(dict.fromkeys(keys, "str"))
    table = study.beside(table, name, keys)
    rows = study.named_pairs(table.head(SHOWN), keys, " + ")
    finding = "No two objects come together twice."
    if len(rows):
        first = rows.iloc[0]
        finding = (
            f"{len(table):,} pairs of a class and another object come together in two "
            f"items or more, such as {first['name']}, in {first['together']} of "
            f"{first['items']} items."
        )
    charts = chart(name, rows, Estimates(x=VALUE, y=NAMES))
    return Figure(name, table, finding, charts, facts={"shown": SHOWN})


def _per_class(study: StudyFigures) -> int | None:
    """Return how many items each class has in the study, where all have as many."""
    try:
        number = study.dataset_labels["label"].value_counts()
    except ConsilienceError:
        return None
    return int(number.iloc[0]) if (number == number.iloc[0]).all() else None
