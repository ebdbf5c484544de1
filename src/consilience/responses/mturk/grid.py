"""MTurk batches with a grid of items per assignment.

Either one column lists the items that were selected, and every other item on screen is
a no, or each item has an answer of its own.
"""

import re
from dataclasses import replace

from consilience.errors import BadCellError, MissingColumnError
from consilience.responses.columns.names import choose_question, listing
from consilience.responses.columns.selections import Selection, answers_about, unroll
from consilience.responses.draft import Draft
from consilience.responses.mturk.batch import Batch
from consilience.responses.quality.spelling import spelling_key
from consilience.responses.side_tables import label_list
from consilience.responses.sources.json_file import decode_or_text
from consilience.responses.tables.coding import encode_texts

NOT_SELECTED = "An item of a grid that was not selected is taken as a no."


def read_grid(batch: Batch) -> Draft:
    """Read a batch with several items per assignment."""
    options, table = batch.options, batch.table
    columns = options.columns
    items = _numbered(columns.item or "", table.names)
    if not items:
        msg = (
            f"{table.source}: no column is like {columns.item!r}; found "
            f"{listing(batch.inputs)}; fix the pattern"
        )
        raise MissingColumnError(msg)
    answers = columns.answer or (None if columns.selected else columns.label)
    if columns.selected is None and "{i}" in (answers or ""):
        return _grid_of_answers(
            batch, items, _numbered(answers or "", list(batch.answers))
        )
    question = choose_question(
        list(batch.answers), batch.question or columns.selected, table.source
    )
    if columns.label is None:
        msg = f"{table.source}: which column is the label asked about? (`label=NAME`)"
        raise MissingColumnError(msg)
    picks = []
    for row in batch.rows:
        on_screen = {i: batch.text(name, row) for i, name in items.items()}
        shown = {i: text for i, text in on_screen.items() if text is not None}
        chosen = _picked_numbers(
            batch.picked(question, row),
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
    return replace(
        rows.draft(table.where, table.num_rows),
        notes=(note,),
        assumptions=(NOT_SELECTED,),
        columns={
            **dict.fromkeys(items.values(), "item"),
            question: "answer",
            _at(columns.label, 0): "label",
        },
    )


def _grid_of_answers(
    batch: Batch, items: dict[int, str], answers: dict[int, str]
) -> Draft:
    """Read a grid with an answer of its own for each item."""
    options, table = batch.options, batch.table
    label = options.columns.label
    label_input = label if label is not None and label.startswith("Input.") else None
    both = sorted(set(items) & set(answers))
    if not both:
        msg = (
            f"{table.source}: no number has both an item and an answer; found "
            f"{listing(list(batch.answers))}; fix the patterns"
        )
        raise MissingColumnError(msg)
    pairs = [(row, i) for row in batch.rows for i in both if batch.text(items[i], row)]
    picks = [
        Selection(
            item=batch.text(items[i], row),
            annotator=batch.text("WorkerId", row),
            response_id=batch.text("AssignmentId", row),
            picked=batch.picked(answers[i], row),
            shown=batch.shown(answers[i], row),
            record=row,
        )
        for row, i in pairs
    ]
    notes = (f"read columns like {options.columns.item!r} as items",)
    said_in = "label" if label_input is None else "answer"
    roles = dict.fromkeys((items[i] for i in both), "item")
    roles |= dict.fromkeys((answers[i] for i in both), said_in)
    if label_input is None:
        offered = label_list(options) if options.kind == "contains" else None
        rows = unroll(picks, options.kind, offered, table.where, spelling_key(options))
        draft = rows.draft(table.where, table.num_rows)
        return replace(draft, notes=notes, columns=roles)
    rows = unroll(picks, "choice", None, table.where)
    labels = encode_texts([batch.text(_at(label_input, i), row) for row, i in pairs])
    roles |= dict.fromkeys((_at(label_input, i) for i in both), "label")
    draft = rows.draft(table.where, table.num_rows)
    draft = replace(draft, notes=notes, columns=roles)
    return answers_about(draft, labels, options.answers)


def _at(pattern: str, number: int) -> str:
    return pattern.replace("{i}", str(number))


def _numbered(pattern: str, names: list[str]) -> dict[int, str]:
    """Columns of a pattern such as ``Input.img{i}``, by number."""
    head, tail = pattern.split("{i}", 1)
    shape = re.compile(re.escape(head) + r"(\d{1,9})" + re.escape(tail))
    return {
        int(match.group(1)): name
        for name in names
        if (match := shape.fullmatch(name)) is not None
    }


def _picked_numbers(
    labels: tuple[str, ...] | None, numbers: list[int], values: list[str], place: str
) -> set[int]:
    """Numbers of the items that a grid's answer names, by number or by value."""
    out = set()
    for text in _split(labels, place):
        digits = re.search(r"(\d{1,9})\D*$", text)
        if text in values:
            out.add(numbers[values.index(text)])
        elif digits and int(digits.group(1)) in numbers:
            out.add(int(digits.group(1)))
        else:
            msg = (
                f"{place}: {text!r} was selected, but the items on screen are numbered "
                f"{min(numbers)} to {max(numbers)}; fix the row or the pattern"
            )
            raise BadCellError(msg)
    return out


def _split(labels: tuple[str, ...] | None, place: str) -> list[str]:
    if not labels:
        return []
    if len(labels) > 1:
        return [text.strip() for text in labels if text.strip()]
    content = decode_or_text(labels[0], place)
    if isinstance(content, dict):
        return [str(key) for key, on in content.items() if on]
    if isinstance(content, list):
        return [str(part) for part in content]
    if labels[0].startswith(("{", "[")):
        return [labels[0]]
    return [text.strip() for text in labels[0].split(",") if text.strip()]
