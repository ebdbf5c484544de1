"""Any table drawn as it is."""

import pandas as pd

from consilience.report.content import Column, Table, estimates, numbers, texts

_MAX_ROWS = 300


def plain_table(name: str, table: pd.DataFrame) -> Table:
    """Return a table drawn column by column, a value and its bounds as one.

    Parameters
    ----------
    name
        What it is called, words joined by underscores.
    table
        Any table. The bounds of a column NAME are NAME_lower and NAME_upper, or lower
        and upper where these stand behind it.
    """
    shown = table.head(_MAX_ROWS)
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
    title = name.replace("_", " ").capitalize()
    values = table[name]
    if bounds is not None:
        return estimates(title, table, (name, *bounds))
    if pd.api.types.is_bool_dtype(values):
        return texts(title, ["yes" if value else "no" for value in values])
    if pd.api.types.is_integer_dtype(values):
        return numbers(title, list(values.astype(float)), "{:,.0f}")
    if pd.api.types.is_numeric_dtype(values):
        return numbers(title, list(values.astype(float)))
    return texts(title, values)
