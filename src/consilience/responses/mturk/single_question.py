"""MTurk batches with one item per assignment."""

from dataclasses import replace

import pandas as pd

from consilience.errors import MissingColumnError
from consilience.responses.columns.names import (
    USUAL,
    listing,
    plain,
)
from consilience.responses.columns.selections import Selection, answers_about, unroll
from consilience.responses.columns.vocabulary import is_likely
from consilience.responses.draft import Draft
from consilience.responses.exports.questions import Question, choose, question_of
from consilience.responses.exports.work import SKIPPED, Answer
from consilience.responses.mturk.batch import Batch
from consilience.responses.quality.spelling import spelling_key
from consilience.responses.side_tables import checked_labels, label_list
from consilience.responses.tables.coding import encode_texts


def read_single(batch: Batch) -> Draft:
    """Read a batch with one item per assignment."""
    options, table = batch.options, batch.table
    columns = options.columns
    label_input = _label_input(batch)
    item = _item_input(batch, label_input)
    given = columns.answer
    if label_input is None and columns.label is not None:
        given = columns.label
    named = batch.question or given
    question = choose(_asked(batch), named, table.source).name
    picks = [
        Selection(
            item=batch.text(item, row),
            annotator=batch.text("WorkerId", row),
            response_id=batch.text("AssignmentId", row),
            picked=batch.picked(question, row),
            shown=batch.shown(question, row),
            record=row,
        )
        for row in batch.rows
    ]
    if label_input is not None:
        rows = unroll(picks, "choice", None, table.where)
        label = encode_texts([batch.text(label_input, row) for row in batch.rows])
        roles = {item: "item", question: "answer", label_input: "label"}
        draft = rows.draft(table.where, table.num_rows)
        return answers_about(replace(draft, columns=roles), label, options.answers)
    offered = label_list(options) if options.kind == "contains" else None
    if options.kind == "choice":  # a bar may be part of a label
        picks = [replace(p, picked=p.picked and ("|".join(p.picked),)) for p in picks]
    rows = unroll(picks, options.kind, offered, table.where, spelling_key(options))
    draft = rows.draft(table.where, table.num_rows)
    draft = replace(draft, columns={item: "item", question: "label"})
    shown = {pick.shown for pick in picks if pick.picked is not None}
    if len(shown) == 1 and (labels := shown.pop()) is not None:
        frame = checked_labels(pd.DataFrame({"label": pd.Series(labels, dtype="str")}))
        draft = replace(draft, labels=frame, offer="all")
    return draft


def _asked(batch: Batch) -> dict[str, Question]:
    """Return the questions of a batch."""
    given = {
        name: [
            SKIPPED if each is None else Answer(picked=each.picked, shown=each.shown)
            for each in (answers[row] for row in batch.rows)
        ]
        for name, answers in batch.answers.items()
    }
    return {name: question_of(name, answers) for name, answers in given.items()}


def _are_one_to_one(batch: Batch, names: list[str]) -> bool:
    """Say whether columns name the same items, each in its way."""
    cells = [tuple(batch.text(name, row) for name in names) for row in batch.rows]
    different = len(set(cells))
    return all(len({cell[i] for cell in cells}) == different for i in range(len(names)))


def _label_input(batch: Batch) -> str | None:
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


def _item_input(batch: Batch, label_input: str | None) -> str:
    """Column of the item: the one named, the only one, or the one with a usual name."""
    given = batch.options.columns.item
    if given is not None and given in batch.table.columns:
        return given
    inputs = [name for name in batch.inputs if name != label_input]
    usual = [n for n in inputs if is_likely(n.removeprefix("Input."), "item")]
    if given is None and len(inputs) == 1:
        return inputs[0]
    if given is None and len(usual) == 1:
        return usual[0]
    if given is None and len(usual) > 1 and _are_one_to_one(batch, usual):
        return next((name for name in usual if plain(name).endswith("id")), usual[0])
    what = f"no column {given!r}" if given else "it is not clear which column is"
    msg = (
        f"{batch.table.source}: {what} the item; found "
        f"{listing(batch.inputs)}; name it (`item=NAME`)"
    )
    raise MissingColumnError(msg)
