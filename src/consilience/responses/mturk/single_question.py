"""MTurk batches with one item per assignment.

**MTurk batches whose tasks list their labels, as this program writes them.** The input
says in one record what was on screen. The answers are the places of the labels that
were chosen, so that no text of a label passes through a page and back.

**MTurk batches with a grid of items per assignment.** Either one column lists the items
that were selected, and every other item on screen is a no, or each item has an answer
of its own.
"""

import re
from dataclasses import replace

import pandas as pd

from consilience.errors import BadCellError, MissingColumnError
from consilience.responses.columns.names import (
    USUAL,
    choose_question,
    listing,
    plain,
)
from consilience.responses.columns.selections import (
    OnScreen,
    Selection,
    answers_about,
    read_on_screen,
    unroll,
    with_offers,
)
from consilience.responses.columns.vocabulary import is_likely
from consilience.responses.draft import Draft
from consilience.responses.exports.work import (
    SKIPPED,
    Answer,
    Question,
    choose,
    question_of,
)
from consilience.responses.mturk.batch import Batch
from consilience.responses.quality.spelling import spelling_key
from consilience.responses.side_tables import checked_labels, label_list
from consilience.responses.sources.json_file import decode_or_text
from consilience.responses.tables.coding import encode_texts

TASK = "Input.task"
CHOSEN, MAIN = "Answer.chosen", "Answer.main"
NOT_SELECTED = "An item of a grid that was not selected is taken as a no."


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
