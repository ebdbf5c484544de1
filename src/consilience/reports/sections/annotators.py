"""Annotators: the accuracy of each, run beside run."""

from math import isfinite

import pandas as pd

from consilience.analysis import Agreement
from consilience.analysis.reliability import coefficient_name
from consilience.reports.content import (
    Chart,
    Column,
    Listing,
    Note,
    Part,
    Section,
    Table,
    counts,
    estimates,
    interval_note,
    numbers,
    skill,
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
TITLES = {
    "value": "Value",
    "who": "Who",
    "tau": "Threshold",
    "class_label": "Class",
    "label_a": "Label",
    "label_b": "Other label",
    "a_called_b": "Called by the other",
    "b_called_a": "The other called by it",
    "true_label": "Class",
    "given_label": "Called",
    "one_sided": "Difference of both",
    "together": "Together in",
    "dataset_accuracy": "Predicts the data set's label",
    "wrong": "Items with another true label",
    "right": "Share with this true label",
    "what": "Counted",
    "number": "Number",
    "group": "Bin",
    "stated": "Probability stated",
    "low": "From",
    "high": "To",
    "published": "Published",
    "source": "Source of the published value",
    "share": "Share",
    "mutual": "Both ways",
}
VALUES = {
    "several_objects": "several objects",
    "three_objects": "three objects",
    "two_objects": "two objects",
    "four_objects": "four objects or more",
    "one_object": "one object",
    "mean_objects": "mean number of objects",
    "other_main_label": "another main label",
    "other_main_label_several": "another main label, of several objects",
    "other_main_label_single": "another main label, of one object",
    "another_label_as_often": "another label gets yes as often",
    "label_wrong": "the data set's label is not true",
    "label_right": "the data set's label is true",
    "all": "all items",
    "accuracy": "a true label",
    "main_object": "a name of the main object",
    "main_label": "the main label",
    "dataset_accuracy": "the data set's label",
    "dataset_top_5": "the data set's label among five",
    "top_5": "a true label among five",
    "random_object": "one of the objects at random",
    "called_otherwise": "called otherwise",
    "inside": "of these, within the superclass",
    "group_kept": "superclass kept",
    "frequency": "share of yes",
    "less_dataset": "less that of the data set's label",
    "dataset": "data set",
    "contains": "labels, each asked about alone",
}
_MAX_AGREEMENT_ROWS = 50
_MIN_QUESTIONS = 10  # pairs that share fewer are at the ends of any list by chance


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
        parts.append(Chart(skill(people), f"Scatter plot. {caption}", caption))
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
    for ability, called in _SKILLS.items():
        if ability not in rows or rows[ability].isna().all():
            continue
        columns_of = (ability, f"{ability}_lower", f"{ability}_upper")
        if ability == "accuracy":
            columns_of = (ability, "lower", "upper")
        title = f"{called}, {run.name}" if named else called
        columns.append(estimates(title, rows, columns_of))
    return columns


def title(column: str) -> str:
    """Return the words for a column."""
    return TITLES.get(column, column.replace("_", " ").capitalize())


def words(value: object) -> str:
    """Return the words for a value that may be an identifier."""
    return VALUES.get(str(value), str(value))


def agreement(report: Report) -> Section:
    """Return the section."""
    measured = report.agreement
    if measured is None:
        return Section("agreement", "Agreement", (Note(report.no_agreement),))
    parts: list[Part] = [_coefficients(measured)]
    undefined = measured.coefficients[measured.coefficients["reason"] != ""]
    lacking = [
        f"{coefficient_name(measured, row['coefficient'])}: not defined, "
        f"{row['reason']}"
        for row in undefined.to_dict("records")
    ]
    remarks = (*lacking, *measured.notes)
    if remarks:
        parts.append(Listing("Notes", remarks))
    if measured.labels is not None:
        parts.append(_labels(measured.labels))
    if measured.pairs is not None and len(measured.pairs):
        parts.append(_pairs(measured.pairs))
    return Section("agreement", "Agreement", tuple(parts))


def _coefficients(agreement: Agreement) -> Table:
    rows = agreement.coefficients[agreement.coefficients["reason"] == ""]
    bounded = rows.assign(
        lower=rows["lower"].fillna(rows["se_lower"]),
        upper=rows["upper"].fillna(rows["se_upper"]),
    )
    names = [coefficient_name(agreement, name) for name in rows["coefficient"]]
    # Plain agreement is held against no chance.
    chance = rows["expected"].mask(rows["coefficient"] == "percent")
    return Table(
        "How far annotators agree",
        (
            texts("Coefficient", names),
            estimates("Value", bounded, ("value", "lower", "upper")),
            numbers("By chance", list(chance), "{:.3f}"),
        ),
        f"{agreement.prob:.0%} intervals over {agreement.resamples:,} resamples of the "
        "items; where resamples do not serve, of the published variance.",
    )


def _labels(table: pd.DataFrame) -> Table:
    every = table[table["share"] > 0]
    rows = every.sort_values("share", ascending=False, kind="stable").head(
        _MAX_AGREEMENT_ROWS
    )
    return Table(
        "Agreement on each label",
        (
            texts("Label", rows["label"]),
            numbers("Said", list(rows["share"]), "{:.1%}"),
            numbers("Another annotator agrees", list(rows["specific"]), "{:.1%}"),
            estimates("Kappa", rows, ("kappa", "kappa_lower", "kappa_upper")),
        ),
        _limit(len(rows), len(every), "labels said most"),
    )


def _pairs(table: pd.DataFrame) -> Table:
    comparable = table.dropna(subset="kappa")
    comparable = comparable[comparable["questions"] >= _MIN_QUESTIONS]
    comparable = comparable.sort_values("kappa", kind="stable")
    shown = comparable.head(_MAX_AGREEMENT_ROWS)
    few = f" Pairs that share fewer than {_MIN_QUESTIONS} questions are left out."
    return Table(
        "Pairs of annotators, those who agree least first",
        (
            texts("One", shown["annotator"]),
            texts("Other", shown["other"]),
            counts("Questions", list(shown["questions"])),
            estimates("Cohen's kappa", shown, ("kappa", "se_lower", "se_upper")),
        ),
        _limit(len(shown), len(comparable), "pairs that agree least") + few,
    )


def _limit(shown: int, total: int, which: str) -> str:
    return f"The {shown:,} of {total:,} {which}." if shown < total else ""
