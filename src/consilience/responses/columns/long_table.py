"""A long table given its meaning: which column is the item, which the answer.

The usual names are found (`consilience.responses.columns.names`). A table with a column
for the label and one for the answer to it holds yes/no answers (contains); one with an
object or main column holds objects; any other, choices.
"""

from collections import Counter
from dataclasses import replace
from typing import cast

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Int

from consilience.errors import KindError, MissingColumnError
from consilience.responses.columns.looks import (
    ANSWER,
    LABEL,
    answer_among,
    look,
    propose_one_hot,
    unfold,
    warn_of,
)
from consilience.responses.columns.names import (
    EXTRAS,
    choose_question,
    find,
    listing,
    plain,
    require,
)
from consilience.responses.columns.several_labels import (
    as_lists,
    check_lists,
    check_single,
    flatten,
)
from consilience.responses.draft import Draft, answer_words_rule, read_answers
from consilience.responses.options import Kind, ReadOptions
from consilience.responses.quality.cleaning import Dropped
from consilience.responses.quality.repeats import equal_rows
from consilience.responses.table import KINDS
from consilience.responses.tables.cells import (
    booleans,
    counts,
    object_numbers,
    without_points,
)
from consilience.responses.tables.coding import Coded, drop_unused, nothing, text_array
from consilience.responses.tables.text_table import TextTable

ROLES = (
    "item",
    "annotator",
    "response_id",
    "object",
    "main",
    "gold",
    "n",
    "label",
    "answer",
)
_MADE = (LABEL, ANSWER)  # not columns of the source
ANONYMOUS = "The source names no annotator: every answer is anonymous."
# In order of preference; compared without case, blanks and punctuation.
_USUAL_QUESTION = (
    "question",
    "questionname",
    "questionid",
    "fromname",
    "criterion",
    "dimension",
)
_USUAL_STATUS = {
    "status",
    "state",
    "approvalstatus",
    "assignmentstatus",
    "responsestatus",
    "reviewstatus",
    "submissionstatus",
    "taskstatus",
}
_REFUSED = {
    "abandoned",
    "aborted",
    "canceled",
    "cancelled",
    "consentrevoked",
    "deleted",
    "discarded",
    "draft",
    "expired",
    "invalid",
    "rejected",
    "returned",
    "revoked",
    "skipped",
    "timedout",
}


def long_draft(
    table: TextTable, options: ReadOptions, sources: dict[str, str]
) -> Draft:
    """Give meaning to the columns of a long table."""
    table, options, one_hot = unfold(table, options)
    roles = find_roles(table, options)
    table = _with_lists(table, roles["label"], options)
    kind = options.kind or _kind_of_column(table) or _kind(roles, options)
    _check_kind(table, roles, kind, asked=options.kind is not None)
    rows, label = _labels(table, roles["label"])
    filled = _full_rows(table, roles)
    again, equal = _equal_rows(table, roles, kind, options)
    full = (filled & ~again)[rows]
    rows = rows[full]
    columns = {
        role: table.columns[name].take(rows)
        for role, name in roles.items()
        if role != "label"
    }
    annotator = columns.get("annotator")
    gold = columns.get("gold")
    extras = extra_columns(table, options, rows)
    used = {name: role for role, name in roles.items() if name not in _MADE} | one_hot
    used |= {name: "carried along" for name in extras if name not in used}
    unused = [name for name in table.names if name not in {*used, *_MADE}]
    item, label = columns["item"], label.take(full)
    label, points = without_points(label) if kind == "choice" else (label, ())
    word_rules = (
        answer_words_rule(columns["answer"], options.answers)
        if kind == "contains"
        else ()
    )
    return Draft(
        kind=kind,
        item=item,
        annotator=nothing(len(rows)) if annotator is None else annotator,
        label=label,
        row=rows,
        where=table.where,
        num_read=table.num_rows,
        answer=read_answers(columns["answer"], options.answers, table.where, rows)
        if kind == "contains"
        else None,
        n=counts(columns["n"], table, rows) if "n" in columns else None,
        object=object_numbers(columns["object"], table, rows)
        if "object" in columns
        else None,
        main=booleans(columns["main"], table, rows) if "main" in columns else None,
        response_id=_response_id(
            columns, rows, listed=kind != "choice" and roles["label"] in table.lists
        ),
        extras=extras,
        dropped=(*_empty_rows(table, filled), *equal),
        notes=(*word_rules, *points, *table.notes),
        columns=used,
        unused=column_looks(table, unused),
        warnings=(
            *_has_repeats(table, roles, kind, options),
            *(warn_of(table, unused) if options.kind is None else ()),
        ),
        assumptions=() if annotator is not None else (ANONYMOUS,),
        gold=None if gold is None else gold_pairs(item, gold),
        sources=sources,
        types={role: table.types.get(name) for role, name in roles.items()},
        order=table.orders.get(roles["label"], ()),
        ordered=roles["label"] in table.ordered,
    )


def find_roles(table: TextTable, options: ReadOptions) -> dict[str, str]:
    """Which column plays which role; a column that was named plays no other."""
    named, source = options.columns, table.source
    given = {role: getattr(named, role) for role in ROLES}
    roles: dict[str, str] = {}
    empty = {n for n, column in table.columns.items() if column.codes.max() < 0}

    def free(role: str) -> list[str]:
        taken = {name for other, name in given.items() if other != role}
        taken |= set(roles.values())
        if role not in {"item", "annotator", "label"} and given[role] is None:
            taken |= empty
        return [name for name in table.names if name not in taken]

    cannot = table.unusable
    roles["item"] = require(free("item"), "item", named, source, unusable=cannot)
    for role in ROLES[1:]:
        name = find(free(role), role, given[role], source, cannot)
        if name is not None:
            roles[role] = name
    guessed = "n" in roles and given["n"] is None and plain(roles["n"]) != "n"
    if guessed and "annotator" in roles:  # a person's answer is rarely counted
        del roles["n"]
    if "label" not in roles and "answer" in roles and options.kind != "contains":
        roles["label"] = roles.pop("answer")
    if options.kind in {"choice", "objects"} and given["answer"] is None:
        roles.pop("answer", None)
    if "label" not in roles:
        propose_one_hot(table, free("label"))
        roles["label"] = require(free("label"), "label", named, source, unusable=cannot)
    if "answer" not in roles and options.kind in {None, "contains"}:
        unused = [name for name in free("answer") if plain(name) not in EXTRAS]
        roles |= answer_among(table, roles["label"], unused)
    return roles


def column_looks(table: TextTable, names: list[str]) -> dict[str, str]:
    """Say what each of some columns seems to hold."""
    return {
        name: look(table.columns[name]) if name in table.columns else "lists"
        for name in names
    }


def _with_lists(table: TextTable, name: str, options: ReadOptions) -> TextTable:
    """Take a column of several labels per cell for what it is."""
    lists = as_lists(table.columns[name], options) if name in table.columns else None
    if lists is None:
        return table
    rest = {other: column for other, column in table.columns.items() if other != name}
    how = "JSON lists" if options.split is None else f"split at {options.split!r}"
    note = f"cells of column {name!r} were read as several labels ({how})"
    return replace(
        table,
        columns=rest,
        lists={**table.lists, name: lists},
        notes=(*table.notes, note),
    )


def _has_repeats(
    table: TextTable, roles: dict[str, str], kind: Kind, options: ReadOptions
) -> tuple[str, ...]:
    name = roles["label"]
    if kind == "contains" or name in table.lists:
        return ()
    column = drop_unused(table.columns[name])
    return check_single(column, f"{table.source}, column {name!r}", options)


def _response_id(
    columns: dict[str, Coded], rows: np.ndarray, *, listed: bool
) -> Coded | None:
    """Column of that role; a row of several anonymous labels is one response."""
    if listed and not {"annotator", "response_id"} & set(columns):
        number = rows.astype(np.int32)
        return Coded(
            number, text_array(map(str, range(int(number.max(initial=0)) + 1)))
        )
    return columns.get("response_id")


def _kind_of_column(table: TextTable) -> Kind | None:
    """Kind that a column of that name gives for the whole table."""
    column = table.columns.get("kind")
    kinds = [] if column is None else column.values.to_pylist()
    if not kinds or not set(kinds) <= set(KINDS):
        return None
    if len(kinds) > 1:
        msg = (
            f"{table.source}: its column 'kind' names {', '.join(kinds)}; read a file "
            "of one kind, or the folder that it came from"
        )
        raise KindError(msg)
    return cast("Kind", kinds[0])


def _kind(roles: dict[str, str], options: ReadOptions) -> Kind:
    if "answer" in roles:
        return "contains"
    if options.split is not None:
        return "objects"
    return "objects" if {"object", "main"} & set(roles) else "choice"


def _check_kind(
    table: TextTable, roles: dict[str, str], kind: Kind, *, asked: bool
) -> None:
    if kind == "contains" and "answer" not in roles:
        msg = (
            f"{table.source}: kind 'contains' needs a column of answers (yes, no, "
            f"maybe) beside the label; found {listing(table.names)}; name it "
            "(`answer=NAME`)"
        )
        raise MissingColumnError(msg)
    name = roles["label"]
    anonymous = kind == "choice" and not {"annotator", "response_id"} & set(roles)
    if not (anonymous and asked):
        check_lists(table.lists.get(name), kind, f"{table.source}, column {name!r}")
    for role, column in roles.items():
        if role != "label":
            table.single(column)


def _labels(table: TextTable, name: str) -> tuple[Int[np.ndarray, " N"], Coded]:
    """Row and label of each answer; a list of labels is several answers."""
    if name in table.columns:
        return np.arange(table.num_rows), table.columns[name]
    return flatten(table.lists[name])


def _full_rows(table: TextTable, roles: dict[str, str]) -> np.ndarray:
    """Rows that hold anything in a column that matters."""
    full = np.zeros(table.num_rows, bool)
    for name in roles.values():
        full |= (
            table.columns[name].codes >= 0
            if name in table.columns
            else ~np.asarray(table.lists[name].is_null())
        )
    return full


def _equal_rows(
    table: TextTable, roles: dict[str, str], kind: Kind, options: ReadOptions
) -> tuple[np.ndarray, tuple[Dropped, ...]]:
    """Return `equal_rows`, where a row is an answer and rows do not add up."""
    objects = kind == "objects" and "object" not in roles  # two may look the same
    if "annotator" not in roles or "n" in roles or (objects and not table.lists):
        return np.zeros(table.num_rows, bool), ()
    key = [table.columns[roles[role]] for role in ("item", "annotator")]
    return equal_rows(table, key, options.repeats)


def _empty_rows(table: TextTable, full: np.ndarray) -> tuple[Dropped, ...]:
    if full.all():
        return ()
    first = table.where(int((~full).argmax()))
    return (Dropped("the row is empty", int((~full).sum()), first),)


def extra_columns(
    table: TextTable, options: ReadOptions, rows: Int[np.ndarray, " N"]
) -> dict[str, pd.Series]:
    """Columns of time and status, and those that were asked for, to carry along."""
    for name in options.extras:
        find(table.names, "extra column", name, table.source)
    wanted = [n for n in table.columns if plain(n) in EXTRAS or n in options.extras]
    return {name: table.columns[name].take(rows).series() for name in wanted}


def gold_pairs(item: Coded, gold: Coded) -> pd.DataFrame:
    """Gold labels of items, each once, of a column that holds them row by row."""
    filled = (gold.codes >= 0) & (item.codes >= 0)
    pairs = pd.DataFrame({"item": item.codes[filled], "label": gold.codes[filled]})
    pairs = pairs.drop_duplicates(ignore_index=True)
    return pd.DataFrame(
        {
            "item": item.values.take(pa.array(pairs["item"])).to_pandas(),
            "label": gold.values.take(pa.array(pairs["label"])).to_pandas(),
        },
        dtype="str",
    )


def one_question(table: TextTable, options: ReadOptions) -> TextTable:
    """Return the rows about one question, if there is a column of questions."""
    roles_given = options.columns
    item = find(table.names, "item", roles_given.item, table.source, table.unusable)
    roles = {item} | {getattr(roles_given, name) for name in roles_given.__slots__}
    names = [n for n in table.columns if n not in roles and plain(n) in _USUAL_QUESTION]
    names.sort(key=lambda name: _USUAL_QUESTION.index(plain(name)))
    if not names or item is None:
        if options.question is not None:
            msg = (
                f"{table.source}: no column names the question; found "
                f"{listing(table.names)}; leave out `question=`"
            )
            raise MissingColumnError(msg)
        return table
    column = table.columns[names[0]]
    number = Counter(column.codes.tolist())
    texts = column.values.to_pylist()
    given = {
        str(text): f"{number[code]:,} rows"
        for code, text in enumerate(texts)
        if number[code]
    }
    if len(given) < 2 and options.question is None:
        return table
    question = choose_question(given, options.question, table.source)
    rows = np.flatnonzero(column.codes == texts.index(question))
    note = f"rows about question {question!r}, of {len(given)}, were read"
    columns = {n: c for n, c in table.columns.items() if n != names[0]}
    return replace(table, columns=columns).taken(rows, note)


def without_refused(table: TextTable, options: ReadOptions) -> TextTable:
    """Leave out the rows whose status says that the work does not count."""
    columns = options.columns
    roles = {getattr(columns, name) for name in columns.__slots__}
    names = [n for n in table.columns if n not in roles and plain(n) in _USUAL_STATUS]
    if len(names) != 1:
        return table
    column = table.columns[names[0]]
    texts = column.values.to_pylist()
    if options.statuses is None:
        counts = [plain(text or "") not in _REFUSED for text in texts]
    else:
        counts = [text in options.statuses for text in texts]
    kept = np.array([*counts, options.statuses is None])[column.codes]
    if kept.all():
        return table
    number = Counter(column.codes[~kept].tolist())
    left = ", ".join(
        f"{count:,} {texts[code] if code >= 0 else 'empty'}"
        for code, count in number.items()
    )
    note = f"rows left out by {names[0]!r} (`statuses=` keeps others): {left}"
    return table.taken(np.flatnonzero(kept), note)
