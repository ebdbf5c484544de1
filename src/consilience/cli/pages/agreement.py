"""Agreement on one screen: the coefficients on a common scale, and remarks."""

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from consilience.analysis import Agreement
from consilience.analysis.reliability import coefficient_name
from consilience.cli.pages.drawn import DrawnTable, drawn_table, interval
from consilience.errors import as_options

_MAX_LABELS = 15
_MAX_PAIRS = 5
# Pairs that share fewer questions are at the ends of any list by chance.
_MIN_QUESTIONS = 10


def agreement_page(agreement: Agreement) -> Group:
    """Return the page: what was compared, coefficients, notes, further tables.

    Parameters
    ----------
    agreement
        What was found.
    """
    table = coefficients(agreement)
    parts: list[RenderableType] = [Text(), _head(agreement), Text(), table]
    undefined = agreement.coefficients[agreement.coefficients["reason"] != ""]
    for reason, rows in undefined.groupby("reason", sort=False):
        names = [coefficient_name(agreement, name) for name in rows["coefficient"]]
        parts.append(
            Text(f"Not defined: {', '.join(names)} ({as_options(str(reason))}).", "dim")
        )
    if agreement.labels is not None:
        parts += [Text(), labels(agreement)]
    if agreement.pairs is not None:
        parts += [Text(), pairs(agreement)]
    notes = [
        Text(as_options(f"{note[0].upper()}{note[1:]}."), "dim")
        for note in agreement.notes
    ]
    return Group(*parts, *([Text(), *notes] if notes else []), Text())


def coefficients(agreement: Agreement) -> DrawnTable:
    """Return the coefficients that are defined, drawn between none and perfect."""
    prob = f"{agreement.prob:.0%} interval"
    table = drawn_table("", "value", "by chance", prob, scale=True)
    marked = False
    for row in agreement.coefficients.to_dict("records"):
        if row["reason"]:
            continue
        lower, upper, mark = row["lower"], row["upper"], ""
        if np.isnan(lower) and not np.isnan(row["se"]):
            lower, upper, mark = row["se_lower"], row["se_upper"], " *"
            marked = True
        table.add_row(
            coefficient_name(agreement, row["coefficient"]),
            Text(f"{row['value']:.3f}", "bold"),
            "" if row["coefficient"] == "percent" else f"{row['expected']:.3f}",
            between(lower, upper) + mark,
            line=interval(row["value"], lower, upper),
        )
    if marked:
        table.caption = "* from the published variance, not from resampled items"
    return table


def labels(agreement: Agreement) -> DrawnTable:
    """Return agreement on the labels that are said most often."""
    if agreement.labels is None:
        return DrawnTable((), lambda _: Text())
    rows = agreement.labels[agreement.labels["share"] > 0]
    rows = rows.sort_values("share", ascending=False, kind="stable")
    prob = f"{agreement.prob:.0%} interval"
    table = drawn_table("label", "said", "another too", "kappa", prob, scale=True)
    for row in rows.head(_MAX_LABELS).to_dict("records"):
        kappa, bounds = row["kappa"], (row["kappa_lower"], row["kappa_upper"])
        table.add_row(
            Text(row["label"]),
            f"{row['share']:.1%}",
            "-" if np.isnan(row["specific"]) else f"{row['specific']:.1%}",
            "-" if np.isnan(kappa) else f"{kappa:.3f}",
            between(*bounds),
            line=interval(kappa, *bounds),
        )
    if len(rows) > _MAX_LABELS:
        table.add_row(f"{len(rows) - _MAX_LABELS:,} more")
    return table


def pairs(agreement: Agreement) -> DrawnTable:
    """Return the pairs of annotators that agree least and most."""
    if agreement.pairs is None:
        return DrawnTable((), lambda _: Text())
    comparable = agreement.pairs.dropna(subset="kappa")
    comparable = comparable[comparable["questions"] >= _MIN_QUESTIONS].sort_values(
        "kappa"
    )
    ends, which = [comparable], ""
    if len(comparable) > 2 * _MAX_PAIRS:
        ends = [comparable.head(_MAX_PAIRS), comparable.tail(_MAX_PAIRS)]
        which = ", those that agree least and most"
    prob = f"{agreement.prob:.0%} interval"
    table = drawn_table("pair", "questions", "agree", "kappa", prob, scale=True)
    table.title = f"{len(agreement.pairs):,} pairs of annotators{which}"
    for number, end in enumerate(ends):
        if number:
            table.add_row("…")
        for row in end.to_dict("records"):
            bounds = row["se_lower"], row["se_upper"]
            table.add_row(
                Text(f"{row['annotator']} and {row['other']}"),
                f"{row['questions']:,}",
                f"{row['percent']:.1%}",
                f"{row['kappa']:.3f}",
                between(*bounds),
                line=interval(row["kappa"], *bounds),
            )
    if len(comparable) < len(agreement.pairs):
        left = len(agreement.pairs) - len(comparable)
        table.caption = (
            f"{left:,} pairs share fewer than {_MIN_QUESTIONS} questions, or have no "
            "kappa because both gave one answer only"
        )
    return table


def between(lower: float, upper: float) -> str:
    """Return bounds as text, a dash for none."""
    return "-" if np.isnan(lower) else f"{lower:.3f} to {upper:.3f}"


def _head(agreement: Agreement) -> Text:
    units = f"{agreement.items:,} items"
    if agreement.kind == "contains":
        units = f"{agreement.questions:,} pairs of item and label"
    people = "without ids"
    if agreement.annotators:
        people = f"by {agreement.annotators:,} annotators"
    what = {
        "choice": f"{agreement.categories:,} labels",
        "contains": "no maybe yes" if agreement.categories == 3 else "no yes",
        "objects": f"{agreement.categories:,} different sets of labels",
    }[agreement.kind]
    alike = {
        "nominal": "equal or not",
        "ordinal": "alike by rank",
        "interval": "alike by squared difference",
        "ratio": "alike by squared ratio",
        "jaccard": "alike by Jaccard's distance",
        "masi": "alike by MASI",
    }[agreement.distance]
    return Text.assemble(
        (f"{agreement.answers:,} answers", "bold"),
        f" to {units} {people}; {what}, {alike}",
    )
