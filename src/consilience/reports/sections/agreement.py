"""Agreement: every usual coefficient, before any model."""

import pandas as pd

from consilience.analysis import Agreement
from consilience.analysis.reliability.coefficient_names import coefficient_name
from consilience.reports.content import (
    Listing,
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

_MAX_ROWS = 50
_MIN_QUESTIONS = 10  # pairs that share fewer are at the ends of any list by chance


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
    rows = every.sort_values("share", ascending=False, kind="stable").head(_MAX_ROWS)
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
    shown = comparable.head(_MAX_ROWS)
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
