"""Agreement: every usual coefficient, before any model."""

import pandas as pd

from consilience.analysis import Agreement
from consilience.analysis.reliability.coefficient_names import name_of
from consilience.report.content import (
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
from consilience.report.record import Report

_MOST = 50
_QUESTIONS = 10  # pairs that share fewer are at the ends of any list by chance


def agreement(report: Report) -> Section:
    """Return the section."""
    found = report.agreement
    if found is None:
        return Section("agreement", "Agreement", (Note(report.no_agreement),))
    parts: list[Part] = [_coefficients(found)]
    undefined = found.coefficients[found.coefficients["reason"] != ""]
    lacking = [
        f"{name_of(found, row['coefficient'])}: not defined, {row['reason']}"
        for row in undefined.to_dict("records")
    ]
    told = (*lacking, *found.notes)
    if told:
        parts.append(Listing("To be known", told))
    if found.labels is not None:
        parts.append(_labels(found.labels))
    if found.pairs is not None and len(found.pairs):
        parts.append(_pairs(found.pairs))
    return Section("agreement", "Agreement", tuple(parts))


def _coefficients(found: Agreement) -> Table:
    rows = found.coefficients[found.coefficients["reason"] == ""]
    bounded = rows.assign(
        lower=rows["lower"].fillna(rows["se_lower"]),
        upper=rows["upper"].fillna(rows["se_upper"]),
    )
    names = [name_of(found, name) for name in rows["coefficient"]]
    # Plain agreement is held against no chance.
    chance = rows["expected"].mask(rows["coefficient"] == "percent")
    return Table(
        "How far annotators agree",
        (
            texts("Coefficient", names),
            estimates("Value", bounded, ("value", "lower", "upper")),
            numbers("By chance", list(chance), "{:.3f}"),
        ),
        f"{found.mass:.0%} intervals over {found.resamples:,} resamples of the items; "
        "where resamples do not serve, of the published variance.",
    )


def _labels(table: pd.DataFrame) -> Table:
    every = table[table["share"] > 0]
    said = every.sort_values("share", ascending=False, kind="stable").head(_MOST)
    return Table(
        "Agreement on each label",
        (
            texts("Label", said["label"]),
            numbers("Said", list(said["share"]), "{:.1%}"),
            numbers("Another annotator agrees", list(said["specific"]), "{:.1%}"),
            estimates("Kappa", said, ("kappa", "kappa_lower", "kappa_upper")),
        ),
        _limit(len(said), len(every), "labels said most"),
    )


def _pairs(table: pd.DataFrame) -> Table:
    known = table.dropna(subset="kappa")
    known = known[known["questions"] >= _QUESTIONS]
    known = known.sort_values("kappa", kind="stable")
    shown = known.head(_MOST)
    few = f" Pairs that share fewer than {_QUESTIONS} questions are left out."
    return Table(
        "Pairs of annotators, those who agree least first",
        (
            texts("One", shown["annotator"]),
            texts("Other", shown["other"]),
            counts("Questions", list(shown["questions"])),
            estimates("Cohen's kappa", shown, ("kappa", "se_lower", "se_upper")),
        ),
        _limit(len(shown), len(known), "pairs that agree least") + few,
    )


def _limit(shown: int, known: int, which: str) -> str:
    return f"The {shown:,} of {known:,} {which}." if shown < known else ""
