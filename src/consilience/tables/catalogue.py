"""Tables that state what their columns mean, as `catalogue.toml` says it.

A result is a data frame; a `Schema` has the words for it. Every drawer takes its text
from `Table.cells`, so that a number reads the same wherever it stands.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from math import isfinite, nan
from types import MappingProxyType
from typing import Any

import pandas as pd

DASH = "\N{EN DASH}"
PERCENT, POINTS = "percent", "points"


@dataclass(frozen=True, slots=True)
class Cell:
    """A value and its interval, as text and as numbers (NaN: not stated)."""

    text: str
    between: str = ""
    value: float = nan
    lower: float = nan
    upper: float = nan

    def __str__(self) -> str:
        """Return the value with its interval, as in a sentence."""
        return f"{self.text} ({self.between})" if self.between else self.text


def written(value: float, form: str) -> str:
    """Return a number as text by a format, or in percent."""
    if form == PERCENT:
        return f"{100 * value:.1f}"
    if form == POINTS:  # what rounds to zero has no sign
        return f"{round(100 * value, 1) + 0.0:.1f}"
    return format(value, form)


def estimate(
    value: float, lower: float = nan, upper: float = nan, form: str = ".3f"
) -> Cell:
    """Return a number with its interval as a cell."""
    if not isfinite(value):
        return Cell("an unknown share" if form == PERCENT else DASH)
    unit = {PERCENT: " %", POINTS: " points"}.get(form, "")
    text = written(value, form) + unit
    if not (isfinite(lower) and isfinite(upper)):
        return Cell(text, value=value)
    between = f"{written(lower, form)} to {written(upper, form)}"
    return Cell(text, between, value, lower, upper)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its name in the frame, in words, its format, bounds and meaning.

    `values` has the words for identifiers in it; `short` is its head in narrow places.
    One that is `drawn` is put together where the table is drawn; results lack it.
    """

    name: str
    words: str = ""
    form: str = ""
    bounds: tuple[str, str] | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    short: str = ""
    means: str = ""
    drawn: bool = False

    @property
    def title(self) -> str:
        """Its words as a head."""
        return f"{self.words[:1].upper()}{self.words[1:]}"

    @property
    def head(self) -> str:
        """Its words in a narrow place."""
        return self.short or self.words

    @property
    def names(self) -> tuple[str, ...]:
        """Names in the frame: of the column and of its bounds."""
        return (self.name, *(self.bounds or ()))

    def cell(self, row: Mapping[Any, Any]) -> Cell:
        """Return what a row has of this column."""
        value = row[self.name]
        if self.form:
            lower, upper = (row.get(name, nan) for name in self.bounds or ("", ""))
            number = nan if pd.isna(value) else float(value)
            return estimate(number, float(lower), float(upper), self.form)
        if pd.isna(value):
            return Cell(DASH)
        text = ("no", "yes")[value] if isinstance(value, bool) else str(value)
        return Cell(self.values.get(text, text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A kind of table: its title, columns, and what is to be known of it.

    `shown` are the columns of a page (by default all), `order` says which rows it has
    where there are too many, and `mark` what a mark of a chart says of its row.
    """

    name: str
    title: str = ""
    columns: tuple[Column, ...]
    shown: tuple[str, ...] = ()
    order: str = ""
    note: str = ""
    mark: str = ""

    @property
    def results(self) -> list[Column]:
        """The columns of a result."""
        return [column for column in self.columns if not column.drawn]

    def of(self, frame: pd.DataFrame, prob: float | None = None) -> "Table":
        """Return a frame as a table of this kind."""
        return Table(schema=self, frame=frame, prob=prob)

    def column(self, name: str) -> Column:
        """Return a column by its name."""
        return next(column for column in self.columns if column.name == name)

    def marks(self, frame: pd.DataFrame) -> list[str]:
        """Return what is said of each row; `share` and `points` are of its estimate."""
        texts = []
        for row in frame.to_dict("records"):
            value = row["probability" if "probability" in row else "value"]
            numbers = (value, row["lower"], row["upper"])
            words = {str(name): value for name, value in row.items()}
            words |= {
                column.name: column.cell(row).text
                for column in self.columns
                if column.name in row
            }
            words["share"] = str(estimate(*numbers, form=PERCENT))
            words["points"] = str(estimate(*numbers, form=POINTS))
            texts.append(self.mark.format_map(words))
        return texts

    def markdown(self) -> str:
        """Return the columns of a result with their meaning, for the documentation."""
        rows = [
            f"| {', '.join(f'`{name}`' for name in column.names)} "
            f"| {column.means or column.words} |"
            for column in self.results
        ]
        return "\n".join(["| column | |", "|---|---|", *rows])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """Rows with what they mean.

    Of `total` rows those in the frame are shown, a `gap` after so many of them.
    """

    schema: Schema
    frame: pd.DataFrame
    prob: float | None = None
    note: str = ""
    total: int | None = None
    gap: int | None = None

    @property
    def columns(self) -> list[Column]:
        """The columns that are shown and of which the frame states something."""
        names = self.schema.shown or [column.name for column in self.schema.columns]
        there = self.frame.columns[self.frame.notna().any() | (not len(self.frame))]
        return [self.schema.column(name) for name in names if name in there]

    def cells(self, name: str) -> list[Cell]:
        """Return a column, cell by cell."""
        column = self.schema.column(name)
        return [column.cell(row) for row in self.frame.to_dict("records")]

    @property
    def bounded(self) -> bool:
        """Whether an interval is stated."""
        return any(
            cell.between
            for column in self.columns
            if column.bounds
            for cell in self.cells(column.name)
        )

    @property
    def notes(self) -> str:
        """What is to be known beneath: the intervals, a note, the rows left out."""
        intervals = ""
        if self.prob is not None and any(column.bounds for column in self.columns):
            bounded = f"{self.prob:.0%} intervals."
            intervals = bounded if self.bounded else "A point, without intervals."
        shown, left = len(self.frame), ""
        if self.total is not None and shown < self.total:
            left = f"The first {shown:,} of {self.total:,} rows."
            if self.schema.order:
                left = f"The {shown:,} of {self.total:,} {self.schema.order}."
        return " ".join(filter(None, (intervals, self.note or self.schema.note, left)))

    def sort(self, by: str) -> "Table":
        """Return the rows in the order of a column, the largest first."""
        order = self.frame.sort_values(by, ascending=False, kind="stable")
        return replace(self, frame=order)

    def first(self, number: int) -> "Table":
        """Return the first rows."""
        return replace(self, frame=self.frame.head(number), total=len(self.frame))

    def ends(self, number: int, last: int | None = None) -> "Table":
        """Return the first and the last rows, with a gap between them."""
        last = number if last is None else last
        if len(self.frame) <= number + last:
            return self
        both = pd.concat([self.frame.head(number), self.frame.tail(last)])
        return replace(self, frame=both, total=len(self.frame), gap=number)


_STATED: Mapping[str, Any] = tomllib.loads(
    files("consilience.tables").joinpath("catalogue.toml").read_text("utf-8")
)
_TERMS, _TERM_VALUES = _STATED["terms"]["columns"], _STATED["terms"]["values"]


def _column(name: str, stated: Mapping[str, Any], values: Mapping[str, str]) -> Column:
    """Return a column as a table states it, completed by the terms of all tables."""
    whole = {"words": name.replace("_", " "), **_TERMS.get(name, {}), **stated}
    usual = {"named": f"{name}_lower {name}_upper", "plain": "lower upper"}
    bounds = whole.get("bounds", "")
    whole["bounds"] = tuple(usual.get(bounds, bounds).split()) or None
    return Column(name=name, values=values or _TERM_VALUES.get(name, {}), **whole)


def _schema(name: str, stated: Mapping[str, Any]) -> Schema:
    columns, values = stated.get("columns", {}), stated.get("values", {})
    return Schema(
        name=name,
        title=stated.get("title", _title(name)),
        columns=tuple(
            _column(column, columns.get(column, {}), values.get(column, {}))
            for column in stated.get("of", "").split() or columns
        ),
        shown=tuple(stated.get("shown", "").split()),
        order=stated.get("order", ""),
        note=stated.get("note", ""),
        mark=stated.get("mark", ""),
    )


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


_TOGETHER = "relative_information"
CATALOGUE: Mapping[str, Schema] = MappingProxyType(
    {name: _schema(name, stated) for name, stated in _STATED.items() if name != "terms"}
)


def together(information: pd.DataFrame) -> str:
    """Return how much the covariates of candidates tell together, as a sentence."""
    if information.empty:
        return ""
    (cell,) = CATALOGUE[_TOGETHER].of(information).cells(_TOGETHER)
    return (
        f"Together they carry as much information about the truth as {cell} answers of "
        "one annotator."
    )


def meanings(*names: str) -> dict[str, str]:
    """Return what the columns of tables mean, by table and column, for their files."""
    return {
        f"{name}.{column.name}": column.means
        for name in names
        if name in CATALOGUE
        for column in CATALOGUE[name].results
        if column.means
    }


def schema_of(name: str, frame: pd.DataFrame) -> Schema:
    """Return what can be stated of any table: a value and its bounds are one column."""
    columns = list(map(str, frame.columns))
    of_name = _STATED.get(name, {})
    bounds = {
        column: pair for column in columns if (pair := _bounds(column, frame, columns))
    }
    spent = {bound for pair in bounds.values() for bound in pair}
    made = []
    for column in columns:
        if column in spent:
            continue
        stated = of_name.get("columns", {}).get(column, {})
        form = _form(frame[column], bounded=column in bounds)
        form = form and stated.get("form", form)
        whole = {**stated, "form": form, "bounds": " ".join(bounds.get(column, ()))}
        values = of_name.get("values", {}).get(column, {})
        made.append(_column(column, whole, values))
    return Schema(name=name, title=_title(name), columns=tuple(made))


def _bounds(column: str, frame: pd.DataFrame, columns: list[str]) -> tuple[str, ...]:
    """Return the columns of a value's interval: its own, or those of no other."""
    if not pd.api.types.is_numeric_dtype(frame[column]):
        return ()
    named = (f"{column}_lower", f"{column}_upper")
    if set(named) <= set(columns):
        return named
    # Plain bounds belong to the column that stands before them.
    plain = ("lower", "upper")
    following = columns[columns.index(column) + 1 :][:1]
    return plain if following == ["lower"] and "upper" in columns else ()


def _form(values: pd.Series, *, bounded: bool) -> str:
    if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
        return ""
    if bounded:
        return ".3f"
    return ",.0f" if pd.api.types.is_integer_dtype(values) else ".4g"
