"""Wide tables: one row per item, one column per annotator, a label in each cell.

Empty cells, ``NA`` and ``-1`` mean that the annotator did not answer the item; ``-1``
is a label like any other where other negative numbers are used too.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa

from consilience.errors import BadCellError, MissingColumnError
from consilience.responses.assemble import assemble
from consilience.responses.coding import (
    Coded,
    concatenate,
    encode_texts,
    recoded,
    text_array,
)
from consilience.responses.draft import Draft
from consilience.responses.load import Source, fingerprints, load_tables
from consilience.responses.names import find, listing
from consilience.responses.options import ReadOptions
from consilience.responses.reader import Reader
from consilience.responses.table import Responses
from consilience.responses.text_table import TextTable

NOT_ASKED = "-1"


def read_wide(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read matrices of items by annotators.

    Parameters
    ----------
    sources
        Files or data frames. Items are the column named by `options.columns.item` or
        by a usual name, else the index of a data frame, else row numbers from 0.
    options
        As for a long table; `header` is false for a matrix without names.
    """
    table = load_tables([with_index(source) for source in sources], options)
    item, names, notes = item_column(table, options)
    if not names:
        msg = f"{table.source}: there is no column beside the items; expected annotators"
        raise MissingColumnError(msg)
    rows, columns, label = long_cells(table, names)
    label, note = _without_not_asked(label)
    given = label.codes >= 0
    rows, columns = rows[given], columns[given]
    annotator = recoded(columns.astype(np.int32), text_array(names))
    draft = Draft(
        kind="choice",
        item=item.take(rows),
        annotator=annotator,
        label=label.take(given),
        row=rows,
        where=table.where,
        num_read=table.num_rows,
        unit="items",
        notes=(*notes, *note, *table.notes),
        more_items=item.values.to_pylist(),
        sources=fingerprints(sources),
    )
    return assemble(draft, options)


def with_index(source: Source) -> Source:
    """Make an index that says something a column named `item`."""
    if isinstance(source, pd.DataFrame) and not isinstance(
        source.index, pd.RangeIndex
    ):
        return source.rename_axis("item").reset_index()
    return source


def item_column(
    table: TextTable, options: ReadOptions
) -> tuple[Coded, list[str], tuple[str, ...]]:
    """Items of a matrix, names of its other columns, and what was decided.

    Raises
    ------
    BadCellError
        If an item is empty or a cell holds a list.
    """
    if table.lists:
        name = next(iter(table.lists))
        msg = f"{table.source}: column {name!r} holds lists; one text was expected"
        raise BadCellError(msg)
    names = table.names
    usual = find(names, "item", options.columns.item, table.source)
    if usual is None and names[:1] == ["column 1"] and options.header:
        usual = "column 1"  # an index that was written without a name
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
        msg = f"{place}: the item is empty; mend or drop the row"
        raise BadCellError(msg)
    rest = [name for name in names if name != usual]
    return item, rest, (f"read column {usual!r} as item",)


def long_cells(
    table: TextTable, names: list[str]
) -> tuple[np.ndarray, np.ndarray, Coded]:
    """Row, column and text of each cell of a matrix, row by row."""
    stacked = concatenate([table.columns[name] for name in names])
    num_rows, num_columns = table.num_rows, len(names)
    codes = stacked.codes.reshape(num_columns, num_rows).T.ravel()
    rows = np.repeat(np.arange(num_rows), num_columns)
    columns = np.tile(np.arange(num_columns), num_rows)
    return rows, columns, replace(stacked, codes=codes)


def _without_not_asked(label: Coded) -> tuple[Coded, tuple[str, ...]]:
    values = label.values.to_pylist()
    negative = [value for value in values if value.startswith("-")]
    whole = {value.removesuffix(".0") for value in negative}
    if whole != {NOT_ASKED}:
        return label, ()
    kept = pa.array(
        [None if value in negative else value for value in values], pa.string()
    )
    note = "cells '-1' were read as not asked"
    return recoded(label.codes, kept), (note,)


READER = Reader(
    name="wide",
    what="one row per item, one column per annotator (cleanlab, rater wide, -1 missing)",
    sniff=lambda probe: 0,  # noqa: ARG005 - a matrix of labels looks like any other
    read=read_wide,
)
