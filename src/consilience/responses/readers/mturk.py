"""Batch results of Amazon Mechanical Turk (`Batch_*_batch_results.csv`).

`Input.*` says what was on screen, `Answer.*` what was answered. A column of `Input` for
the label makes the answers yes or no (contains). Grids of several items in one HIT are
mapped by a pattern: ``item="Input.img{i}"`` with ``selected="Answer.selected"``, where
an item that was not selected is a no, or with ``answer="Answer.q{i}"``.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from consilience.errors import OptionError
from consilience.responses.assemble import assemble
from consilience.responses.columns.long_table import column_looks
from consilience.responses.draft import Reader
from consilience.responses.mturk.batch import TASK_ANSWERS, Batch, questions, read_batch
from consilience.responses.mturk.single_question import (
    lists_labels,
    read_grid,
    read_listed,
    read_single,
)
from consilience.responses.options import ReadOptions
from consilience.responses.quality.cleaning import Dropped
from consilience.responses.sources.load import Probe, Source, fingerprints
from consilience.responses.table import Responses
from consilience.responses.tables.cells import seconds
from consilience.responses.tables.text_table import TextTable, stack

REJECTED = "Rejected"
_CARRIED = ("WorkTimeInSeconds", "AcceptTime", "SubmitTime")


def read_mturk(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read one or more batches."""
    for path in sources:
        if not isinstance(path, Path):
            msg = "format 'mturk' reads CSV files of batch results, not data frames"
            raise OptionError(msg)
    table = stack(
        [read_batch(path, options) for path in sources if isinstance(path, Path)]
    )
    rows, dropped, note = _count_assignments(table, options)
    batch = Batch(table, questions(table), rows, options)
    if lists_labels(batch):
        draft = read_listed(batch)
    elif "{i}" in (options.columns.item or ""):
        draft = read_grid(batch)
    else:
        draft = read_single(batch)
    roles = {
        "WorkerId": "annotator",
        "AssignmentId": "response_id",
        "AssignmentStatus": "which assignments count",
        **dict.fromkeys(_CARRIED, "carried along"),
        TASK_ANSWERS: "answers",
        **draft.columns,
    }
    return assemble(
        replace(
            draft,
            columns={
                name: role
                for name, role in roles.items()
                if name in table.columns or name in batch.answers
            },
            unused=column_looks(table, [n for n in table.names if n not in roles]),
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
    counts = ", ".join(f"{status.count(s):,} {s}" for s in sorted(set(status)))
    rows = [row for row, keep in enumerate(kept) if keep]
    return rows, dropped, f"assignments by status: {counts}"


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
    questions=True,
)
