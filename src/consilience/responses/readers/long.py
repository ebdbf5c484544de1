"""Long tables: one row per answer, in CSV, TSV, Parquet, JSON lines or a data frame.

Columns go by any name; the usual ones are found (`consilience.responses.names`). A file
with a column for the label and one for the answer to it holds yes/no answers
(contains); one with an object or main column holds objects; any other, choices.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int, Int8

from consilience.errors import BadCellError, MissingColumnError
from consilience.responses.answers import read_answers
from consilience.responses.assemble import assemble
from consilience.responses.cleaning import Dropped
from consilience.responses.coding import Coded, encode, nothing
from consilience.responses.draft import Draft
from consilience.responses.load import Source, fingerprints, load_tables
from consilience.responses.names import EXTRAS, find, listing, plain, require
from consilience.responses.options import Kind, ReadOptions
from consilience.responses.probe import Probe
from consilience.responses.reader import Reader
from consilience.responses.table import Responses
from consilience.responses.text_table import TextTable

ANONYMOUS = "The source names no annotator: every answer is anonymous."


def read_long(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read one or more long tables.

    Parameters
    ----------
    sources
        Files or data frames, taken as one table.
    options
        All but `part`, `statuses` and `header` are used.
    """
    table = load_tables(sources, options)
    draft = long_draft(table, options, fingerprints(sources))
    return assemble(draft, options)


def long_draft(
    table: TextTable, options: ReadOptions, sources: dict[str, str]
) -> Draft:
    """Give meaning to the columns of a long table."""
    roles = find_roles(table, options)
    kind = options.kind or _kind(roles)
    _check_kind(table, roles, kind)
    rows, label = _labels(table, roles["label"])
    full = _full_rows(table, roles)[rows]
    dropped = _empty_rows(table, _full_rows(table, roles))
    rows = rows[full]
    columns = {
        role: table.columns[name].take(rows)
        for role, name in roles.items()
        if name is not None and role != "label"
    }
    annotator = columns.get("annotator")
    gold = columns.get("gold")
    used = [f"{name!r} as {role}" for role, name in roles.items() if name]
    item, label = columns["item"], label.take(full)
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
        object=_objects(columns["object"], table, rows) if "object" in columns else None,
        main=_booleans(columns["main"], table, rows) if "main" in columns else None,
        response_id=columns.get("response_id"),
        extras=carried(table, options, rows),
        dropped=dropped,
        notes=(f"read column {', '.join(used)}", *table.notes),
        assumptions=() if annotator is not None else (ANONYMOUS,),
        gold=None if gold is None else _gold(item, gold),
        sources=sources,
    )


def find_roles(table: TextTable, options: ReadOptions) -> dict[str, str | None]:
    """Which column plays which role."""
    names, named = table.names, options.columns
    item = require(names, "item", named, table.source)
    rest = [name for name in names if name != item]
    roles: dict[str, str | None] = {"item": item}
    for role in ("annotator", "response_id", "object", "main", "gold", "n"):
        roles[role] = find(rest, role, getattr(named, role), table.source)
        rest = [name for name in rest if name != roles[role]]
    label = find(rest, "label", named.label, table.source)
    rest = [name for name in rest if name != label]
    answer = find(rest, "answer", named.answer, table.source)
    if label is None and options.kind != "contains":
        label, answer = answer, None
    if options.kind in {"choice", "objects"} and named.answer is None:
        answer = None
    if label is None:
        label = require(rest, "label", named, table.source)
    return roles | {"label": label, "answer": answer}


def _kind(roles: dict[str, str | None]) -> Kind:
    if roles["answer"] is not None:
        return "contains"
    return "objects" if roles["object"] or roles["main"] else "choice"


def _check_kind(table: TextTable, roles: dict[str, str | None], kind: Kind) -> None:
    if kind == "contains" and roles["answer"] is None:
        msg = (
            f"{table.source}: kind 'contains' needs a column of answers (yes, no, "
            f"maybe) beside the label; found {listing(table.names)}; name it "
            "(answer=NAME)"
        )
        raise MissingColumnError(msg)
    listed = roles["label"] in table.lists
    if listed and kind != "objects":
        msg = (
            f"{table.source}: column {roles['label']!r} holds several labels per row; "
            "ask for kind='objects', or write one row per answer"
        )
        raise BadCellError(msg)
    bad = [n for role, n in roles.items() if n in table.lists and role != "label"]
    if bad:
        msg = f"{table.source}: column {bad[0]!r} holds lists; one text was expected"
        raise BadCellError(msg)


def _labels(table: TextTable, name: str | None) -> tuple[Int[np.ndarray, " N"], Coded]:
    """Row and label of each answer; a list of labels is several answers."""
    if name in table.columns:
        return np.arange(table.num_rows), table.columns[name]
    cells = pc.if_else(  # an empty list is an answer without a label
        pc.equal(pc.fill_null(pc.list_value_length(table.lists[name]), 0), 0),
        pa.scalar([None], pa.list_(pa.string())),
        table.lists[name],
    )
    rows = pc.list_parent_indices(cells).to_numpy().astype(np.int64)
    return rows, encode(pc.list_flatten(cells))


def _full_rows(table: TextTable, roles: dict[str, str | None]) -> np.ndarray:
    """Rows that hold anything in a column that matters."""
    full = np.zeros(table.num_rows, bool)
    for name in filter(None, roles.values()):
        full |= (
            table.columns[name].codes >= 0
            if name in table.columns
            else ~np.asarray(table.lists[name].is_null())
        )
    return full


def _empty_rows(table: TextTable, full: np.ndarray) -> tuple[Dropped, ...]:
    if full.all():
        return ()
    first = table.where(int((~full).argmax()))
    return (Dropped("the row is empty", int((~full).sum()), first),)


def counts(
    column: Coded,
    table: TextTable,
    rows: Int[np.ndarray, " N"],
    *,
    zero: bool = False,
) -> Int[np.ndarray, " N"]:
    """Read counts: whole numbers of at least one (or, with `zero`, of at least none).

    Raises
    ------
    BadCellError
        If one is not; the row is named.
    """
    numbers = pd.to_numeric(
        pd.Series(column.values.to_pylist(), dtype="str"), errors="coerce"
    ).to_numpy(float)
    each = np.append(numbers, np.nan)[column.codes]
    good = (each >= (0 if zero else 1)) & (each == np.floor(each)) & (each < 2**53)
    if not good.all():
        row = int((~good).argmax())
        msg = (
            f"{table.where(int(rows[row]))}: the count is {column.text(row)!r}; "
            f"expected a whole number of at least {0 if zero else 1}; mend the row"
        )
        raise BadCellError(msg)
    return each.astype(np.int64)


def _objects(
    column: Coded, table: TextTable, rows: Int[np.ndarray, " N"]
) -> Int[np.ndarray, " N"]:
    known = column.codes >= 0
    out = np.full(len(column), -1, np.int64)
    out[known] = counts(column.take(known), table, rows[known], zero=True)
    return out


def _booleans(
    column: Coded, table: TextTable, rows: Int[np.ndarray, " N"]
) -> Int8[np.ndarray, " N"]:
    answers = read_answers(column, {}, table.where, rows)
    return np.where(answers > 0, 1, answers).astype(np.int8)


def carried(
    table: TextTable, options: ReadOptions, rows: Int[np.ndarray, " N"]
) -> dict[str, pd.Series]:
    """Columns of time and status, and those that were asked for, to carry along."""
    for name in options.extras:
        find(table.names, "extra column", name, table.source)
    wanted = [n for n in table.columns if plain(n) in EXTRAS or n in options.extras]
    return {name: table.columns[name].take(rows).series() for name in wanted}


def _gold(item: Coded, gold: Coded) -> pd.DataFrame:
    known = gold.codes >= 0
    pairs = pd.DataFrame({"item": item.codes[known], "label": gold.codes[known]})
    pairs = pairs.drop_duplicates(ignore_index=True)
    return pd.DataFrame(
        {
            "item": item.values.take(pa.array(pairs["item"])).to_pandas(),
            "label": gold.values.take(pa.array(pairs["label"])).to_pandas(),
        },
        dtype="str",
    )


def _sniff(probe: Probe) -> int:
    if probe.is_folder or not probe.names:
        return 0
    known = {plain(name) for name in probe.names}
    has = {
        role: find(probe.names, role, None, probe.name) is not None
        for role in ("item", "annotator", "label", "answer", "n")
    }
    if not has["item"] or not (has["label"] or has["answer"]):
        return 0
    return 2 if has["annotator"] or "task" in known or has["n"] else 1


READER = Reader(
    name="long",
    what="one row per answer (CSV, TSV, Parquet, JSON lines, data frame), any names",
    sniff=_sniff,
    read=read_long,
)
