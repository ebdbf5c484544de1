"""Models: the tables of an evaluation, those of `evaluate` made to be compared."""

import pandas as pd

from consilience.reports.content import (
    Column,
    Note,
    Part,
    Section,
    Table,
    counts,
    estimates,
    numbers,
    texts,
)
from consilience.reports.record import Report
from consilience.reports.sections.table import plain_table
from consilience.reports.sections.words import words

_MAX_ROWS = 60
_METRICS = {
    "accuracy": "The model's label is true",
    "main_object": "The model names the main object",
    "main_label": "The model predicts the main label",
    "dataset_accuracy": "The model predicts the data set's label",
}


_ORDER = (
    "models",
    "baselines",
    "differences",
    "labels",
    "within",
    "superclass_confusion",
    "pairs",
    "confusion",
)


def models(report: Report) -> Section | None:
    """Return the section; None where no evaluation was given."""
    if not report.evaluation:
        return None
    assumptions = [sentence for run in report.runs for sentence in run.assumptions]
    circular = [
        sentence
        for sentence in assumptions
        if "candidate" in sentence or "predictions" in sentence
    ]
    parts: list[Part] = [
        Note(
            f"Labels that were found with a model's help favour it: {sentence}", "mind"
        )
        for sentence in dict.fromkeys(circular)
    ]
    for name in sorted(report.evaluation, key=_place):
        parts += _tables(name, report.evaluation[name])
    return Section("models", "Models", tuple(parts))


def _place(name: str) -> int:
    """Return where a table of `evaluate` stands; others stand last, as they came."""
    return _ORDER.index(name) if name in _ORDER else len(_ORDER)


def _tables(name: str, table: pd.DataFrame) -> list[Part]:
    """Draw a table that `evaluate` writes for comparison, and any other as it is."""
    columns = set(table.columns)
    if {"model", "metric", "subset", "value"} <= columns:
        return [
            _by_subset(str(metric), rows)
            for metric, rows in table.groupby("metric", sort=False)
        ]
    if {"model", "against", "better"} <= columns:
        some = table[(table["metric"] == "accuracy") & (table["subset"] == "all")]
        return [_differences(some)] if len(some) else [plain_table(name, table)]
    if {"followed", "wrong", "model"} <= columns:
        return [_dataset_errors(table)]
    if {"who", "label_a", "mutual"} <= columns:
        return [_pairs(table)]
    if {"who", "true_label", "given_label"} <= columns:
        return [_confusion(name, table)]
    return [plain_table(name, table)]


def _by_subset(metric: str, rows: pd.DataFrame) -> Table:
    order = rows[rows["subset"] == "all"].sort_values("value", ascending=False)
    models = order["model"].tolist()
    columns: list[Column] = [texts("Model", models)]
    sizes = []
    for subset, group in rows.groupby("subset", sort=False):
        values = group.drop_duplicates("model").set_index("model").reindex(models)
        title = words(subset).capitalize()
        columns.append(estimates(title, values, ("value", "lower", "upper")))
        sizes.append(f"{title.lower()} {values['items'].max():,.0f}")
    caption = _METRICS.get(metric, metric.replace("_", " ").capitalize())
    return Table(caption, tuple(columns), f"Of items: {', '.join(sizes)}.")


def _differences(rows: pd.DataFrame) -> Table:
    doubt = (rows["better"] - 0.5).abs()
    shown = rows.loc[doubt.sort_values(kind="stable").index[:_MAX_ROWS]]
    note = f"The {len(shown):,} of {len(rows):,} pairs that are most in doubt, first."
    return Table(
        "Which model's label is true more often",
        (
            texts("Model", shown["model"]),
            texts("Against", shown["against"]),
            estimates("Difference", shown, ("difference", "lower", "upper"), "{:+.3f}"),
            numbers("P(better)", shown["better"], "{:.3f}"),
        ),
        note,
    )


def _dataset_errors(table: pd.DataFrame) -> Table:
    expected = (table["wrong"] * table["followed"]).fillna(0.0)
    shown = table.loc[expected.sort_values(ascending=False).index[:_MAX_ROWS]]
    followed = ("followed", "followed_lower", "followed_upper")
    return Table(
        "Where models follow the data set although something else is true",
        (
            texts("Label", shown["label"]),
            texts("Model", shown["model"]),
            counts("Items", shown["items"]),
            numbers("Of these wrong", shown["wrong"], "{:.1f}"),
            estimates("Followed", shown, followed),
            numbers(
                "Predicts the data set's label", shown["dataset_accuracy"], "{:.3f}"
            ),
        ),
        f"The {len(shown):,} of {len(table):,} rows with most such items.",
    )


def _pairs(table: pd.DataFrame) -> Table:
    pairs = list(dict.fromkeys(zip(table["label_a"], table["label_b"], strict=True)))
    shown = pairs[:_MAX_ROWS]
    columns: list[Column] = [
        texts("Label", [one for one, _ in shown]),
        texts("Other label", [other for _, other in shown]),
    ]
    for who, rows in table.groupby("who", sort=False):
        values = rows.set_index(["label_a", "label_b"]).reindex(shown)
        bounds = ("mutual", "mutual_lower", "mutual_upper")
        columns.append(estimates(str(who), values, bounds))
    return Table(
        "Labels confused both ways, by people and by models",
        tuple(columns),
        "The smaller of both probabilities. "
        f"The first {len(shown):,} of {len(pairs):,} pairs.",
    )


def _confusion(name: str, table: pd.DataFrame) -> Table:
    apart = table[table["true_label"] != table["given_label"]]
    # So many items that a class of one item is not what stands first.
    expected = apart.assign(items=apart["probability"] * apart["items"])
    cells = expected.groupby(["true_label", "given_label"], sort=False)["items"]
    most = cells.max().sort_values(ascending=False, kind="stable")
    shown = list(most.index[:_MAX_ROWS])
    columns: list[Column] = [
        texts("Is", [true for true, _ in shown]),
        texts("Called", [given for _, given in shown]),
    ]
    for who, rows in apart.groupby("who", sort=False):
        values = rows.set_index(["true_label", "given_label"]).reindex(shown)
        columns.append(estimates(str(who), values))
    title = name.replace("_", " ").capitalize()
    return Table(
        f"{title}: people beside models",
        tuple(columns),
        f"The {len(shown):,} of {len(most):,} that most items are expected to meet.",
    )
