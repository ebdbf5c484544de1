"""Matrices: one row per item, a cell in each column, unrolled row by row."""

from dataclasses import replace

import numpy as np
import pandas as pd

from consilience.errors import BadCellError, MissingColumnError
from consilience.responses.columns.names import find, listing, usual
from consilience.responses.options import ReadOptions
from consilience.responses.sources.frames import Frame
from consilience.responses.sources.load import Source
from consilience.responses.tables.coding import Coded, concatenate, encode_texts
from consilience.responses.tables.text_table import TextTable
from consilience.responses.tables.type_names import common_type

_INDEX = {"column 1", "Unnamed: 0", "index", "__index_level_0__"}


def name_index(source: Source, options: ReadOptions) -> Source:
    """Make an index that says something a column named `item`.

    It says nothing where it has no name and a column holds the items: it is then what
    was left of a longer table.
    """
    if not isinstance(source, Frame) or not isinstance(source.data, pd.DataFrame):
        return source
    data = source.data
    if source.index is not None:
        if usual(source.names, "item") or options.columns.item is not None:
            return source
        return replace(source, data=data.rename(columns={source.index: "item"}))
    if isinstance(data.index, pd.RangeIndex):
        return source
    if usual(source.names, "item") or options.columns.item is not None:
        return source
    return replace(source, data=data.rename_axis("item").reset_index())


def item_column(
    table: TextTable, options: ReadOptions
) -> tuple[Coded, list[str], tuple[str, ...]]:
    """Items of a matrix, names of its other columns, and what was decided."""
    for name in table.lists:
        table.single(name)
    names = table.names
    usual = find(names, "item", options.columns.item, table.source)
    if usual is None and names and names[0] in _INDEX and options.header:
        usual = names[0]  # an index that was written without a name
    if usual is None:
        numbers = encode_texts([str(row) for row in range(table.num_rows)])
        note = (
            f"no column looks like the item ({listing(names, 4)}): items are the row "
            "numbers from 0"
        )
        return numbers, names, (note,)
    item = table.columns[usual]
    if (item.codes < 0).any():
        place = table.where(int((item.codes < 0).argmax()))
        msg = f"{place}: the item is empty; fix or drop the row"
        raise BadCellError(msg)
    rest = [name for name in names if name != usual]
    return item, rest, ()


def item_and_label_types(table: TextTable, names: list[str]) -> dict[str, str | None]:
    """Return the types of the items and of the cells of a matrix.

    Items that are row numbers are whole numbers.
    """
    item = [name for name in table.columns if name not in set(names)]
    kinds = [table.types.get(name) for name in names]
    return {
        "item": table.types.get(item[0]) if item else "int64",
        "label": common_type(kinds) if any(kinds) else None,
    }


def long_cells(
    table: TextTable, names: list[str]
) -> tuple[np.ndarray, np.ndarray, Coded]:
    """Row, column and text of each cell of a matrix, row by row."""
    if not names:
        msg = (
            f"{table.source}: there is no column beside the items; found "
            f"{listing(table.names)}; expected columns of answers"
        )
        raise MissingColumnError(msg)
    stacked = concatenate([table.single(name) for name in names])
    num_rows, num_columns = table.num_rows, len(names)
    codes = stacked.codes.reshape(num_columns, num_rows).T.ravel()
    rows = np.repeat(np.arange(num_rows), num_columns)
    columns = np.tile(np.arange(num_columns), num_rows)
    return rows, columns, replace(stacked, codes=codes)
