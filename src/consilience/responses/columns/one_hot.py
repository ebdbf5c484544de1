"""Tables with one column per label, whose cells say yes or no, made long."""

from dataclasses import replace

import numpy as np
import pyarrow as pa

from consilience.errors import OptionError
from consilience.responses.answers import YES, read_answers
from consilience.responses.columns.names import find
from consilience.responses.options import ReadOptions
from consilience.responses.tables.coding import Coded, concatenate, text_array
from consilience.responses.tables.text_table import TextTable

LABEL, ANSWER = "(label)", "(answer)"  # of the long table


def unfold(
    table: TextTable, options: ReadOptions
) -> tuple[TextTable, ReadOptions, dict[str, str]]:
    """Make a long table of one with a column per label."""
    names = list(options.one_hot)
    if not names:
        return table, options, {}
    for name in names:
        find(list(table.columns), "label", name, table.source)
    if options.columns.label or options.columns.answer or len(set(names)) < len(names):
        msg = "one_hot names each label's column once, and goes without label or answer"
        raise OptionError(msg)
    rest = {name: c for name, c in table.columns.items() if name not in names}
    cells = [table.columns[name] for name in names]
    if options.kind in {"choice", "objects"}:
        answers = [read_answers(cell, options.answers, table.where) for cell in cells]
        picked = [
            [name for name, code in zip(names, row, strict=True) if code == YES]
            for row in np.stack(answers, axis=1)
        ]
        lists = {**table.lists, LABEL: pa.array(picked, pa.list_(pa.string()))}
        columns = replace(options.columns, label=LABEL)
        options = replace(options, columns=columns, one_hot=())
        table = replace(table, columns=rest, lists=lists)
        return table, options, dict.fromkeys(names, "label")
    width = len(names)
    rows = np.repeat(np.arange(table.num_rows), width)
    stacked = concatenate(cells)
    codes = stacked.codes.reshape(width, table.num_rows).T.ravel()
    number = np.tile(np.arange(width, dtype=np.int32), table.num_rows)
    where = table.where
    long = replace(
        table,
        columns={
            **{name: column.take(rows) for name, column in rest.items()},
            LABEL: Coded(number, text_array(names)),
            ANSWER: replace(stacked, codes=codes),
        },
        lists={name: cell.take(pa.array(rows)) for name, cell in table.lists.items()},
        num_rows=len(rows),
        where=lambda row: where(row // width),
    )
    columns = replace(options.columns, label=LABEL, answer=ANSWER)
    options = replace(options, columns=columns, kind="contains", one_hot=())
    return long, options, dict.fromkeys(names, "label")
