"""What cells hold: one label, several, a yes or no to one, or a number."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int, Int8

from consilience.errors import ColumnError, DataError, OptionError
from consilience.responses.columns.looks import FLAGS, YES_NO, look, parse_structure
from consilience.responses.columns.names import find, listing, plain
from consilience.responses.draft import (
    YES,
    Account,
    is_yes_or_no,
    meaning_of,
    read_answers,
)
from consilience.responses.options import TOGETHER, Kind, ReadOptions
from consilience.responses.text import Coded, TextTable, concatenate, encode, text_array

LABEL, ANSWER = "(label)", "(answer)"  # columns that `one_hot` makes

# Several labels in a cell

_SEPARATORS = ("|", ";", ",", "\n")
_MAX_VALUES = 2000  # distinct values that are looked at
_AGAIN, _SHARE = 0.5, 0.2  # of the parts come back; of the cells hold several


def as_lists(column: Coded, options: ReadOptions) -> pa.Array | None:
    """Return the labels of each cell, where cells hold several; None: they hold one."""
    texts: list[str | None] = column.values.to_pylist()
    cells: list[list[str] | None]
    if options.split is not None:
        cells = [None if t is None else split_labels(t, options.split) for t in texts]
    else:
        parsed = (parse_structure(t) if t and t[0] == "[" else None for t in texts)
        cells = [
            [str(part) for part in each]
            if isinstance(each, list) and all(isinstance(p, str | int) for p in each)
            else None
            for each in parsed
        ]
        used = column.codes[column.codes >= 0]
        if not len(used) or any(cells[code] is None for code in np.unique(used)):
            return None
    values = pa.array([*cells, None], pa.list_(pa.string()))
    return values.take(pa.array(np.where(column.codes < 0, len(cells), column.codes)))


def split_labels(text: str, separator: str) -> list[str]:
    """Return the labels between separators, each once, without blanks around them."""
    parts = (part.strip() for part in text.split(separator))
    return list(dict.fromkeys(part for part in parts if part))


def check_lists(cells: pa.Array | None, kind: Kind | None, source: str) -> None:
    """Refuse several labels per cell where the question is not one for objects."""
    if cells is None or kind == "objects":
        return
    most = pc.max(pc.list_value_length(cells)).as_py() or 0
    if kind == "choice" and most <= 1:
        return
    raise DataError(
        f'{source}: it holds several labels per row; ask for `kind="objects"`, or '
        "write one row per answer"
    )


def flatten(cells: pa.Array) -> tuple[Int[np.ndarray, " N"], Coded]:
    """Row and text of each label; an empty list is an answer without a label."""
    empty = pc.equal(pc.fill_null(pc.list_value_length(cells), 0), 0)
    full = pc.if_else(empty, pa.scalar([None], pa.list_(pa.string())), cells)
    rows = pc.list_parent_indices(full).to_numpy().astype(np.int64)
    return rows, encode(pc.list_flatten(full))


class Separated(NamedTuple):
    """Cells that seem to hold several labels, and how sure that is."""

    separator: str
    several: list[str]
    sure: bool
    uneven: bool


def separated(column: Coded) -> Separated | None:
    """Return how cells seem to be separated, surely if parts come back; None: not."""
    texts = [t for t in column.values[:_MAX_VALUES].to_pylist() if t is not None]
    for separator in _SEPARATORS:
        split = {text: split_labels(text, separator) for text in texts}
        several = [text for text, parts in split.items() if len(parts) > 1]
        if not several:
            continue
        often = Counter(part for parts in split.values() for part in parts)
        parts = {part for text in several for part in split[text]}
        again = sum(often[part] > 1 for part in parts) / len(parts)
        if again <= _AGAIN and separator not in "|\n":
            continue
        words = sum(len(part) > 2 for part in parts) > len(parts) / 2
        many = 1 < len(several) > _SHARE * len(texts)
        uneven = len({len(parts) for parts in split.values()}) > 1
        sure = again > _AGAIN and words and many
        return Separated(separator, several, sure, uneven)
    return None


def check_single(
    column: Coded, source: str, options: ReadOptions, account: Account
) -> None:
    """Reject cells that certainly hold several labels, warn of those that may."""
    if options.labels is not None or options.offered is not None:
        return
    cells = separated(column)
    if cells is None:
        return
    msg = (
        f"{source}: cells such as {listing(cells.several, 2)} seem to hold several "
        f"labels; split them with `split={cells.separator!r}` (kind objects), or, if "
        'each is one label, ask for `kind="choice"`'
    )
    if cells.sure and options.kind != "choice":
        raise DataError(msg)
    account.warnings.append(msg)


# Items that several columns name

_BETWEEN = (" / ", " | ", " :: ", " >< ")


def together(table: TextTable, options: ReadOptions) -> TextTable:
    """Return a table with a column for the items that several columns name."""
    names, name = options.item_columns, TOGETHER.join(options.item_columns)
    if not names or name in table.columns:
        return table
    for each in names:
        find(list(table.columns), "item", each, table.source)
    columns = [table.columns[each] for each in names]
    every = [text for column in columns for text in column.values.to_pylist()]
    between = next((b for b in _BETWEEN if not any(b in t for t in every)), None)
    if between is None:
        raise DataError(
            f"{table.source}: the columns {listing(names)} cannot name items together, "
            f"since their texts hold {listing(_BETWEEN)}; write one column of ids"
        )
    codes = np.stack([column.codes for column in columns])
    filled = (codes >= 0).all(axis=0)
    pairs, place = np.unique(codes[:, filled], axis=1, return_inverse=True)
    texts = [column.values.to_pylist() for column in columns]
    values = text_array(
        between.join(t[k] for t, k in zip(texts, pair, strict=True)) for pair in pairs.T
    )
    whole = np.full(table.num_rows, -1, np.int32)
    whole[filled] = place
    return replace(table, columns={**table.columns, name: Coded(whole, values)})


# Yes or no to a label


def yes_or_no(table: TextTable, names: Sequence[str]) -> dict[str, str]:
    """Return the columns of yes-or-no words, and what they look like."""
    looks = {n: look(table.columns[n]) for n in names if n in table.columns}
    return {name: seen for name, seen in looks.items() if seen in {YES_NO, FLAGS}}


def warn_of_words(table: TextTable, unused: Sequence[str], account: Account) -> None:
    """Warn of columns of yes-or-no words that were not used."""
    words = [name for name, seen in yes_or_no(table, unused).items() if seen == YES_NO]
    if words:
        account.warnings.append(
            f"{table.source}: column {listing(words)} holds yes-or-no words and was "
            "not used; if it answers whether the label is there, name it "
            f"(`answer={words[0]!r}`)"
        )


_NUMBER_OF = {"n", "num", "number", "count", "counts", "of", "votes", "anzahl", "total"}
_SHOWN = {"shown", "asked", "nshown", "numshown"}


def columns_of_counts(table: TextTable) -> dict[str, str]:
    """Return the columns that count the answers yes, no and maybe, or who was asked."""
    columns: dict[str, str] = {}
    for name, column in table.columns.items():
        words = [w for w in re.split(r"[\W_]+", name.casefold()) if w]
        word = " ".join(each for each in words if each not in _NUMBER_OF)
        word = re.sub(r"^(?:n|num)(?=yes$|no$|maybe$|shown$)", "", word)
        shown = word in _SHOWN or plain(name) == "total"
        what = "shown" if shown else "yes" if word == "selected" else meaning_of(word)
        values = column.values.to_pylist()
        if what and values and all(re.fullmatch(r"\d+(?:\.0)?", v) for v in values):
            columns.setdefault(what, name)
    return columns


# One column per label


def propose_one_hot(table: TextTable, unused: Sequence[str]) -> None:
    """Say how a table with one column per label is read."""
    if len(yes_or_no(table, unused)) < 2:
        return
    flags = [  # a label that nobody picked, or everybody, is one too
        name
        for name in unused
        if name in table.columns
        and is_yes_or_no(table.columns[name].used().values.to_pylist(), both=False)
    ]
    raise ColumnError(
        f"{table.source}: there is no column of labels, and columns {listing(flags)} "
        "hold yes and no or 0 and 1; if each is a label, name them "
        f"(`one_hot={','.join(flags)}`)"
    )


def one_hot(table: TextTable, options: ReadOptions) -> tuple[TextTable, ReadOptions]:
    """Make a long table of one with a column per label, and say how to read it."""
    names = list(options.one_hot)
    if not names:
        return table, options
    for name in names:
        find(list(table.columns), "label", name, table.source)
    if options.columns.label or options.columns.answer or len(set(names)) < len(names):
        raise OptionError(
            "one_hot names each label's column once, and goes without label or answer"
        )
    rest = {name: c for name, c in table.columns.items() if name not in names}
    if options.kind in {"choice", "objects"}:
        answers = [
            read_answers(table.columns[name], options.answers, table.where)
            for name in names
        ]
        labels = np.array(names, object)
        picked = [labels[row == YES].tolist() for row in np.stack(answers, axis=1)]
        lists = {**table.lists, LABEL: pa.array(picked, pa.list_(pa.string()))}
        columns = replace(options.columns, label=LABEL)
        table = replace(table, columns=rest, lists=lists)
        return table, replace(options, columns=columns)
    width, where = len(names), table.where
    rows, number, answer = long_cells(table, names)
    long = replace(
        table,
        columns={
            **{name: column.take(rows) for name, column in rest.items()},
            LABEL: Coded(number.astype(np.int32), text_array(names)),
            ANSWER: answer,
        },
        lists={name: cell.take(pa.array(rows)) for name, cell in table.lists.items()},
        num_rows=len(rows),
        where=lambda row: where(row // width),
    )
    columns = replace(options.columns, label=LABEL, answer=ANSWER)
    return long, replace(options, columns=columns, kind="contains")


def long_cells(
    table: TextTable, names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, Coded]:
    """Row, column and text of each cell of a matrix, row by row."""
    if not names:
        raise ColumnError(
            f"{table.source}: there is no column beside the items; found "
            f"{listing(table.names)}; expected columns of answers"
        )
    stacked = concatenate([table.single(name) for name in names])
    rows, columns = np.divmod(np.arange(table.num_rows * len(names)), len(names))
    return rows, columns, stacked.take(columns * table.num_rows + rows)


# Numbers


def counts(
    column: Coded,
    table: TextTable,
    rows: Int[np.ndarray, " N"],
    *,
    zero: bool = False,
    most: int = 2**53 - 1,
) -> Int[np.ndarray, " N"]:
    """Read counts: whole numbers of at least one, or, with `zero`, of none."""
    numbers = pd.to_numeric(
        pd.Series(column.values.to_pylist(), dtype="str"), errors="coerce"
    ).to_numpy(float)
    counts = np.append(numbers, np.nan)[column.codes]
    least = 0 if zero else 1
    good = (counts >= least) & (counts == np.floor(counts)) & (counts <= most)
    if not good.all():
        row = int((~good).argmax())
        why = f"; expected a whole number from {least} to {most:,}"
    elif counts.sum() >= 2**53:
        row, why = int(counts.argmax()), ", and all counts together exceed 2**53"
    else:
        return counts.astype(np.int64)
    place = table.where(int(rows[row]))
    raise DataError(f"{place}: the count is {column.text(row)!r}{why}; fix the row")


def object_numbers(
    column: Coded, table: TextTable, rows: Int[np.ndarray, " N"]
) -> Int[np.ndarray, " N"]:
    """Read numbers of objects; -1 where there is none."""
    filled = column.codes >= 0
    out = np.full(len(column), -1, np.int64)
    out[filled] = counts(
        column.take(filled), table, rows[filled], zero=True, most=2**31 - 1
    )
    return out


def booleans(
    column: Coded, table: TextTable, rows: Int[np.ndarray, " N"]
) -> Int8[np.ndarray, " N"]:
    """Read true (1) and false (0); -1 where there is neither."""
    answers = read_answers(column, {}, table.where, rows)
    return np.where(answers > 0, 1, answers).astype(np.int8)
