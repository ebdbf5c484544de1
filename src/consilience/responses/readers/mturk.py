"""Batch results of Amazon Mechanical Turk (`Batch_*_batch_results.csv`).

`Input.*` says what was on screen, `Answer.*` what was answered. A column of `Input` for
the label makes the answers yes or no (contains). Grids of several items in one HIT are
mapped by a pattern: ``item="Input.img{i}"`` with ``selected="Answer.selected"``, where
an item that was not selected is a no, or with ``answer="Answer.q{i}"``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from consilience.errors import MissingColumnError, OptionError
from consilience.responses.answers import read_answers
from consilience.responses.assemble import assemble
from consilience.responses.cleaning import Dropped
from consilience.responses.coding import encode_texts
from consilience.responses.draft import Draft
from consilience.responses.label_studio_tasks import choose_question
from consilience.responses.load import Source, fingerprints
from consilience.responses.mturk_batch import (
    numbered,
    picked_numbers,
    questions,
    read_batch,
    seconds,
)
from consilience.responses.names import USUAL, listing, plain
from consilience.responses.options import ReadOptions
from consilience.responses.probe import Probe
from consilience.responses.reader import Reader
from consilience.responses.selections import Selection, Unrolled, unroll
from consilience.responses.side_tables import label_list
from consilience.responses.table import Responses
from consilience.responses.text_table import TextTable, stack

REJECTED = "Rejected"
NOT_SELECTED = "An item of a grid that was not selected is taken as a no."


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """A batch and the assignments of it that count."""

    table: TextTable
    answers: dict[str, list[tuple[str, ...] | None]]
    rows: list[int]
    options: ReadOptions

    def text(self, name: str | None, row: int) -> str | None:
        """Cell of an assignment."""
        if name is None or name not in self.table.columns:
            return None
        return self.table.columns[name].text(row)

    @property
    def inputs(self) -> list[str]:
        """Columns that say what was on screen."""
        return [name for name in self.table.names if name.startswith("Input.")]


def read_mturk(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read one or more batches.

    Parameters
    ----------
    sources
        CSV files, taken as one.
    options
        `columns.item`, `columns.label`, `columns.answer` and `columns.selected` name
        columns of `Input` and `Answer`; `statuses` which assignments count (all but the
        rejected).

    Raises
    ------
    MissingColumnError
        If it cannot be seen which column is the item or the answer.
    """
    for path in sources:
        if not isinstance(path, Path):
            msg = "format 'mturk' reads CSV files of batch results, not data frames"
            raise OptionError(msg)
    table = stack(
        [read_batch(path, options) for path in sources if isinstance(path, Path)]
    )
    rows, dropped, note = _count_assignments(table, options)
    batch = _Batch(table, questions(table), rows, options)
    grid = "{i}" in (options.columns.item or "")
    draft = _grid(batch) if grid else _single(batch)
    return assemble(
        replace(
            draft,
            num_read=table.num_rows,
            unit="assignments",
            dropped=dropped,
            notes=(*draft.notes, note, *table.notes),
            extras=_extras(table, draft.row),
            sources=fingerprints(sources),
        ),
        options,
    )


def _count_assignments(
    table: TextTable, options: ReadOptions
) -> tuple[list[int], tuple[Dropped, ...], str]:
    """Choose the assignments that count, by their status."""
    column = table.columns.get("AssignmentStatus")
    if column is None:
        return list(range(table.num_rows)), (), "the batch has no AssignmentStatus"
    status = [column.text(row) or "" for row in range(table.num_rows)]
    wanted = options.statuses
    kept = [s in wanted if wanted is not None else s != REJECTED for s in status]
    dropped = tuple(
        Dropped(
            f"the assignment is {name or 'without status'}",
            sum(s == name for s in status),
            table.where(status.index(name)),
        )
        for name in sorted({s for s, k in zip(status, kept, strict=True) if not k})
    )
    found = ", ".join(f"{status.count(s):,} {s}" for s in sorted(set(status)))
    rows = [row for row, keep in enumerate(kept) if keep]
    return rows, dropped, f"assignments by status: {found}"


def _single(batch: _Batch) -> Draft:
    """One item per assignment."""
    options, table = batch.options, batch.table
    columns = options.columns
    asked = _label_input(batch)
    item = _item_input(batch, asked)
    given = columns.answer
    if asked is None and columns.label is not None:
        given = columns.label
    question = choose_question(list(batch.answers), given, table.source, "answer")
    picks = [
        Selection(
            item=batch.text(item, row),
            annotator=batch.text("WorkerId", row),
            response_id=batch.text("AssignmentId", row),
            picked=batch.answers[question][row],
            record=row,
        )
        for row in batch.rows
    ]
    used = f"{item!r} as item, {question!r} as answer"
    if asked is not None:
        rows = unroll(picks, "choice", None, table.where)
        label = encode_texts([batch.text(asked, row) for row in batch.rows])
        draft = _draft(rows, table, f"read column {used}, {asked!r} as label")
        said = read_answers(rows.label, options.answers, table.where, rows.row)
        return replace(draft, kind="contains", label=label, answer=said)
    offered = label_list(options) if options.kind == "contains" else None
    if options.kind == "choice":  # a bar may be part of a label
        picks = [replace(p, picked=p.picked and ("|".join(p.picked),)) for p in picks]
    rows = unroll(picks, options.kind, offered, table.where)
    return _draft(rows, table, f"read column {used}")


def _grid(batch: _Batch) -> Draft:
    """Several items per assignment."""
    options, table = batch.options, batch.table
    columns = options.columns
    items = numbered(columns.item or "", table.names)
    if not items:
        msg = (
            f"{table.source}: no column is like {columns.item!r}; found "
            f"{listing(batch.inputs)}; mend the pattern"
        )
        raise MissingColumnError(msg)
    answers = columns.answer or (None if columns.selected else columns.label)
    if columns.selected is None and "{i}" in (answers or ""):
        return _grid_of_answers(
            batch, items, numbered(answers or "", list(batch.answers))
        )
    question = choose_question(
        list(batch.answers), columns.selected, table.source, "selected"
    )
    if columns.label is None:
        msg = f"{table.source}: which column is the label that was asked? (label=NAME)"
        raise MissingColumnError(msg)
    picks = []
    for row in batch.rows:
        on_screen = {i: batch.text(name, row) for i, name in items.items()}
        shown = {i: text for i, text in on_screen.items() if text is not None}
        chosen = picked_numbers(
            batch.answers[question][row],
            list(shown),
            list(shown.values()),
            table.where(row),
        )
        label = batch.text(_at(columns.label, 0), row) or ""
        picks += [
            Selection(
                item=text,
                annotator=batch.text("WorkerId", row),
                response_id=batch.text("AssignmentId", row),
                picked=(label,) if i in chosen else (),
                shown=(label,),
                record=row,
            )
            for i, text in shown.items()
        ]
    rows = unroll(picks, "contains", None, table.where)
    note = f"read columns like {columns.item!r} as items, {question!r} as selection"
    return replace(_draft(rows, table, note), assumptions=(NOT_SELECTED,))


def _grid_of_answers(
    batch: _Batch, items: dict[int, str], answers: dict[int, str]
) -> Draft:
    """Read a grid with an answer of its own for each item."""
    options, table = batch.options, batch.table
    label = options.columns.label
    asked = label if label is not None and label.startswith("Input.") else None
    both = sorted(set(items) & set(answers))
    if not both:
        msg = (
            f"{table.source}: no number has both an item and an answer; found "
            f"{listing(list(batch.answers))}; mend the patterns"
        )
        raise MissingColumnError(msg)
    pairs = [(row, i) for row in batch.rows for i in both if batch.text(items[i], row)]
    picks = [
        Selection(
            item=batch.text(items[i], row),
            annotator=batch.text("WorkerId", row),
            response_id=batch.text("AssignmentId", row),
            picked=batch.answers[answers[i]][row],
            record=row,
        )
        for row, i in pairs
    ]
    note = f"read columns like {options.columns.item!r} as items"
    if asked is None:
        offered = label_list(options) if options.kind == "contains" else None
        return _draft(unroll(picks, options.kind, offered, table.where), table, note)
    rows = unroll(picks, "choice", None, table.where)
    labels = encode_texts([batch.text(_at(asked, i), row) for row, i in pairs])
    said = read_answers(rows.label, options.answers, table.where, rows.row)
    draft = _draft(rows, table, note)
    return replace(draft, kind="contains", label=labels, answer=said)


def _draft(rows: Unrolled, table: TextTable, note: str) -> Draft:
    return Draft(
        kind=rows.kind,
        item=rows.item,
        annotator=rows.annotator,
        label=rows.label,
        answer=rows.answer,
        object=rows.object,
        response_id=rows.response_id,
        row=rows.row,
        where=table.where,
        num_read=table.num_rows,
        notes=(note,),
    )


def _at(pattern: str, number: int) -> str:
    return pattern.replace("{i}", str(number))


def _label_input(batch: _Batch) -> str | None:
    """Column of `Input` with the label that was asked about, if there is one."""
    label = batch.options.columns.label
    if label is not None:
        return label if label.startswith("Input.") else None
    if batch.options.kind in {"choice", "objects"} or batch.options.offered is not None:
        return None
    usual = [
        n for n in batch.inputs if plain(n.removeprefix("Input.")) in USUAL["label"]
    ]
    return usual[0] if len(usual) == 1 and len(batch.inputs) > 1 else None


def _item_input(batch: _Batch, asked: str | None) -> str:
    """Column of the item: the one named, the only one, or the one with a usual name."""
    given = batch.options.columns.item
    if given is not None and given in batch.table.columns:
        return given
    inputs = [name for name in batch.inputs if name != asked]
    usual = [n for n in inputs if plain(n.removeprefix("Input.")) in USUAL["item"]]
    if given is None and len(inputs) == 1:
        return inputs[0]
    if given is None and len(usual) == 1:
        return usual[0]
    what = f"no column {given!r}" if given else "it is not clear which column is"
    msg = (
        f"{batch.table.source}: {what} the item; found "
        f"{listing(batch.inputs)}; name it (item=NAME)"
    )
    raise MissingColumnError(msg)


def _extras(table: TextTable, rows: np.ndarray) -> dict[str, pd.Series]:
    """Take along effort, status and times (as text: they have US zone names)."""
    columns = table.columns
    out = {"seconds": pd.Series(seconds(columns.get("WorkTimeInSeconds"), rows))}
    for name, source in (
        ("status", "AssignmentStatus"),
        ("started_at", "AcceptTime"),
        ("submitted_at", "SubmitTime"),
    ):
        if source in columns:
            out[name] = columns[source].take(rows).series()
    return out


def _sniff(probe: Probe) -> int:
    return 3 * ({"HITId", "AssignmentId", "WorkerId"} <= set(probe.names))


READER = Reader(
    name="mturk",
    what="Mechanical Turk batch results (CSV with Input.* and Answer.* columns)",
    sniff=_sniff,
    read=read_mturk,
)
