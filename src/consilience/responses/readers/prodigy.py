"""Prodigy's JSON lines: one record per annotator and task, accepted or not.

With `options` the annotator picked some of them (`accept`): a choice, or, where several
may be picked, a yes or no to each that was on screen (contains). Without, the task
proposes one `label`, and accept and reject are yes and no to it (contains). An ignored
task is a skipped question.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np
import pandas as pd

from consilience.errors import BadCellError, KindError, MissingColumnError
from consilience.responses.assemble import assemble
from consilience.responses.columns.long_table import column_looks, extra_columns
from consilience.responses.columns.names import find, listing
from consilience.responses.columns.selections import Selection, unroll
from consilience.responses.draft import NO, SKIPPED, YES, Draft, Reader
from consilience.responses.options import ReadOptions
from consilience.responses.quality.spelling import spelling_key
from consilience.responses.side_tables import checked_labels, label_list
from consilience.responses.sources.load import Probe, Source, fingerprints, load_tables
from consilience.responses.table import Responses
from consilience.responses.tables.coding import encode_texts
from consilience.responses.tables.text_table import TextTable

_ITEMS = ("_input_hash", "id", "image", "text", "html", "audio", "video", "_task_hash")
_PEOPLE = ("_annotator_id", "_session_id")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[_ T]\d{2}-\d{2}-\d{2}$")
_DECISIONS = {"accept": YES, "reject": NO, "ignore": SKIPPED}


def read_prodigy(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read data sets that `prodigy db-out` wrote, one per session or all in one."""
    table = load_tables(sources, options)
    if "versions" in table.lists:
        msg = (
            f"{table.source}: these are the decisions of a reviewer about answers of "
            "others, who are listed in 'versions'; export the data sets that were "
            "reviewed"
        )
        raise KindError(msg)
    item = _column(table, "item", options.columns.item, _items(table))
    if item is None:
        msg = (
            f"{table.source}: no column looks like the item; found "
            f"{listing(table.names)}; say which it is (`item=NAME`)"
        )
        raise MissingColumnError(msg)
    person = _column(table, "annotator", options.columns.annotator, _PEOPLE)
    decisions = _decisions(table)
    roles = {item: "item", "answer": "answer"}
    roles |= {} if person is None else {person: "annotator"}
    picking = options.columns.label is None and "accept" in table.names
    if picking:
        draft, used = _picked(table, decisions, item, person, options)
    else:
        draft, used = _binary(table, decisions, item, person, options)
    extras = extra_columns(table, options, draft.row)
    roles |= used | dict.fromkeys(extras, "carried along")
    unused = [name for name in table.names if name not in roles]
    draft = replace(
        draft,
        notes=(
            *draft.notes,
            *_decision_note(decisions, picking=picking),
            *_session_note(table, person),
            *table.notes,
        ),
        columns=roles,
        unused=column_looks(table, unused),
        extras=extras,
        sources=fingerprints(sources),
        types={role: table.types.get(name) for name, role in roles.items()},
    )
    return assemble(draft, options)


def _picked(
    table: TextTable,
    decisions: np.ndarray,
    item: str,
    person: str | None,
    options: ReadOptions,
) -> tuple[Draft, dict[str, str]]:
    """Answers of tasks with options, of which some were picked."""
    accept = table.lists.get("accept")
    picked = [None] * table.num_rows if accept is None else accept.to_pylist()
    shown = [_ids(cell) for cell in _cells(table, "options")]
    taken = decisions == YES  # the options of a rejected task are not an answer
    picks = [
        Selection(
            item=table.columns[item].text(row),
            annotator=None if person is None else table.columns[person].text(row),
            response_id=str(row),
            picked=tuple(x for x in picked[row] or () if x) if taken[row] else None,
            shown=shown[row],
            record=row,
        )
        for row in range(table.num_rows)
    ]
    kind = options.kind
    if kind is None and None not in shown and _may_be_several(table, picks):
        kind = "contains"
    offered = label_list(options) if kind == "contains" else None
    rows = unroll(picks, kind, offered, table.where, spelling_key(options))
    draft = replace(rows.draft(table.where, table.num_rows), unit="records")
    offers = {ids for ids in shown if ids is not None}
    if draft.kind != "contains" and len(offers) == 1 and None not in shown:
        names = pd.DataFrame({"label": pd.Series(list(offers.pop()), dtype="str")})
        draft = replace(draft, labels=checked_labels(names), offer="all")
    used = {"accept": "label"}
    used |= {"options": "labels on screen"} if any(shown) else {}
    return draft, used


def _may_be_several(table: TextTable, picks: list[Selection]) -> bool:
    """Whether several options may be accepted, or were."""
    config = table.columns.get("config")
    styles = [] if config is None else config.values.to_pylist()
    return any(len(pick.picked or ()) > 1 for pick in picks) or any(
        '"choice_style":"multiple"' in style for style in styles
    )


def _binary(
    table: TextTable,
    decisions: np.ndarray,
    item: str,
    person: str | None,
    options: ReadOptions,
) -> tuple[Draft, dict[str, str]]:
    """Answers of tasks that propose one label, to be accepted or rejected."""
    name = _column(table, "label", options.columns.label, ("label",))
    if name is None or options.kind in {"choice", "objects"}:
        spans = [n for n in ("spans", "relations") if n in table.lists]
        why = (
            f"marks {spans[0]}, which are not labels of whole items"
            if spans
            else "holds neither options that were accepted nor a label to each task"
        )
        msg = (
            f"{table.source}: this export of Prodigy {why}; name the column of the "
            "label that was accepted or rejected (`label=NAME`, kind contains)"
        )
        raise KindError(msg)
    people = None if person is None else table.columns[person]
    draft = Draft(
        kind="contains",
        item=table.columns[item],
        annotator=people or encode_texts([None] * table.num_rows),
        label=table.columns[name],
        answer=decisions.astype(np.int8),
        worded=False,
        row=np.arange(table.num_rows),
        where=table.where,
        num_read=table.num_rows,
        unit="records",
    )
    return draft, {name: "label"}


def _items(table: TextTable) -> tuple[str, ...]:
    """Return the columns that may name the item; first those whose values come back."""
    again = [
        name
        for name in _ITEMS
        if name in table.columns
        and len(set(table.columns[name].codes.tolist())) < table.num_rows
    ]
    return (*again, *(name for name in _ITEMS if name not in again))


def _column(
    table: TextTable, role: str, given: str | None, usual: Sequence[str]
) -> str | None:
    """Column that was named, else the first of the usual ones that is filled."""
    if given is not None:
        return find(list(table.columns), role, given, table.source)
    filled = [n for n in usual if n in table.columns]
    filled = [n for n in filled if (table.columns[n].codes >= 0).all()] or filled
    return next(iter(filled), None)


def _decisions(table: TextTable) -> np.ndarray:
    column = table.columns.get("answer")
    if column is None:
        msg = f"{table.source}: there is no column 'answer'; export it with db-out"
        raise MissingColumnError(msg)
    words = [*column.values.to_pylist(), None]
    strange = [
        row for row, code in enumerate(column.codes) if words[code] not in _DECISIONS
    ]
    if strange:
        word = words[column.codes[strange[0]]]
        msg = (
            f"{table.where(strange[0])}: the answer is {word!r}; expected "
            f"{', '.join(_DECISIONS)}; export it again or drop the record"
        )
        raise BadCellError(msg)
    return np.array([_DECISIONS[str(words[code])] for code in column.codes], np.int8)


def _cells(table: TextTable, name: str) -> list[list[str | None] | None]:
    column = table.lists.get(name)
    return [None] * table.num_rows if column is None else column.to_pylist()


def _ids(options: list[str | None] | None) -> tuple[str, ...] | None:
    """Ids of the options of a task, by which `accept` names them."""
    if not options:
        return None
    records = [msgspec.json.decode(t) for t in options if t and t.startswith("{")]
    ids = [record.get("id", record.get("text")) for record in records]
    return tuple(str(name) for name in ids if name is not None) or None


def _decision_note(decisions: np.ndarray, *, picking: bool) -> tuple[str, ...]:
    """Say how many records were decided how, and what that means."""
    number = {word: int((decisions == code).sum()) for word, code in _DECISIONS.items()}
    meaning = {
        "accept": "the options picked are the answer" if picking else "yes",
        "reject": "skipped, for no option is an answer" if picking else "no",
        "ignore": "skipped",
    }
    parts = [f"{n:,} {word} ({meaning[word]})" for word, n in number.items() if n]
    return (f"records by decision: {', '.join(parts)}",)


def _session_note(table: TextTable, person: str | None) -> tuple[str, ...]:
    """Remark that sessions without a name are times, of which one person has many."""
    names = [] if person is None else table.columns[person].values.to_pylist()
    unnamed = sum(_TIME.search(name) is not None for name in names)
    what = "sessions without a name, which are called after their time"
    return (f"{what}: {unnamed:,}; a person with several counts as several",) * bool(
        unnamed
    )


def _sniff(probe: Probe) -> int:
    keys = set(probe.names)
    hashed = bool(keys & {"_input_hash", "_task_hash", "_session_id", "_annotator_id"})
    return 3 * ("answer" in keys and (hashed or {"accept", "options"} <= keys))


READER = Reader(
    name="prodigy",
    what="Prodigy's JSON lines (accept, reject, ignore; options or one label)",
    sniff=_sniff,
    read=read_prodigy,
)
