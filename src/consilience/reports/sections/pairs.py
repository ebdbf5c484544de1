"""Pairs of labels: which are taken for each other, and which are one object."""

import pandas as pd

from consilience.reports.content import Part, Section, Table, estimates, texts
from consilience.reports.record import Report, Run
from consilience.reports.sections.table import plain_table

_MAX_ROWS = 60
_MIN_PROBABILITY = 0.01  # of a confusion that is worth a row


def pairs(report: Report) -> Section | None:
    """Return the section; None where no run knows pairs."""
    parts: list[Part] = []
    for run in report.runs:
        who = f", {run.name}" if len(report.runs) > 1 else ""
        taken = _taken(run)
        if len(taken):
            parts.append(_table(taken, who))
        same = run.table("same_object")
        if len(same):
            parts.append(_same(same, who))
    tables = report.pairs.items()
    parts += [plain_table(name, table) for name, table in tables if len(table)]
    return Section("pairs", "Pairs", tuple(parts)) if parts else None


def _taken(run: Run) -> pd.DataFrame:
    """Return confusions of the population between labels, each with its reverse."""
    table = run.table("confusion")
    if run.kind == "contains" or table.empty:
        return pd.DataFrame()
    table = table[table["annotator"].isna()].drop(columns="annotator")
    true, given = table["true_label"].astype(str), table["given_label"].astype(str)
    table = table.assign(true_label=true, given_label=given)
    table = table[true != given]
    turned = {"true_label": "given_label", "given_label": "true_label"}
    back = table.rename(columns=turned)
    both = table.merge(
        back, on=["true_label", "given_label"], how="left", suffixes=("", "_back")
    )
    both = both[both["probability"] >= _MIN_PROBABILITY]
    return both.sort_values("probability", ascending=False, kind="stable")


def _table(taken: pd.DataFrame, who: str) -> Table:
    shown = taken.head(_MAX_ROWS)
    back = ("probability_back", "lower_back", "upper_back")
    note = "An answer drawn at random from those given. "
    if len(shown) < len(taken):
        note += f"The {len(shown):,} of {len(taken):,} that are most probable."
    return Table(
        f"Labels mistaken for each other{who}",
        (
            texts("Truth", shown["true_label"]),
            texts("Answer", shown["given_label"]),
            estimates("P(answer given truth)", shown),
            estimates("The other way round", shown, back),
        ),
        note.strip(),
    )


def _same(table: pd.DataFrame, who: str) -> Table:
    unsure = (table["probability"] - 0.5).abs()
    shown = table.loc[unsure.sort_values(kind="stable").index[:_MAX_ROWS]]
    return Table(
        f"Two names that may be one object, the most doubtful first{who}",
        (
            texts("Item", shown["item"]),
            texts("Label", shown["label_a"]),
            texts("Other label", shown["label_b"]),
            estimates("P(one object)", shown),
        ),
        "Every pair of an item stands with the item.",
    )
