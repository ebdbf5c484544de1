"""Wide tables: one row per item, one column per annotator, a label in each cell.

Empty cells, ``NA`` and ``-1`` mean that the annotator did not answer the item; ``-1``
is a label like any other where other negative numbers are used too, or where it is a
grade beside 0 and 1 on which whole rows agree. An annotator's column holds labels that
other columns hold too. Gold, links, free text, dates, numbers beside words and columns
with a value of its own in every row are left out with a remark; the caller may name the
annotators instead.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from consilience.errors import ColumnError, SourceError
from consilience.responses.assemble import assemble, equal_rows
from consilience.responses.columns.beside import extra_columns, gold_pairs
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
    EMPTY,
    FEW,
    FLAGS,
    FRACTIONS,
    LONGER,
    NEVER_LABELS,
    NUMBERS,
    look,
    num_values,
)
from consilience.responses.columns.names import (
    EXTRAS,
    USUAL,
    are_people,
    find,
    is_aside,
    is_truth,
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
from consilience.responses.text import Coded, TextTable, concatenate, recode, text_array

INDEX = {"column 1", "Unnamed: 0", "index", "__index_level_0__"}
_OTHER = re.compile(
    r"confidence|certainty|comment|remark|timestamp|duration|seconds|difficulty"
    r"|^notes?$|^links?$|^urls?$|^date$|^time$|^text$|^title$|^description$"
)
_NUMBER = re.compile(r"[-+.\deE]+")
_NUMERIC = {NUMBERS, FRACTIONS, FLAGS, DISTINCT}
_ASIDE = frozenset({*EXTRAS, *USUAL["gold"]})
_ROWS, _LABELS = 20_000, 50  # that are looked at; that answers may have
_SPLIT, _ERRORS = 12, 3  # rows without a unanimous answer; standard errors
_GAPS = 0.9  # share of the cells that a column with gaps fills at most
BY_NAME = "by its name"
_TRUTH = "is named for the truth; if it is gold, name it: `gold_column=`"


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
        extras, "carried along"
    )
    account.columns.update({name: role for name, role in roles.items() if name})
    unused = {**layout.unused, **dict.fromkeys(whole.lists, "lists")}
    account.unused.update({n: unused[n] for n in unused if n not in account.columns})
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
        "annotators? Name all annotators (`annotators=`), or exclude the columns "
        f"(`exclude={','.join(layout.unclear)}`)"
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
    """Make an index that says something a column named `item`.

    It says nothing where it has no name and a column holds the items: it is then what
    was left of a longer table.
    """
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

    def prior(name: str) -> float:
        return name_prior(name, "item") - LONGER.get(look(table.columns[name]), 0.0)

    named = [n for n in table.columns if name_prior(n, "item") >= 1]
    keys = [n for n in named if num_values(table.columns[n]) == table.num_rows]
    again = [n for n in named if look(table.columns[n]) != CONSTANT]
    if keys or again:
        return max(keys or again, key=prior)
    unlike = [n for n in table.columns if _may_name(n, table.columns[n])]
    return unlike[0] if len(unlike) == 1 else None


def _may_name(name: str, column: Coded) -> bool:
    """Say whether a column can name the rows, whatever it is called."""
    whole = num_values(column) == len(column) >= FEW
    return (
        whole
        and look(column) == DISTINCT
        and not is_aside(name)
        and not _numbers_rows(column)
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
    """Return the cells that hold a label; say whether ``-1`` is taken for one.

    It may be a grade below 0 and 1; rows that hold nothing else are then of one mind.
    """
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


def drop_not_asked(label: Coded) -> Coded:
    """Take ``-1`` for missing, where it is the only negative number."""
    values = label.values.to_pylist()
    negative = {value for value in values if value.startswith("-")}
    if {value.removesuffix(".0") for value in negative} != {"-1"}:
        return label
    kept = text_array(None if value in negative else value for value in values)
    return recode(label.codes, kept)


# The columns of annotators


@dataclass(frozen=True, slots=True, kw_only=True)
class WideColumns:
    """The columns of a wide table: of labels, of gold, and others with their looks."""

    annotators: list[str]
    gold: str | None
    unused: dict[str, str]
    unclear: Sequence[str] = ()
    warnings: tuple[str, ...] = ()


def wide_columns(
    table: TextTable, names: Sequence[str], options: ReadOptions
) -> WideColumns:
    """Separate the annotators of a wide table from its other columns."""
    source = table.source
    for name in options.annotators:
        find(names, "an annotator", name, source)
    rest = [name for name in names if name not in options.annotators]
    gold = find(rest, "gold", options.columns.gold, source)
    columns = {name: drop_not_asked(table.columns[name]) for name in names}
    looks = {name: look(columns[name]) for name in rest if name != gold}
    if options.annotators:
        return WideColumns(annotators=list(options.annotators), gold=gold, unused=looks)
    may_be = [n for n in looks if not (n in options.extras or plain(n) in _ASIDE)]
    truth = [name for name in may_be if is_truth(name)]
    truth = truth if len(may_be) - len(truth) > 1 else []  # others can be annotators'
    may_be = [name for name in may_be if name not in truth]
    asides = [n for n in may_be if is_aside(n) or _numbers_rows(columns[n])]
    asides = asides if len(may_be) - len(asides) > 1 else []
    may_be = [name for name in may_be if name not in asides]
    out, doubtful = _left_out(columns, {name: looks[name] for name in may_be})
    unlike = named_unlike([name for name in may_be if name not in out])
    alike = [name for name in may_be if name not in {*out, *unlike}]
    full = {name: float((columns[name].codes >= 0).mean()) for name in may_be}
    usual_gaps = min(_GAPS, max((full[name] for name in alike), default=0.0))
    unlike = [name for name in unlike if full[name] > usual_gaps]  # as truths are
    agree = bool(unlike) and _agree(columns, unlike, alike)
    named = dict.fromkeys(() if agree else unlike, "is named unlike the others")
    if set(out.values()) == {EMPTY} and len(out) == len(may_be):
        out = {}  # nobody answered anything, which is an error of its own
    annotators = [name for name in may_be if name not in out | named]
    out |= dict.fromkeys(truth, _TRUTH) | {n: looks[n] or BY_NAME for n in asides}
    if not annotators:
        raise ColumnError(
            f"{source}: no column looks like an annotator's; expected annotators "
            f"beside the item, found {_listing(out | named) or 'no other column'}; "
            "name them (`annotators=`)"
        )
    doubtful = [n for n in doubtful if n not in named and len(annotators) > 1]
    strange = {name: why for name, why in out.items() if why != EMPTY}
    made, number = made_of_others(columns, annotators) or ("", 0)
    sentences = {
        f"left out columns that do not look like an annotator's: {_listing(strange)}; "
        "if one of them is, name all annotators (`annotators=`)": bool(strange),
        f"column {listing(doubtful)} shares no label with the others and was taken for "
        "an annotator; if it is not one, exclude it (`exclude=`)": bool(doubtful),
        f"the columns {listing(unlike)} are named unlike the others, agree with them "
        "and were taken for annotators; if they are none, exclude them "
        "(`exclude=`)": agree,
        f"column {made!r} holds what most others hold in all {number:,} rows where "
        "there is a majority; if it was made of them, exclude it "
        f"(`exclude={made}`)": bool(made),
    }
    out = looks | out | named
    return WideColumns(
        annotators=annotators,
        gold=gold,
        unclear=list(named),
        unused={name: out[name] for name in looks if name not in annotators},
        warnings=tuple(f"{source}: {each}" for each, true in sentences.items() if true),
    )


def _listing(looks: Mapping[str, str]) -> str:
    return ", ".join(f"{name!r} ({seen})" for name, seen in list(looks.items())[:12])


def _agree(
    columns: Mapping[str, Coded], names: Sequence[str], others: Sequence[str]
) -> bool:
    """Say whether several columns hold labels of others and agree beyond chance.

    The mean share of the others who say the same, and that expected of other rows, must
    differ by `_ERRORS` standard errors. One column alone may as well be the truth.
    """
    stacked = concatenate([columns[n] for n in (*others, *names)]).used()
    number = len(stacked.values)
    if len(names) < 2 or not others or number > _LABELS:
        return False
    codes = stacked.codes.reshape(len(others) + len(names), -1)[:, :_ROWS]
    votes = (codes[: len(others), :, None] == np.arange(number)).sum(axis=0)
    share = votes / np.maximum(votes.sum(axis=1, keepdims=True), 1)
    usual = votes.sum(axis=0) / max(votes.sum(), 1)
    for answer in codes[len(others) :]:
        rows = np.flatnonzero((answer >= 0) & (votes.sum(axis=1) > 0))
        beyond = share[rows, answer[rows]] - usual[answer[rows]]
        if len(rows) < FEW or not usual[answer[answer >= 0]].all():
            return False
        if beyond.mean() <= _ERRORS * beyond.std() / np.sqrt(len(rows)):
            return False
    return True


def numbered_stem(names: Sequence[str]) -> str | None:
    """Return what names share that differ in a number or a letter; None: nothing."""
    stems = set(map(_stem, names))
    if len(stems) > 1 or len(names) < 2:
        return None
    return re.sub(r"[\W_]+", " ", stems.pop().replace("#", " ")).strip()


def named_unlike(names: Sequence[str]) -> list[str]:
    """Return the columns beside those, most of all, that differ in a number alone."""
    endings = {re.sub(r"^[^\W_]+", "", name) for name in names}
    if len(endings) == 1 and endings != {""}:
        return []  # each is a word before the same ending
    people = [name for name in names if are_people([name])]
    if len(people) > max(1, len(names) / 2):
        return [name for name in names if name not in people]
    stems = Counter(map(_stem, names))
    common, count = stems.most_common(1)[0] if stems else ("", 0)
    least = 3 if common == "#" else 2
    if "#" not in common or count < max(least, len(names) / 2):
        return []
    return [name for name in names if _stem(name) != common]


def _stem(name: str) -> str:
    if re.search(r"\d", name):
        return re.sub(r"\d+", "#", name)
    return re.sub(r"(?<=[a-z])[A-Z]$|(?<![^\W_])[A-Za-z](?![^\W_])", "#", name)


def _numbers_rows(column: Coded) -> bool:
    """Say whether a column counts the rows."""
    values = column.values.to_pylist()
    if (
        len(values) < FEW
        or len(values) != len(column)
        or not all(map(str.isdigit, values))
    ):
        return False
    numbers = sorted(map(int, values))
    return numbers[0] < 2 and numbers[-1] - numbers[0] == len(numbers) - 1


def made_of_others(
    columns: Mapping[str, Coded], names: Sequence[str]
) -> tuple[str, int] | None:
    """Return a column that always holds what most others hold, and in how many rows."""
    if len(names) < 4:
        return None
    stacked = concatenate([columns[name] for name in names]).used()
    codes = stacked.codes.reshape(len(names), -1)[:, :_ROWS]
    if not 2 <= len(stacked.values) <= _LABELS:
        return None
    votes = (codes[:, :, None] == np.arange(len(stacked.values))).astype(np.int32)
    for place, name in enumerate(names):
        others = votes.sum(axis=0) - votes[place]
        order = np.sort(others, axis=1)
        clear = (codes[place] >= 0) & (order[:, -1] > order[:, -2])
        split = clear & (order[:, -1] < order.sum(axis=1))
        same = codes[place] == others.argmax(axis=1)
        if split.sum() >= _SPLIT and same[clear].all():
            return name, int(clear.sum())
    return None


def _left_out(
    columns: Mapping[str, Coded], looks: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Columns that do not hold labels, and why; and those that may not."""
    values = {n: set(columns[n].used().values.to_pylist()) for n in looks}
    out = {
        name: seen or BY_NAME
        for name, seen in looks.items()
        if seen in NEVER_LABELS - {DISTINCT} or _OTHER.search(plain(name))
    }
    left = [name for name in looks if name not in out]
    numeric = [name for name in left if looks[name] in _NUMERIC]
    numbers = [n for n in numeric if all(map(_NUMBER.fullmatch, values[n]))]
    words = [name for name in left if name not in numbers]
    whole = [name for name in numbers if looks[name] != FRACTIONS]

    def shared(group: Sequence[str]) -> Counter[str]:
        return Counter(value for name in group for value in values[name])

    groups = [group for group in (words, whole, numbers) if group]
    with_core = [g for g in groups if max(shared(g).values(), default=0) > 1]
    labels = next(iter(with_core or groups), [])
    number, doubtful = shared(labels), list[str]()
    unlike_others = named_unlike(left)
    for name in left:
        if any(number[value] > (name in labels) for value in values[name]):
            continue
        filled = int((columns[name].codes >= 0).sum())
        unlike = name not in labels or looks[name] == DISTINCT
        other = name in unlike_others or looks[name] == CONSTANT
        if with_core and filled >= FEW and (unlike or other):
            out[name] = looks[name] or "shares no label with the others"
        elif unlike or filled >= FEW:
            doubtful.append(name)
    return out, doubtful


READER = Reader(
    name="wide",
    what="one row per item, one column per annotator (cleanlab, rater; -1 missing)",
    read=read_wide,
)
