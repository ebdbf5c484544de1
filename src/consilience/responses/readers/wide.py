"""Wide tables: one row per item, one column per annotator, a label in each cell.

Empty cells, ``NA`` and ``-1`` mean that the annotator did not answer the item; ``-1``
is a label like any other where other negative numbers are used too.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from consilience.errors import MissingColumnError
from consilience.responses.assemble import assemble
from consilience.responses.coding import (
    Coded,
    recoded,
    text_array,
)
from consilience.responses.draft import Draft
from consilience.responses.load import Source, fingerprints, load_tables
from consilience.responses.matrix import item_column, long_cells, types_of, with_index
from consilience.responses.options import ReadOptions
from consilience.responses.reader import Reader
from consilience.responses.table import Responses

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
        msg = (
            f"{table.source}: there is no column beside the items; expected annotators"
        )
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
        types=types_of(table, names),
    )
    return assemble(draft, options)


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
    what="one row per item, one column per annotator (cleanlab, rater; -1 missing)",
    sniff=lambda probe: 0,  # noqa: ARG005 - a matrix of labels looks like any other
    read=read_wide,
)
