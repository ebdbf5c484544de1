"""The catalogue: what `catalogue.toml` states of tables, and of those that it lacks."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import pandas as pd

from consilience.tables.schema import Column, Schema

_STATED: Mapping[str, Any] = tomllib.loads(
    files("consilience.tables").joinpath("catalogue.toml").read_text("utf-8")
)
_TERMS, _TERM_VALUES = _STATED["terms"]["columns"], _STATED["terms"]["values"]


def _column(name: str, stated: Mapping[str, Any], values: Mapping[str, str]) -> Column:
    """Return a column as a table states it, completed by the terms of all tables."""
    whole = {**_TERMS.get(name, {}), **stated}
    usual = {"named": f"{name}_lower {name}_upper", "plain": "lower upper"}
    bounds = whole.get("bounds", "")
    lower, upper = usual.get(bounds, bounds).split() or ("", "")
    return Column(
        name=name,
        words=whole.get("words", name.replace("_", " ")),
        form=whole.get("form", ""),
        bounds=(lower, upper) if lower else None,
        values=values or _TERM_VALUES.get(name, {}),
        short=whole.get("short", ""),
        means=whole.get("means", ""),
        drawn=whole.get("drawn", False),
    )


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
