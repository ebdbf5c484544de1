"""Batch results of Amazon Mechanical Turk (`Batch_*_batch_results.csv`).

`Input.*` says what was on screen, `Answer.*` what was answered. A column of `Input` for
the label makes the answers yes or no (contains). Grids of several items in one HIT are
mapped by a pattern: ``item="Input.img{i}"`` with ``selected="Answer.selected"``, where
an item that was not selected is a no, or with ``answer="Answer.q{i}"``. Tasks that this
program wrote list their labels, and answers are places on that list.
"""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from msgspec import structs

from consilience.errors import ColumnError, DataError, SourceError
from consilience.responses.columns.names import listing
from consilience.responses.options import ReadOptions
from consilience.responses.sources.csv_file import csv_rows, find_layout
from consilience.responses.tools.records import Record
from consilience.responses.tools.tool import Answers, Layout, Tool
from consilience.responses.tools.work import (
    SKIPPED,
    Answer,
    OnScreen,
    buttons,
    decoded,
    form_answers,
    read_on_screen,
)

NOT_SELECTED = "An item of a grid that was not selected is taken as a no."
TASK, PAGES = "Input.task", "Answer.taskAnswers"
_LAST = ("Approve", "Reject")  # a header may end before these, or before the rows do
_SWITCHES = {"true", "false", ""}


def _assignments(rows: list[Record], options: ReadOptions) -> list[Record]:
    """Give the assignments, or the items of grids, with answers and inputs apart."""
    names = [name for name in rows[0].value if name.startswith("Answer.")]
    switches: dict[str, dict[str, str]] = {}  # columns of buttons, by question
    for name in names:
        stem, _, button = name.rpartition(".")
        cells = {(row.value.get(name) or "").casefold() for row in rows}
        if stem != "Answer" and cells <= _SWITCHES and cells != {""}:
            switches.setdefault(stem, {})[button] = name
    apart = {PAGES, *(name for each in switches.values() for name in each.values())}
    texts = [name for name in names if name not in apart]
    parts: list[Record] = []
    for row in rows:
        answers = dict(_answers(row, texts, switches, options))
        parts += _parts(row.with_keys({"answers": answers}), options)
    return parts


def _rows(path: Path, options: ReadOptions) -> Iterator[Record]:
    """Give the rows of a batch, which may be longer than its header."""
    layout = find_layout(path, replace(options, header=True))
    lines = csv_rows(path, layout.separator, layout.encoding, skip=layout.skip)
    least = len([name for name in layout.names if name not in _LAST])
    widths = {least, least + len(_LAST), len(layout.names)}
    empty = True
    for number, (_, row) in enumerate(lines, start=layout.above + 1):
        if not any(row):
            continue
        if len(row) not in widths:
            raise SourceError(
                f"{path}, row {number}: {len(row)} cells where the header names "
                f"{len(layout.names)}; the file was cut off or a cell was split, "
                "download it again"
            )
        empty = False
        texts = [html.unescape(cell) if cell.strip() else None for cell in row]
        cells = dict(zip(layout.names, texts, strict=False))
        yield Record(value=cells, place=f"{path}, row {number}", source=path)
    if empty:
        raise SourceError(f"{path}: there is no assignment; download the results again")


def _answers(
    row: Record,
    names: list[str],
    switches: Mapping[str, Mapping[str, str]],
    options: ReadOptions,
) -> Answers:
    """Give the answers in columns of texts, of buttons, and inside of JSON."""
    for name in names:
        cell = row.value.get(name)
        # Labels stand between bars; of a choice, a bar may be part of the label.
        if cell is None:
            yield name, SKIPPED
        else:
            several = options.kind != "choice"
            yield name, Answer(tuple(cell.split("|")) if several else (cell,))
    for stem, columns in switches.items():
        yield stem, buttons({each: row.value.get(n) for each, n in columns.items()})
    pages = decoded(row.value.get(PAGES) or "[]", f"{row.place}: {PAGES}")
    pages = [pages] if isinstance(pages, dict) else pages
    if not isinstance(pages, list) or not all(isinstance(p, dict) for p in pages):
        raise DataError(
            f"{row.place}: {PAGES} is not a JSON list of answers; download it again"
        )
    for name, answer in form_answers(pages, row.place).items():
        yield f"Answer.{name}", answer


# Grids, and tasks that list their labels


def _parts(row: Record, options: ReadOptions) -> Iterator[Record]:
    columns = options.columns
    named = columns.item or columns.label or columns.answer or columns.selected
    if "{i}" in (columns.item or ""):
        yield from _grid(row, options)
    elif TASK in row.value and not named:
        screen = read_on_screen(row.value[TASK] or "", row.place)
        answers = row.value["answers"]
        chosen = {n: _places(n, a, screen, row.place) for n, a in answers.items()}
        yield row.with_keys({"screen": screen, "answers": chosen})
    else:
        yield row


def _places(name: str, answer: Answer, screen: OnScreen, place: str) -> Answer:
    """Return the places on the list that an answer names."""
    if answer.picked is None:
        return answer
    numbers = tuple(",".join(answer.picked).split(","))
    if screen.picked(numbers, None, 0) is None:
        raise DataError(
            f"{place}: {name} is {','.join(numbers)!r}; expected places on the list, "
            f"from 0 to {len(screen.labels) - 1}; download the results again"
        )
    return Answer(numbers, "boxes")


def _grid(row: Record, options: ReadOptions) -> Iterator[Record]:
    """Give each item of a grid as a work of its own, named by the patterns."""
    columns, cells, answers = options.columns, row.value, row.value["answers"]
    item, label = columns.item or "", columns.label or ""
    shown = {i: cells[n] for i, n in _numbered(item, cells).items() if cells[n]}
    if not shown:
        inputs = [name for name in cells if name.startswith("Input.")]
        raise ColumnError(
            f"{row.place}: no column is like {item!r}; found {listing(inputs)}"
        )
    question = columns.selected or columns.answer or label
    numbered = _numbered(question, answers)
    on = set() if numbered else _selected(row, question, shown)
    rest = {name: cell for name, cell in cells.items() if name[:6] != "Input."}
    for i, value in shown.items():
        answer = Answer(("yes" if i in on else "no",))
        answer = answers.get(numbered.get(i, "")) if numbered else answer
        about = {label: cells.get(label.replace("{i}", str(i)))}
        fields = {item: value} | (about if label.startswith("Input.") else {})
        if answer is not None:
            part = rest | fields | {"answers": {question: answer}}
            yield structs.replace(row, value=part)


def _numbered(pattern: str, names: Mapping[str, Any]) -> dict[int, str]:
    """Columns of a pattern such as ``Input.img{i}``, by number."""
    shape = re.compile(re.escape(pattern).replace(r"\{i\}", r"(\d{1,9})"))
    names = names if "{i}" in pattern else {}
    matches = ((shape.fullmatch(name), name) for name in names)
    return {int(match.group(1)): name for match, name in matches if match}


def _selected(row: Record, question: str, shown: Mapping[int, str]) -> set[int]:
    """Numbers of the items that were selected, by number or by value."""
    picked = list(row.value["answers"].get(question, SKIPPED).picked or ())
    content = decoded(picked[0], row.place) if len(picked) == 1 else picked
    if isinstance(content, dict):
        content = [name for name, on in content.items() if on]
    texts = content if isinstance(content, list) else str(content).split(",")
    selected = set()
    for text in filter(None, (str(each).strip() for each in texts)):
        digits = re.search(r"(\d{1,9})\D*$", text)
        numbers = [i for i, value in shown.items() if value == text]
        numbers += [int(digits[1])] if digits and int(digits[1]) in shown else []
        if not numbers:
            raise DataError(
                f"{row.place}: {text!r} was selected, but the items on screen are "
                f"numbered {min(shown)} to {max(shown)}; fix the row or the pattern"
            )
        selected.add(numbers[0])
    return selected


TOOL = Tool(
    name="mturk",
    what="Mechanical Turk batch results (CSV with Input.* and Answer.* columns)",
    unit="assignments",
    files="CSV files of batch results",
    load=_rows,
    prepare=_assignments,
    assumes=lambda works: (
        {NOT_SELECTED} if any("{i}" in n for w in works for n in w.fields) else ()
    ),
    layouts=[
        Layout(
            answers=lambda at, _: at["answers"].items(),
            annotator=("WorkerId",),
            id=("AssignmentId",),
            created=("SubmitTime",),
            seconds=("WorkTimeInSeconds",),
            contents=("Input*",),
            status=("AssignmentStatus",),
            refused={"Rejected": "the assignment is Rejected"}.get,
            screen=lambda row, _: row.get("screen"),
            first_number=0,
        )
    ],
)
