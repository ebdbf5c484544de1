"""What a section of the page is made of: facts, sentences, tables and charts.

Cells are text; markup is made of them by the template alone, which escapes it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite, nan
from typing import Any, Literal, SupportsFloat

import pandas as pd

NOTHING = "\N{EN DASH}"


@dataclass(frozen=True, slots=True)
class Bar:
    """A value and its interval, in hundredths of the width they are drawn in."""

    value: float
    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, what it is sorted by, what is drawn, where it leads to."""

    text: str
    order: float | str
    between: str = ""
    bar: Bar | None = None
    link: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title, its cells, and whether they are numbers."""

    title: str
    cells: tuple[Cell, ...]
    numeric: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table."""

    caption: str
    columns: tuple[Column, ...]
    note: str = ""
    on_paper: bool = False

    @property
    def rows(self) -> list[tuple[Cell, ...]]:
        """The cells row by row."""
        return list(zip(*(column.cells for column in self.columns), strict=True))


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing as SVG, what it shows in words, and what stands below it."""

    svg: str
    label: str
    caption: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure of a study."""

    id: str
    title: str
    finding: str
    note: str
    frames: tuple[tuple[str, str], ...]
    frames_of: str
    table: Table


@dataclass(frozen=True, slots=True)
class Models:
    """The legend of all drawings: models with their colours."""

    colours: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """Sentences that lead to drawings: the anchor of each, its title, the sentence."""

    entries: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and what they are."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence; `sort` says how loud it is."""

    text: str
    sort: Literal["plain", "good", "bad", "mind"] = "plain"


@dataclass(frozen=True, slots=True)
class Listing:
    """Sentences or names below each other."""

    title: str
    entries: tuple[str, ...]


type Part = Table | Chart | Drawing | Models | Findings | Facts | Note | Listing


def sort_of(part: Part) -> str:
    """Return the name of what a part is, as the template knows it."""
    return type(part).__name__.lower()


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the page."""

    id: str
    title: str
    parts: tuple[Part, ...]
    app: str = ""


def texts(title: str, values: Iterable[Any]) -> Column:
    """Return a column of text."""
    cells = [NOTHING if pd.isna(value) else str(value) for value in values]
    return Column(
        title, tuple(Cell(cell, cell.casefold()) for cell in cells), numeric=False
    )


def counts(title: str, values: Iterable[SupportsFloat]) -> Column:
    """Return a column of whole numbers."""
    return numbers(title, values, "{:,.0f}")


def numbers(
    title: str, values: Iterable[SupportsFloat], form: str = "{:.4g}"
) -> Column:
    """Return a column of numbers, each written by `form`."""
    floats = [float(value) for value in values]
    made = tuple(Cell(number(value, form), _order(value)) for value in floats)
    return Column(title, made, numeric=True)


def estimates(
    title: str,
    table: pd.DataFrame,
    names: tuple[str, str, str] = ("probability", "lower", "upper"),
    form: str = "{:.3f}",
) -> Column:
    """Return a column of values with their intervals, drawn on a common scale.

    The scale is from 0 to 1 where all lie there, else it spans what there is.
    """
    value, lower, upper = (
        list(table[name].astype(float)) if name in table else [nan] * len(table)
        for name in names
    )
    every = [x for part in (value, lower, upper) for x in part if isfinite(x)]
    low, high = min([0.0, *every]), max([1.0, *every])

    def place(x: float) -> float:
        return round(100 * (x - low) / (high - low), 1)

    cells = []
    for x, a, b in zip(value, lower, upper, strict=True):
        if not isfinite(x):
            cells.append(Cell(NOTHING, float("-inf")))
            continue
        bounded = isfinite(a) and isfinite(b)
        between = f"{form.format(a)} to {form.format(b)}" if bounded else ""
        bar = Bar(
            place(x), place(a) if bounded else None, place(b) if bounded else None
        )
        cells.append(Cell(form.format(x), x, between, bar))
    return Column(title, tuple(cells), numeric=True)


def interval_note(columns: Iterable[Column], prob: float) -> str:
    """Say what the intervals in some columns hold, or that there are none."""
    if any(cell.between for column in columns for cell in column.cells):
        return f"{prob:.0%} intervals."
    return "A point, without intervals."


def number(value: float, form: str = "{:.4g}") -> str:
    """Return a number as text; a dash where it is not defined."""
    return form.format(value) if isfinite(value) else NOTHING


def _order(value: float) -> float:
    return value if isfinite(value) else float("-inf")
