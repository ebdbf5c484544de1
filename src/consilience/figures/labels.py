"""Labels: how many are valid by threshold, and which people cannot tell apart."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from consilience.analysis import valid_label_counts
from consilience.errors import OptionError
from consilience.figures import charts
from consilience.figures.charts import SHARE, Axis
from consilience.figures.figure import Figure, number_names, percent, share_of
from consilience.figures.objects import SHOWN, with_published_text
from consilience.figures.record import StudyFigures
from consilience.responses.columns.on_screen import NONE

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
