"""Agreement on one screen: the coefficients on a common scale, and remarks."""

from dataclasses import dataclass

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from consilience.analysis import Agreement
from consilience.analysis.reliability.coefficient_names import coefficient_name
from consilience.errors import as_options

_MAX_LABELS = 15
_MAX_PAIRS = 5
# Pairs that share fewer questions are at the ends of any list by chance.
_MIN_QUESTIONS = 10


@dataclass(frozen=True, slots=True)
class Scale:
    """The line from 0 to 1 on which values are drawn; `width` is in columns."""

    width: int

    @classmethod
    def within(cls, screen: int) -> "Scale":
        """As wide as the other columns of a table leave room for, within reason."""
        return cls(min(max(screen - 64, 11), 31))

    def place(self, number: float) -> int:
        """Return the column of a number; what is beyond stands at the end."""
        return round(min(max(number, 0.0), 1.0) * (self.width - 1))

    def draw(self, value: float, lower: float, upper: float) -> Text:
        """Draw a value and its interval."""
        if np.isnan(value):
            return Text("")
        cells = ["·"] * self.width
        if not np.isnan(lower):
            first, last = self.place(lower), self.place(upper)
            cells[first : last + 1] = "━" * (last - first + 1)
        at = self.place(value)
        return Text.assemble(
            ("".join(cells[:at]), "cyan"),
            ("◀" if value < 0 else "●", "bold cyan"),
            ("".join(cells[at + 1 :]), "cyan"),
        )


def agreement_page(agreement: Agreement, width: int) -> Group:
    """Return the page: what was compared, coefficients, notes, further tables.

    Parameters
    ----------
    agreement
        What was found.
    width
        Columns of the screen.
    """
    table = coefficients(agreement, Scale.within(width))
    parts: list[RenderableType] = [Text(), _head(agreement), Text(), table]
    undefined = agreement.coefficients[agreement.coefficients["reason"] != ""]
    for reason, rows in undefined.groupby("reason", sort=False):
        names = [coefficient_name(agreement, name) for name in rows["coefficient"]]
        parts.append(
            Text(f"Not defined: {', '.join(names)} ({as_options(str(reason))}).", "dim")
        )
    if agreement.labels is not None:
        parts += [Text(), labels(agreement, Scale.within(width))]
    if agreement.pairs is not None:
        parts += [Text(), pairs(agreement, Scale.within(width))]
    notes = [
        Text(as_options(f"{note[0].upper()}{note[1:]}."), "dim")
        for note in agreement.notes
    ]
    return Group(*parts, *([Text(), *notes] if notes else []), Text())


def coefficients(agreement: Agreement, scale: Scale) -> Table:
    """Return the coefficients that are defined, drawn between none and perfect."""
    table = _table(scale, "", "value", "by chance", f"{agreement.prob:.0%} interval")
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
            scale.draw(row["value"], lower, upper),
        )
    if marked:
        _caption(table, "* from the published variance, not from resampled items")
    return table


def labels(agreement: Agreement, scale: Scale) -> Table:
    """Return agreement on the labels that are said most often."""
    if agreement.labels is None:
        return Table()
    rows = agreement.labels[agreement.labels["share"] > 0]
    rows = rows.sort_values("share", ascending=False, kind="stable")
    prob = f"{agreement.prob:.0%} interval"
    table = _table(scale, "label", "said", "another too", "kappa", prob)
    for row in rows.head(_MAX_LABELS).to_dict("records"):
        kappa, bounds = row["kappa"], (row["kappa_lower"], row["kappa_upper"])
        table.add_row(
            Text(row["label"]),
            f"{row['share']:.1%}",
            "-" if np.isnan(row["specific"]) else f"{row['specific']:.1%}",
            "-" if np.isnan(kappa) else f"{kappa:.3f}",
            between(*bounds),
            scale.draw(kappa, *bounds),
        )
    if len(rows) > _MAX_LABELS:
        table.add_row(f"{len(rows) - _MAX_LABELS:,} more", *[""] * 5)
    return table


def pairs(agreement: Agreement, scale: Scale) -> Table:
    """Return the pairs of annotators that agree least and most."""
    if agreement.pairs is None:
        return Table()
    comparable = agreement.pairs.dropna(subset="kappa")
    comparable = comparable[comparable["questions"] >= _MIN_QUESTIONS].sort_values(
        "kappa"
    )
    ends, which = [comparable], ""
    if len(comparable) > 2 * _MAX_PAIRS:
        ends = [comparable.head(_MAX_PAIRS), comparable.tail(_MAX_PAIRS)]
        which = ", those that agree least and most"
    prob = f"{agreement.prob:.0%} interval"
    table = _table(scale, "pair", "questions", "agree", "kappa", prob)
    table.title = Text(f"{len(agreement.pairs):,} pairs of annotators{which}")
    table.title_justify = "left"
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
                scale.draw(row["kappa"], *bounds),
            )
    if len(comparable) < len(agreement.pairs):
        left = len(agreement.pairs) - len(comparable)
        _caption(
            table,
            f"{left:,} pairs share fewer than {_MIN_QUESTIONS} questions, or have no "
            "kappa because both gave one answer only",
        )
    return table


def between(lower: float, upper: float) -> str:
    """Return bounds as text, a dash for none."""
    return "-" if np.isnan(lower) else f"{lower:.3f} to {upper:.3f}"


def _table(scale: Scale, *headers: str) -> Table:
    """Return an empty table whose last column is the scale from 0 to 1."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for header in headers:
        table.add_column(Text(header), no_wrap=True, overflow="ellipsis")
    table.add_column(Text(f"0{'1':>{scale.width - 1}}", "dim"), no_wrap=True)
    return table


def _caption(table: Table, sentence: str) -> None:
    table.caption, table.caption_justify = Text(sentence, "dim"), "left"


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
