"""Annotators: the accuracy of each, run beside run."""

from math import isfinite

import pandas as pd

from consilience.reports import charts
from consilience.reports.content import (
    Chart,
    Column,
    Note,
    Part,
    Section,
    Table,
    counts,
    estimates,
    interval_note,
    numbers,
    texts,
)
from consilience.reports.record import Report, Run

_MAX_ROWS = 300
_SKILLS = {
    "accuracy": "Accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "spammer": "Answers by habit",
    "single_label": "Single-label responses",
    "recall": "Names another object",
}
_STYLES = {
    "single_label": "Name the main object alone, whatever else they see",
    "recall": "Listing, name an object that is not the main one",
    "rival_name": "Listing, give a rival name of an object they have named",
    "synonym": "Listing, give a synonym of a name they have given",
}


def annotators(report: Report) -> Section:
    """Return the section."""
    run = report.runs[0]
    people = run.table("annotators")
    if people.empty:
        nobody = "No annotator has an id"
        if len(run.table("confusion")):
            nobody += "; what they have in common is under confusion"
        general = [made for run in report.runs for made in _population(run, report)]
        return Section("annotators", "Annotators", (Note(nobody), *general))
    parts: list[Part] = []
    if people["accuracy"].notna().any():
        caption = (
            f"Accuracy of {len(people):,} annotators against the answers they gave"
        )
        parts.append(Chart(charts.skill(people), f"Scatter plot. {caption}", caption))
    parts.append(_table(report, people))
    parts += [made for run in report.runs for made in _population(run, report)]
    return Section("annotators", "Annotators", tuple(parts))


def _population(run: Run, report: Report) -> list[Part]:
    """Return the tables about annotators in general: groups, styles, covariates."""
    return [
        *_groups(run, report),
        *_styles(run, report),
        *_covariate_effects(run, report),
    ]


def _groups(run: Run, report: Report) -> list[Part]:
    """Return the groups of annotators, and the differences between them."""
    groups, apart = run.table("annotator_groups"), run.table("group_differences")
    if groups.empty:
        return []
    who = f", {run.name}" if len(report.runs) > 1 else ""
    spread = ("spread", "spread_lower", "spread_upper")
    columns: tuple[Column, ...] = (
        texts("Group", groups["group"].astype(str)),
        counts("Annotators", list(groups["annotators"])),
        counts("Answers", list(groups["responses"])),
        estimates("Mean accuracy", groups, ("accuracy", "lower", "upper")),
        estimates("Spread", groups, spread),
    )
    note = (
        f"{interval_note(columns, report.prob)} Spread: the standard deviation of the "
        "accuracy between the annotators of a group."
    )
    parts: list[Part] = [Table(f"Groups of annotators{who}", columns, note)]
    if len(apart):
        bounds = ("difference", "lower", "upper")
        pair = apart["group"].astype(str) + " and " + apart["other_group"].astype(str)
        columns = (
            texts("Groups", pair),
            estimates("First less second, mean accuracy", apart, bounds),
            numbers("P(first is higher)", list(apart["more_accurate"]), "{:.3f}"),
        )
        note = interval_note(columns, report.prob)
        parts.append(Table(f"Differences between groups{who}", columns, note))
    return parts


def _styles(run: Run, report: Report) -> list[Part]:
    styles = run.table("styles")
    if styles.empty:
        return []
    who = f", {run.name}" if len(report.runs) > 1 else ""
    columns = (
        texts("Of the typical item", styles["style"].map(_STYLES)),
        estimates("Share", styles, ("share", "lower", "upper")),
    )
    note = interval_note(columns, report.prob)
    return [Table(f"How people answer{who}", columns, note)]


def _covariate_effects(run: Run, report: Report) -> list[Part]:
    """Return the information of the covariates of a run, if it has any."""
    weights, information = (
        run.table("covariate_effects"),
        run.table("relative_information"),
    )
    together = ""
    if weights.empty:
        return []
    if len(information):
        names = ("relative_information", "lower", "upper")
        value, lower, upper = information.iloc[0][[*names]]
        between = f" ({lower:.2f} to {upper:.2f})" if isfinite(lower) else ""
        together = (
            " Together they carry as much information about the truth as "
            f"{value:.2f}{between} answers of one annotator."
        )
    who = f", {run.name}" if len(report.runs) > 1 else ""
    names = ("weight", "lower", "upper")
    columns = (
        texts("Column", weights["column"]),
        estimates("Weight", weights, names, "{:.2f}"),
        numbers("For a unit of it", list(weights["slope"]), "{:.3g}"),
    )
    note = (
        f"Per standard deviation of the column. {interval_note(columns, report.prob)}"
    )
    return [Table(f"Weights of the prior covariates{who}", columns, note + together)]


def _table(report: Report, people: pd.DataFrame) -> Table:
    order = people.sort_values("responses", ascending=False, kind="stable")
    shown = order.head(_MAX_ROWS)
    names = shown["annotator"].astype(str)
    columns = [texts("Annotator", names), counts("Answers", list(shown["responses"]))]
    for run in report.runs:
        columns += _skills(run, names, named=len(report.runs) > 1)
    note = interval_note(columns, report.prob)
    if len(shown) < len(people):
        note += (
            f" The {len(shown):,} of {len(people):,} who answered most; all are in the "
            "table annotators of the run."
        )
    return Table("Skill of each annotator", tuple(columns), note)


def _skills(run: Run, names: pd.Series, *, named: bool) -> list[Column]:
    table = run.table("annotators")
    rows = table.set_axis(table["annotator"].astype(str)).reindex(names)
    columns = []
    for skill, called in _SKILLS.items():
        if skill not in rows or rows[skill].isna().all():
            continue
        columns_of = (skill, f"{skill}_lower", f"{skill}_upper")
        if skill == "accuracy":
            columns_of = (skill, "lower", "upper")
        title = f"{called}, {run.name}" if named else called
        columns.append(estimates(title, rows, columns_of))
    return columns
