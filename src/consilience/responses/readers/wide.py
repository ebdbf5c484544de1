"""Wide tables: one row per item, one column per annotator, a label in each cell.

Empty cells, ``NA`` and ``-1`` mean that the annotator did not answer the item; ``-1``
is a label like any other where other negative numbers are used too. Columns that hold
something else than labels are left out (`consilience.responses.columns.wide_columns`).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from consilience.errors import UnknownFormatError
from consilience.responses.assemble import assemble
from consilience.responses.columns.long_table import extra_columns, gold_pairs
from consilience.responses.columns.looks import (
    item_and_label_types,
    item_column,
    long_cells,
    name_index,
)
from consilience.responses.columns.names import listing
from consilience.responses.columns.several_labels import (
    as_lists,
    check_lists,
    check_single,
    flatten,
)
from consilience.responses.columns.wide_columns import wide_columns
from consilience.responses.draft import Draft, Reader
from consilience.responses.options import Kind, ReadOptions
from consilience.responses.quality.repeats import equal_rows
from consilience.responses.sources.load import Source, fingerprints, load_tables
from consilience.responses.table import Responses
from consilience.responses.tables.cells import without_points
from consilience.responses.tables.coding import Coded, recode, text_array

NOT_ASKED = "-1"


def read_wide(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read matrices of items by annotators."""
    whole = load_tables([name_index(source, options) for source in sources], options)
    table = replace(whole, lists={})
    lead = options.columns.annotator
    item, rest, notes = item_column(
        table,
        options if lead is None else with_item(options, lead),
    )
    layout = wide_columns(table, rest, options)
    names = layout.annotators
    if layout.unclear:
        msg = (
            f"{table.source}: the columns {listing(list(layout.unclear))} hold labels "
            f"of {listing(names, 4)} and are named unlike them: are they annotators? "
            "Name all annotators (`annotators=`), or exclude the columns (`exclude=`)"
        )
        raise UnknownFormatError(msg)
    rows, columns, label = long_cells(table, names)
    label, note = drop_not_asked(label)
    label, points = without_points(label)
    again, equal = equal_rows(whole, [item], options.repeats)
    given = (label.codes >= 0) & ~again[rows]
    rows, columns, label = rows[given], columns[given], label.take(given)
    place = f"{table.source}, column {names[0]!r} and others"
    warnings = check_single(label, place, options) if options.split is None else ()
    cells = as_lists(label, options)
    if cells is not None:
        parents, label = flatten(cells)
        rows, columns = rows[parents], columns[parents]
    kind: Kind = "choice"
    if cells is not None and options.kind != "choice":
        kind = "objects"
    check_lists(cells, "objects" if options.split else options.kind, place)
    extras = extra_columns(table, options, rows)
    gold = None if layout.gold is None else table.columns[layout.gold]
    if gold is not None and note:
        gold = drop_not_asked(gold)[0]
    if gold is not None and points:
        texts = [text.removesuffix(".0") for text in gold.values.to_pylist()]
        gold = recode(gold.codes, text_array(texts))
    used = {name: "item" for name in table.names if name not in rest}
    used |= dict.fromkeys(names, "annotator" if lead is None else "item")
    if lead is not None:
        used[lead] = "annotator"
    used |= {} if layout.gold is None else {layout.gold: "gold"}
    used |= dict.fromkeys(extras, "carried along")
    unused = {**layout.unused, **dict.fromkeys(whole.lists, "lists")}
    by_row, by_column = (
        item.take(rows),
        recode(columns.astype(np.int32), text_array(names)),
    )
    types = item_and_label_types(table, names)
    if lead is not None:
        types = {"annotator": types["item"], "label": types["label"]}
    draft = Draft(
        kind=kind,
        item=by_row if lead is None else by_column,
        annotator=by_column if lead is None else by_row,
        label=label,
        row=rows,
        where=table.where,
        num_read=table.num_rows,
        unit="items" if lead is None else "annotators",
        extras=extras,
        dropped=equal,
        notes=(*notes, *note, *points, *table.notes),
        columns=used,
        unused={name: looks for name, looks in unused.items() if name not in used},
        warnings=(*layout.warnings, *warnings),
        gold=None if gold is None or lead else gold_pairs(item, gold),
        more_items=item.values.to_pylist() if lead is None else names,
        sources=fingerprints(sources),
        types=types,
        order=next((table.orders[n] for n in names if n in table.orders), ()),
        ordered=table.ordered.issuperset(names),
    )
    return assemble(draft, options)


def with_item(options: ReadOptions, lead: str) -> ReadOptions:
    """Return the options by which a column is what rows are named by."""
    return replace(options, columns=replace(options.columns, item=lead))


def drop_not_asked(label: Coded) -> tuple[Coded, tuple[str, ...]]:
    """Take ``-1`` for missing, where it is the only negative number; say so."""
    values = label.values.to_pylist()
    negative = [value for value in values if value.startswith("-")]
    whole = {value.removesuffix(".0") for value in negative}
    if whole != {NOT_ASKED}:
        return label, ()
    kept = pa.array(
        [None if value in negative else value for value in values], pa.string()
    )
    note = "cells '-1' were read as not asked"
    return recode(label.codes, kept), (note,)


READER = Reader(
    name="wide",
    what="one row per item, one column per annotator (cleanlab, rater; -1 missing)",
    sniff=lambda probe: 0,  # noqa: ARG005 - a matrix of labels looks like any other
    read=read_wide,
)
