"""Annotators: how good each is, run beside run."""

import pandas as pd

from consilience.report import charts
from consilience.report.content import (
    Chart,
    Column,
    Note,
    Part,
    Section,
    Table,
    counts,
    estimates,
    texts,
)
from consilience.report.record import Report, Run

_MOST = 300
_SKILLS = ("accuracy", "sensitivity", "specificity", "spammer")


def annotators(report: Report) -> Section:
    """Return the section."""
    run = report.runs[0]
    people = run.table("annotators")
    if people.empty:
        nobody = "No annotator has an id; what they have in common is under confusion"
        return Section("annotators", "Annotators", (Note(nobody),))
    parts: list[Part] = []
    if people["accuracy"].notna().any():
        told = f"Accuracy of {len(people):,} annotators against the answers they gave"
        parts.append(Chart(charts.skill(people), f"Scatter plot. {told}", told))
    parts.append(_table(report, people))
    return Section("annotators", "Annotators", tuple(parts))


def _table(report: Report, people: pd.DataFrame) -> Table:
    order = people.sort_values("responses", ascending=False, kind="stable")
    shown = order.head(_MOST)
    names = shown["annotator"].astype(str)
    columns = [texts("Annotator", names), counts("Answers", list(shown["responses"]))]
    for run in report.runs:
        columns += _skills(run, names, named=len(report.runs) > 1)
    note = f"{report.mass:.0%} intervals."
    if len(shown) < len(people):
        note += (
            f" The {len(shown):,} of {len(people):,} who answered most; all are in the "
            "table annotators of the run."
        )
    return Table("Skill of each annotator", tuple(columns), note)


def _skills(run: Run, names: pd.Series, *, named: bool) -> list[Column]:
    table = run.table("annotators")
    own = table.set_axis(table["annotator"].astype(str)).reindex(names)
    columns = []
    for skill in _SKILLS:
        if skill not in own or own[skill].isna().all():
            continue
        columns_of = (skill, f"{skill}_lower", f"{skill}_upper")
        if skill == "accuracy":
            columns_of = (skill, "lower", "upper")
        title = skill.capitalize() if skill != "spammer" else "Answers by habit"
        title = f"{title}, {run.name}" if named else title
        columns.append(estimates(title, own, columns_of))
    return columns
