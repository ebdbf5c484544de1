"""A table on the page of a report: cells of text, to sort by, with bars to scale."""

from dataclasses import dataclass, replace
from math import isfinite

import pandas as pd

from consilience.tables import catalogue


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
    order: float = float("-inf")
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
    """A table of the page."""

    caption: str
    columns: tuple[Column, ...]
    note: str = ""
    on_paper: bool = False

    @property
    def rows(self) -> list[tuple[Cell, ...]]:
        """The cells row by row."""
        return list(zip(*(column.cells for column in self.columns), strict=True))


def html(table: catalogue.Table, *, of: str = "", caption: str = "") -> Table:
    """Return a table for the page; `of` is whose it is."""
    title = f"{caption or table.schema.title}{of}"
    return Table(title, tuple(columns(table)), table.notes)


def columns(table: catalogue.Table, *names: str, of: str = "") -> list[Column]:
    """Return columns for the page; `of` tells those of several parties apart."""
    chosen = [table.schema.column(name) for name in names] or table.columns
    return [
        _column(f"{column.title}{of}", column, table.cells(column.name))
        for column in chosen
    ]


def beside(rows: catalogue.Table, frame: pd.DataFrame, party: str, name: str) -> Table:
    """Return a table with a column for each party, of its estimates in these rows."""
    keys = list(rows.frame.columns)
    made = columns(rows, *keys)
    whose = rows.schema.column(party)
    for who, each in frame.groupby(party, sort=False):
        values = rows.frame.merge(each.drop_duplicates(keys), on=keys, how="left")
        (column,) = columns(replace(rows, frame=values), name)
        words = whose.values.get(str(who), "")
        title = words[:1].upper() + words[1:] or str(who)
        made.append(replace(column, title=title))
    return Table(rows.schema.title, tuple(made), rows.notes)


def _column(
    title: str, column: catalogue.Column, cells: list[catalogue.Cell]
) -> Column:
    """Return a column; its bars span 0 to 1, and values that lie beyond."""
    estimates = [(cell.value, cell.lower, cell.upper) for cell in cells]
    numbers = [x for each in estimates for x in each if isfinite(x)]
    low, high = min([0.0, *numbers]), max([1.0, *numbers])

    def place(x: float) -> float | None:
        return round(100 * (x - low) / (high - low), 1) if isfinite(x) else None

    made = []
    for cell in cells:
        shown = Cell(cell.text, between=cell.between)
        value = place(cell.value)
        if value is not None:
            bar = Bar(value, place(cell.lower), place(cell.upper))
            shown = replace(shown, order=cell.value, bar=bar if column.bounds else None)
        made.append(shown)
    return Column(title, tuple(made), numeric=bool(column.form))
