"""MTurk batches whose tasks list their labels, as this program writes them.

The input says in one record what was on screen. The answers are the places of the
labels that were chosen, so that no text of a label passes through a page and back.
"""

from dataclasses import replace

from consilience.errors import BadCellError
from consilience.responses.columns.on_screen import (
    OnScreen,
    read_on_screen,
    with_offers,
)
from consilience.responses.columns.selections import Selection, unroll
from consilience.responses.draft import Draft
from consilience.responses.mturk.batch import Batch
from consilience.responses.quality.spelling import spelling_key

TASK = "Input.task"
CHOSEN, MAIN = "Answer.chosen", "Answer.main"


def lists_labels(batch: Batch) -> bool:
    """Say whether the tasks of a batch list their labels, and the caller names none."""
    columns = batch.options.columns
    named = (columns.item, columns.label, columns.answer, columns.selected)
    return TASK in batch.table.columns and not any(named)


def read_listed(batch: Batch) -> Draft:
    """Read a batch whose tasks list their labels."""
    options, table = batch.options, batch.table
    shown = [_shown(batch, row) for row in range(table.num_rows)]
    kinds = {each.kind for each in shown}
    kind = options.kind or (kinds.pop() if len(kinds) == 1 else None)
    picks = []
    for row in batch.rows:
        main = _labels(batch, MAIN, row, shown[row]) or ()
        picks.append(
            Selection(
                item=shown[row].item,
                annotator=batch.text("WorkerId", row),
                response_id=batch.text("AssignmentId", row),
                picked=shown[row].picked(_labels(batch, CHOSEN, row, shown[row]), kind),
                main=next(iter(main), None),
                shown=shown[row].choices(kind),
                record=row,
            )
        )
    rows = unroll(picks, kind, None, table.where, spelling_key(options))
    draft = rows.draft(table.where, table.num_rows)
    roles = {TASK: "item and labels on screen", CHOSEN: "label", MAIN: "main"}
    main_of = rows.main if MAIN in batch.answers else None
    return with_offers(replace(draft, main=main_of, columns=roles), shown)


def _shown(batch: Batch, row: int) -> OnScreen:
    place = batch.table.where(row)
    return read_on_screen(batch.text(TASK, row) or "", place)


def _labels(
    batch: Batch, question: str, row: int, shown: OnScreen
) -> tuple[str, ...] | None:
    """Return the labels at the places that an answer names; None: not answered."""
    given = batch.picked(question, row) if question in batch.answers else None
    if given is None:
        return None
    places = ",".join(given).split(",")
    labels = None
    if all(place.strip().isdecimal() for place in places):
        labels = shown.at(map(int, places))
    if labels is None:
        msg = (
            f"{batch.table.where(row)}: {question} is {','.join(given)!r}; expected "
            f"places on the list, from 0 to {len(shown.labels) - 1}; download the "
            "results again"
        )
        raise BadCellError(msg)
    return labels
