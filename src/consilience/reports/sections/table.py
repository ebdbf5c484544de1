"""Any table drawn as it is."""

from dataclasses import replace
from urllib.parse import urlencode

import pandas as pd

from consilience.reports.content import (
    Cell,
    Column,
    Table,
    estimates,
    numbers,
    texts,
)
from consilience.reports.sections.words import title as title_of
from consilience.reports.sections.words import words

_MAX_ROWS = 300
# What the items of a row have in common, as the address of the page says it.
_ITEMS = (
    (("class_label", "label"), {"class": 0, "pair": 1}),
    (("true_label", "given_label"), {"class": 0, "pair": 1}),
    (("label_a", "label_b"), {"pair": 0, "with": 1}),
    (("label",), {"class": 0}),
)


def plain_table(name: str, table: pd.DataFrame, most: int = _MAX_ROWS) -> Table:
    """Return a table drawn column by column, a value and its bounds as one."""
    shown = table.head(most)
    bounded = [
        (column, bounds)
        for column in shown
        if (bounds := _bounds(str(column), shown)) is not None
    ]
    spent = {bound for _, bounds in bounded for bound in bounds}
    of_column = dict(bounded)
    columns = [
        _column(str(column), shown, of_column.get(column))
        for column in shown
        if column not in spent
    ]
    cut = len(table) > len(shown)
    note = f"The first {len(shown):,} of {len(table):,} rows." * cut
    return Table(name.replace("_", " ").capitalize(), tuple(columns), note)


def with_items(drawn: Table, table: pd.DataFrame) -> Table:
    """Return a table with a last column that leads to the items of each row."""
    of_labels = (pair for pair in _ITEMS if set(pair[0]) <= set(table.columns))
    columns, keys = next(of_labels, ((), {}))
    if not columns:
        return drawn
    rows = table[list(columns)].head(len(drawn.rows)).astype("str").to_numpy()
    cells = []
    for row in rows:
        asked = urlencode({key: row[place] for key, place in keys.items()})
        cells.append(Cell("show", "show", link=f"#items?{asked}"))
    return replace(
        drawn, columns=(*drawn.columns, Column("Items", tuple(cells), numeric=False))
    )


def _bounds(column: str, table: pd.DataFrame) -> tuple[str, str] | None:
    """Return the columns of a value's interval: its own, or those of no other."""
    if not pd.api.types.is_numeric_dtype(table[column]):
        return None
    bounds = (f"{column}_lower", f"{column}_upper")
    if set(bounds) <= set(table.columns):
        return bounds
    plain = ("lower", "upper")
    if not set(plain) <= set(table.columns):
        return None
    # Bounds belong to the column that stands before them.
    before = list(table.columns).index("lower") - 1
    return plain if before >= 0 and table.columns[before] == column else None


def _column(name: str, table: pd.DataFrame, bounds: tuple[str, str] | None) -> Column:
    title = title_of(name)
    values = table[name]
    if bounds is not None:
        return estimates(title, table, (name, *bounds))
    if pd.api.types.is_bool_dtype(values):
        return texts(title, ["yes" if value else "no" for value in values])
    if pd.api.types.is_integer_dtype(values):
        return numbers(title, list(values.astype(float)), "{:,.0f}")
    if pd.api.types.is_numeric_dtype(values):
        return numbers(title, list(values.astype(float)))
    return texts(
        title, [words(value) if pd.notna(value) else value for value in values]
    )
