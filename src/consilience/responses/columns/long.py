"""Long tables: one row per answer, in CSV, TSV, Parquet, JSON lines or a data frame.

A table with a column for the label and one for the answer to it holds yes/no answers
(contains); one with an object or main column holds objects; any other, choices.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from consilience.errors import ColumnError
from consilience.responses.assemble import assemble, equal_rows
from consilience.responses.columns import cells
from consilience.responses.columns.beside import (
    column_looks,
    extra_columns,
    gold_pairs,
    item_texts,
    kind_column,
)
from consilience.responses.columns.names import (
    OTHER,
    choose_question,
    find,
    listing,
    plain,
)
from consilience.responses.columns.proposer import settled
from consilience.responses.draft import Account, Draft, Dropped, read_answers
from consilience.responses.format_table import Reader
from consilience.responses.options import Kind, ReadOptions
from consilience.responses.sources.frames import Source
from consilience.responses.sources.opening import load_tables
from consilience.responses.table import Responses
from consilience.responses.text import Coded, TextTable, text_array

ROLES = (
    *("item", "annotator", "response_id", "object", "main", "gold"),
    *("n", "label", "answer"),
)
_QUESTIONS = 12  # that a file may be about, rather than items of as many names
ANONYMOUS = "The source names no annotator: every answer is anonymous."

_NUMBERS: Mapping[str, Callable[[Coded, TextTable, np.ndarray], np.ndarray]] = {
    "n": cells.counts,
    "object": cells.object_numbers,
    "main": cells.booleans,
}

type Roles = Mapping[str, str]


def read_long(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read one or more files or data frames, taken as one table."""
    table = cells.together(load_tables(sources, options, unnested=True), options)
    table = one_question(without_refused(table, options), options)
    return assemble(long_draft(table, options), options)


def long_draft(table: TextTable, options: ReadOptions) -> Draft:
    """Give meaning to the columns of a long table."""
    table, options = cells.one_hot(table, options)
    table, assumed = cells.together(table, options), list[str]()
    if not options.planned:
        options = settled(table, options, assumed)
        table = cells.together(table, options)
    roles = _roles(table, options)
    name = roles["label"]
    table = _with_lists(table, name, options)
    objects = options.split is not None or {"object", "main"} & set(roles)
    likely: Kind = "objects" if objects else "choice"
    likely = "contains" if "answer" in roles else likely
    kind = options.kind or kind_column(table) or likely
    _check_kind(table, roles, kind, asked=options.kind is not None)
    account = Account(read=table.num_rows, assumptions=assumed)
    full = _counted(table, roles, kind, options, account)
    if name in table.columns:
        rows, label = np.arange(table.num_rows), table.columns[name]
    else:  # a list of labels is several answers
        rows, label = cells.flatten(table.lists[name])
    rows, label = rows[full[rows]], label.take(full[rows])
    columns = {r: table.columns[n].take(rows) for r, n in roles.items() if r != "label"}
    answer = None
    if kind == "contains":
        answer = read_answers(
            columns["answer"], options.answers, table.where, rows, account
        )
    account.notes.extend(table.notes)
    extras = extra_columns(table, options, rows)
    made = {cells.LABEL, cells.ANSWER}
    account.columns.update({n: r for r, n in roles.items() if n not in made})
    account.columns.update(dict.fromkeys(options.one_hot, "label"))
    carried = {n: "kept with its answers" for n in extras if n not in account.columns}
    account.columns.update(carried)
    unused = [n for n in table.names if n not in {*account.columns, *made}]
    account.unused.update(column_looks(table, unused))
    beside = {n: c.take(rows) for n, c in table.columns.items() if n in unused}
    if kind != "contains" and name in table.columns:
        whole = table.columns[name].used()
        place = f"{table.source}, column {name!r}"
        cells.check_single(whole, place, options, account)
    if options.kind is None:
        cells.warn_of_words(table, unused, account)
    if "annotator" not in columns:
        account.assumptions.append(ANONYMOUS)
    numbers = {
        role: read(columns[role], table, rows)
        for role, read in _NUMBERS.items()
        if role in columns
    }
    response = columns.get("response_id")
    listed = kind != "choice" and name in table.lists
    if listed and not {"annotator", "response_id"} & set(columns):
        # A row of several labels is one response.
        ids = text_array(map(str, range(int(rows.max(initial=0)) + 1)))
        response = Coded(rows.astype(np.int32), ids)
    return Draft(
        account=account,
        kind=kind,
        item=columns["item"],
        annotator=columns.get("annotator", Coded.nothing(len(rows))),
        label=label,
        row=rows,
        where=table.where,
        answer=answer,
        n=numbers.get("n"),
        object=numbers.get("object"),
        main=numbers.get("main"),
        response_id=response,
        extras=extras,
        gold=gold_pairs(columns["item"], columns.get("gold")),
        items=item_texts(columns["item"], beside, account),
        types={role: table.types.get(name) for role, name in roles.items()},
        order=table.orders.get(name, ()),
        ordered=name in table.ordered,
    )


def _roles(table: TextTable, options: ReadOptions) -> dict[str, str]:
    """Return the columns that were found or named, by role."""
    roles = {}
    for role in ROLES:
        given = getattr(options.columns, role)
        if given is not None:
            name = find(table.names, role, given, table.source, table.unusable)
            assert name is not None  # noqa: S101 (it is there, or an error)
            roles[role] = name
    if "label" not in roles and "answer" in roles and options.kind != "contains":
        roles["label"] = roles.pop("answer")
    if options.kind in {"choice", "objects"}:
        roles.pop("answer", None)
    return roles


def _with_lists(table: TextTable, name: str, options: ReadOptions) -> TextTable:
    """Take a column of several labels per cell for what it is."""
    column = table.columns.get(name)
    lists = None if column is None else cells.as_lists(column, options)
    if lists is None:
        return table
    rest = {other: column for other, column in table.columns.items() if other != name}
    how = "JSON lists" if options.split is None else f"split at {options.split!r}"
    note = f"cells of column {name!r} were read as several labels ({how})"
    lists_ = {**table.lists, name: lists}
    return replace(table, columns=rest, lists=lists_, notes=(*table.notes, note))


def _check_kind(table: TextTable, roles: Roles, kind: Kind, *, asked: bool) -> None:
    if kind == "contains" and "answer" not in roles:
        raise ColumnError(
            f"{table.source}: kind 'contains' needs a column of answers (yes, no, "
            f"maybe) beside the label; found {listing(table.names)}; name it "
            "(`answer=NAME`)"
        )
    name = roles["label"]
    anonymous = kind == "choice" and not {"annotator", "response_id"} & set(roles)
    if not (anonymous and asked):
        place = f"{table.source}, column {name!r}"
        cells.check_lists(table.lists.get(name), kind, place)
    for role, column in roles.items():
        if role != "label":
            table.single(column)


def _counted(
    table: TextTable, roles: Roles, kind: Kind, options: ReadOptions, account: Account
) -> np.ndarray:
    """Rows that hold anything in a column that matters, and equal no earlier one."""
    full = np.zeros(table.num_rows, bool)
    for name in roles.values():
        if name in table.columns:
            full |= table.columns[name].codes >= 0
        else:
            full |= ~np.asarray(table.lists[name].is_null())
    if not full.all():
        first = table.where(int(full.argmin()))
        dropped = Dropped("the row is empty", int((~full).sum()), first)
        account.dropped.append(dropped)
    # Rows may be equal that add up, and objects that look the same.
    objects = kind == "objects" and "object" not in roles
    if "annotator" in roles and "n" not in roles and (table.lists or not objects):
        key = [table.columns[roles[role]] for role in ("item", "annotator")]
        full &= ~equal_rows(table, key, options.repeats, account)
    return full


# The rows that count


def without_refused(table: TextTable, options: ReadOptions) -> TextTable:
    """Leave out the rows whose status says that the work does not count."""
    names = _free(table, options, "statuses")
    if len(names) != 1:
        return table
    column = table.columns[names[0]]
    texts = column.values.to_pylist()
    wanted, refused = options.statuses, OTHER["refused"]
    counts = [t in wanted if wanted else plain(t or "") not in refused for t in texts]
    kept = np.array([*counts, wanted is None])[column.codes]
    if kept.all():
        return table
    number = Counter(column.text(int(row)) or "empty" for row in np.flatnonzero(~kept))
    left = ", ".join(f"{count:,} {text}" for text, count in number.items())
    note = f"rows left out by {names[0]!r} (`statuses=` keeps others): {left}"
    return table.taken(np.flatnonzero(kept), note)


def one_question(table: TextTable, options: ReadOptions) -> TextTable:
    """Return the rows about one question, if a column tells several apart."""
    source = table.source
    item = find(table.names, "item", options.columns.item, source, table.unusable)
    names = [name for name in _free(table, options, "questions") if name != item]
    names.sort(key=lambda name: OTHER["questions"].index(plain(name)))
    if not names or item is None:
        if options.question is not None:
            raise ColumnError(
                f"{source}: no column names the question; found "
                f"{listing(table.names)}; leave out `question=`"
            )
        return table
    column = table.columns[names[0]]
    texts = column.values.to_pylist()
    number = np.bincount(column.codes[column.codes >= 0], minlength=len(texts))
    given = {t: f"{n:,} rows" for t, n in zip(texts, number, strict=True) if n}
    if options.question is None and not 2 <= len(given) <= _QUESTIONS:
        return table
    question = choose_question(given, options.question, source)
    rows = np.flatnonzero(column.codes == texts.index(question))
    note = f"rows about question {question!r}, of {len(given)}, were read"
    columns = {n: c for n, c in table.columns.items() if n != names[0]}
    return replace(table, columns=columns).taken(rows, note)


def _free(table: TextTable, options: ReadOptions, what: str) -> list[str]:
    """Columns of usual names to which the caller gave no role."""
    roles = {getattr(options.columns, role) for role in options.columns.__slots__}
    return [n for n in table.columns if n not in roles and plain(n) in OTHER[what]]


READER = Reader(
    name="long",
    what="one row per answer (CSV, TSV, Parquet, JSON lines, data frame), any names",
    read=read_long,
    questions=True,
)
