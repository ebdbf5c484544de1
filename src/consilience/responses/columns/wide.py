"""Wide tables: one row per item, one column per annotator, a label in each cell.

Empty cells, ``NA`` and ``-1`` mean that the annotator did not answer the item; ``-1``
is a label like any other where other negative numbers are used too, or where it is a
grade beside 0 and 1 on which whole rows agree. An annotator's column holds labels that
other columns hold too. Gold, links, free text, dates, numbers beside words and columns
with a value of its own in every row are left out with a remark; the caller may name the
annotators instead.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from consilience.errors import ColumnError, SourceError
from consilience.responses.assemble import assemble, equal_rows
from consilience.responses.columns.annotator_columns import (
    WideColumns,
    drop_not_asked,
    numbers_rows,
    wide_columns,
)
from consilience.responses.columns.beside import extra_columns, gold_pairs, item_texts
from consilience.responses.columns.cells import (
    as_lists,
    check_lists,
    check_single,
    flatten,
    long_cells,
)
from consilience.responses.columns.looks import (
    CONSTANT,
    DISTINCT,
    FEW,
    LINKS,
    LONGER,
    look,
    num_values,
)
from consilience.responses.columns.names import (
    USUAL,
    find,
    is_aside,
    listing,
    name_prior,
    plain,
    usual,
)
from consilience.responses.draft import Account, Draft, read_answers
from consilience.responses.format_table import Reader
from consilience.responses.id_types import common_type
from consilience.responses.options import ReadOptions
from consilience.responses.side_tables import check_filled
from consilience.responses.sources.frames import Frame, Source
from consilience.responses.sources.opening import load_tables
from consilience.responses.spelling import listed_labels
from consilience.responses.table import Responses
from consilience.responses.text import Coded, TextTable, recode, text_array

INDEX = {"column 1", "Unnamed: 0", "index", "__index_level_0__"}


def read_wide(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read matrices of items by annotators."""
    whole = load_tables([name_index(source, options) for source in sources], options)
    table, turned = replace(whole, lists={}), options.columns.annotator is not None
    of_rows, of_columns = ("annotator", "item") if turned else ("item", "annotator")
    account = Account(unit=f"{of_rows}s", read=table.num_rows)
    lead = options.columns.annotator if turned else options.columns.item
    row_names, rest = lead_column(table, lead, account, header=options.header)
    pairs = _asked_about(table, options)
    rest = [name for name in rest if name != pairs]
    layout = wide_columns(table, rest, options)
    if layout.unclear:
        raise _ask_unlike(table, [n for n in table.names if n not in rest], layout)
    account.warnings.extend(layout.warnings)
    rows, columns, cell = long_cells(table, layout.annotators)
    label = cell
    if "-1" not in listed_labels(options):
        label = asked(cell, len(layout.annotators), account)
    gold = None if layout.gold is None else table.columns[layout.gold]
    if gold is not None and label is not cell:  # read as the labels were
        gold = drop_not_asked(gold)
    account.notes.extend(table.notes)
    again = equal_rows(whole, [row_names], options.repeats, account)
    given = (label.codes >= 0) & ~again[rows]
    rows, columns, label = rows[given], columns[given], label.take(given)
    place = f"{table.source}, column {layout.annotators[0]!r} and others"
    if options.split is None and pairs is None:
        check_single(label, place, options, account)
    lists = as_lists(label, options)
    if lists is not None:
        parents, label = flatten(lists)
        rows, columns = rows[parents], columns[parents]
    check_lists(lists, "objects" if options.split else options.kind, place)
    by_row = row_names.take(rows)
    by_column = recode(columns.astype(np.int32), text_array(layout.annotators))
    extras = extra_columns(table, options, rows)
    answer = None
    if pairs is not None:
        answer = read_answers(label, options.answers, table.where, rows, account)
        label = table.columns[pairs].take(rows)
    account.columns.update({n: of_rows for n in table.names if n not in rest})
    account.columns.update(dict.fromkeys(layout.annotators, of_columns))
    roles = {layout.gold: "gold", pairs: "label"} | dict.fromkeys(
        extras, "kept with its answers"
    )
    account.columns.update({name: role for name, role in roles.items() if name})
    unused = {**layout.unused, **dict.fromkeys(whole.lists, "lists")}
    account.unused.update({n: unused[n] for n in unused if n not in account.columns})
    beside = {n: c for n, c in table.columns.items() if n in account.unused}
    types = item_and_label_types(table, layout.annotators)
    orders = (table.orders[n] for n in layout.annotators if n in table.orders)
    draft = Draft(
        account=account,
        kind=options.kind or ("choice" if lists is None else "objects"),
        item=by_column if turned else by_row,
        annotator=by_row if turned else by_column,
        label=label,
        answer=answer,
        row=rows,
        where=table.where,
        extras=extras,
        gold=gold_pairs(row_names, None if turned else gold),
        items=None if turned else item_texts(row_names, beside, account),
        more_items=layout.annotators if turned else row_names.values.to_pylist(),
        types={of_rows: types["item"], "label": types["label"]},
        order=next(orders, ()),
        ordered=table.ordered.issuperset(layout.annotators),
    )
    return assemble(draft, options)


def _ask_unlike(
    table: TextTable, lead: list[str], layout: "WideColumns"
) -> SourceError:
    """Return the question whether columns that are named unlike the others are so."""
    beside = f"beside {listing(lead)}, " if lead else ""
    return SourceError(
        f"{table.source}: {beside}the columns {listing(layout.unclear)} hold labels of "
        f"{listing(layout.annotators, 4)} and are named unlike them: are they "
        "annotators? Name the columns of all annotators (`annotator_columns=`), or "
        f"exclude these (`exclude={','.join(layout.unclear)}`)"
    )


def _asked_about(table: TextTable, options: ReadOptions) -> str | None:
    """Return the column that each cell says yes or no to; None: cells are labels."""
    if options.kind != "contains":
        return None
    if options.columns.label is None:
        raise ColumnError(
            f"{table.source}: in a table with a column for each annotator, kind "
            "'contains' needs a column of what was asked about in each row; name it "
            "(`label=NAME`)"
        )
    return find(table.names, "label", options.columns.label, table.source)


# The rows of a matrix, and its cells


def name_index(source: Source, options: ReadOptions) -> Source:
    """Make an index a column `item`, unless a longer table left it without a name."""
    if not isinstance(source, Frame) or not isinstance(source.data, pd.DataFrame):
        return source
    if usual(source.names, "item") or options.columns.item is not None:
        return source
    data = source.data
    if source.index is not None:
        data = data.rename(columns={source.index: "item"})
    elif not isinstance(data.index, pd.RangeIndex):
        data = data.rename_axis("item").reset_index()
    return replace(source, data=data)


def lead_column(
    table: TextTable, given: str | None, account: Account, *, header: bool
) -> tuple[Coded, list[str]]:
    """Names of the rows of a matrix, and its other columns."""
    for name in table.lists:
        table.single(name)
    names = table.names
    lead = name_of_rows(table, given)
    if lead is None and names and names[0] in INDEX and header:
        lead = names[0]  # an index that was written without a name
    if lead is None:
        account.notes.append(
            f"no column looks like the item ({listing(names, 4)}): items are the row "
            "numbers from 0"
        )
        return Coded.of([str(row) for row in range(table.num_rows)]), names
    check_filled(table, {"item": lead})
    return table.columns[lead], [name for name in names if name != lead]


def name_of_rows(table: TextTable, given: str | None) -> str | None:
    """Return the column that names the rows: an id that differs, by its name."""
    if given is not None:
        return find(table.names, "item", given, table.source)

    def prior(name: str) -> tuple[bool, bool, float]:  # an id, else a text, else a link
        kind = look(table.columns[name])
        longer = LONGER.get(kind, 0.0)
        return not longer, kind != LINKS, name_prior(name, "item") - longer

    named = [n for n in table.columns if name_prior(n, "item") >= 1]
    judged = [n for n in table.columns if plain(n) in USUAL["item"]]  # comments, too
    keys = [
        n
        for n in dict.fromkeys([*named, *judged])
        if num_values(table.columns[n]) == table.num_rows
    ]
    again = [n for n in named if look(table.columns[n]) != CONSTANT]
    unlike = [n for n in table.columns if _may_name(n, table.columns[n])]
    best = max(keys or again, key=prior, default=None)
    if best is not None and (prior(best)[0] or len(unlike) != 1):
        return best  # and no text or link beside the one id
    return unlike[0] if len(unlike) == 1 else None


def _may_name(name: str, column: Coded) -> bool:
    """Say whether a column can name the rows, whatever it is called."""
    whole = num_values(column) == len(column) >= FEW
    return (
        whole
        and look(column) == DISTINCT
        and not is_aside(name)
        and not numbers_rows(column)
    )


def item_and_label_types(
    table: TextTable, names: Sequence[str]
) -> dict[str, str | None]:
    """Return the types of the rows' names and of the cells; row numbers are whole."""
    lead = [name for name in table.columns if name not in set(names)]
    kinds = [table.types.get(name) for name in names]
    return {
        "item": table.types.get(lead[0]) if lead else "int64",
        "label": common_type(kinds) if any(kinds) else None,
    }


def asked(cell: Coded, width: int, account: Account) -> Coded:
    """Return the cells that hold a label; say whether ``-1`` is taken for one."""
    label, values = drop_not_asked(cell), cell.used().values.to_pylist()
    if label is cell:
        return cell
    grades = {text.removesuffix(".0") for text in values}
    graded = grades == {*map(str, range(-1, len(grades) - 1))} > {"-1", "0"}
    left, given = (
        (column.codes >= 0).reshape(-1, width).sum(axis=1) for column in (label, cell)
    )
    alone = int(((left == 0) & (given > 1)).sum())
    if graded and alone > 1:
        account.warnings.append(
            f"cells '-1' were read as a label, since {alone:,} rows hold nothing else; "
            'if nobody was asked there, pass `missing=["-1"]`'
        )
        return cell
    (account.warnings if graded else account.notes).append(
        "cells '-1' were read as not asked; if -1 is a label, list all (`labels=`)"
    )
    return label


READER = Reader(
    name="wide",
    what="one row per item, one column per annotator (cleanlab, rater; -1 missing)",
    read=read_wide,
)
