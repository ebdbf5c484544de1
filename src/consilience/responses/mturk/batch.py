"""A batch of MTurk results: its cells, and the assignments that count.

**Answers of MTurk pages, in whatever form, as one column of labels per question.**
Requesters' pages give answers in several forms: one column per input, one per radio
button (``Answer.q.yes`` true or false), or one JSON column `Answer.taskAnswers` with
everything inside.
"""

import html
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pyarrow as pa

from consilience.errors import BadCellError, NoResponsesError, UnreadableFileError
from consilience.responses.options import ReadOptions
from consilience.responses.sources.csv_file import (
    check_line_breaks,
    csv_rows,
    find_layout,
)
from consilience.responses.sources.json_file import decode_or_text
from consilience.responses.sources.library_errors import readable
from consilience.responses.tables.coding import Coded, encode_texts, recode
from consilience.responses.tables.text_table import TextTable, check_names, places, tidy

_LAST = ("Approve", "Reject")  # a header may end before these, or before the rows do
TASK_ANSWERS = "Answer.taskAnswers"
_TRUTH = {"true", "false"}
_MANY = "|"


@dataclass(frozen=True, slots=True)
class Given:
    """An answer."""

    picked: tuple[str, ...]
    shown: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """A batch and the assignments of it that count."""

    table: TextTable
    answers: dict[str, list[Given | None]]
    rows: list[int]
    options: ReadOptions

    def text(self, name: str | None, row: int) -> str | None:
        """Cell of an assignment."""
        if name is None or name not in self.table.columns:
            return None
        return self.table.columns[name].text(row)

    def picked(self, question: str, row: int) -> tuple[str, ...] | None:
        """Labels that an assignment picked; None: the question was skipped."""
        given = self.answers[question][row]
        return None if given is None else given.picked

    def shown(self, question: str, row: int) -> tuple[str, ...] | None:
        """Labels that an assignment could pick, where the answers say so."""
        given = self.answers[question][row]
        return None if given is None else given.shown

    @property
    def question(self) -> str | None:
        """The question that the caller named, as the column is named."""
        name = self.options.question
        whole = f"Answer.{name}"
        return whole if name and whole in self.answers else name

    @property
    def inputs(self) -> list[str]:
        """Columns that say what was on screen."""
        return [name for name in self.table.names if name.startswith("Input.")]


def read_batch(path: Path, options: ReadOptions) -> TextTable:
    """Read one file of batch results."""
    layout = find_layout(path, replace(options, header=True))
    lines = csv_rows(path, layout.separator, layout.encoding, skip=layout.skip)
    numbered = [
        (number, row)
        for number, (_, row) in enumerate(lines, start=layout.above + 1)
        if any(row)
    ]
    if not numbered:
        msg = f"{path}: there is no assignment; download the results again"
        raise NoResponsesError(msg)
    header = layout.names
    least = len([name for name in header if name not in _LAST])
    widths = {least, least + len(_LAST), len(header)}
    for number, row in numbered:
        if len(row) not in widths:
            msg = (
                f"{path}, row {number}: {len(row)} cells where the header names "
                f"{len(header)}; the file was cut off or a cell was split, download "
                "it again"
            )
            raise UnreadableFileError(msg)
    width = max(len(header), *(len(row) for _, row in numbered))
    names = check_names(header + [""] * (width - len(header)), str(path))
    padded = [row + [""] * (width - len(row)) for _, row in numbered]
    with readable(str(path)):
        coded = {
            name: encode_texts(cells)
            for name, cells in zip(
                names, map(list, zip(*padded, strict=True)), strict=True
            )
        }
    where = places(str(path), first=2, numbers=[number for number, _ in numbered])
    check_line_breaks(coded, layout.separator, where)
    coded = {n: _unescaped(c) if "." in n else c for n, c in coded.items()}
    columns, notes = tidy(coded, options.missing_words)
    return TextTable(
        source=str(path),
        columns=columns,
        lists={},
        num_rows=len(padded),
        where=where,
        notes=notes,
    )


def _unescaped(column: Coded) -> Coded:
    """Texts with HTML's ``&#44;`` and the like written out."""
    texts = [None if t is None else html.unescape(t) for t in column.values.to_pylist()]
    return recode(column.codes, pa.array(texts, pa.string()))


def questions(table: TextTable) -> dict[str, list[Given | None]]:
    """Labels that each assignment gave to each question; None: not answered."""
    answers: dict[str, list[Given | None]] = {}
    buttons: dict[str, dict[str, str]] = {}
    for name, column in table.columns.items():
        if name == TASK_ANSWERS or not name.startswith("Answer."):
            continue
        words = {text.casefold() for text in column.values.to_pylist() if text}
        stem, _, last = name.rpartition(".")
        if stem != "Answer" and words and words <= _TRUTH:
            buttons.setdefault(stem, {})[last] = name
        else:
            answers[name] = [
                None if text is None else Given(tuple(text.split(_MANY)))
                for text in _texts(column)
            ]
    for stem, columns in buttons.items():
        answers[stem] = _button_answers(
            {last: table.columns[n] for last, n in columns.items()}
        )
    if TASK_ANSWERS in table.columns:
        answers |= _json_answers(table)
    return answers


def form_answers(form: Mapping[str, object], place: str) -> dict[str, Given | None]:
    """Answers of a form whose elements are named, by question."""
    answers: dict[str, Given | None] = {}
    for name, value in form.items():
        suffix, labels = _value(value)
        if name + suffix in answers:
            msg = (
                f"{place}: the question {name!r} is answered twice; keep one of the "
                "answers"
            )
            raise BadCellError(msg)
        answers[name + suffix] = labels
    return answers


def _texts(column: Coded) -> list[str | None]:
    values = [*column.values.to_pylist(), None]
    return [values[code] for code in column.codes]


def _button_answers(columns: Mapping[str, Coded]) -> list[Given | None]:
    """Buttons that were on, of one column per button."""
    texts = {last: _texts(column) for last, column in columns.items()}
    rows = zip(*texts.values(), strict=True)
    return [_buttons_on(dict(zip(texts, row, strict=True))) for row in rows]


def _buttons_on(buttons: Mapping[str, object]) -> Given | None:
    """Names of the buttons that are on; a single tick box answers yes or no."""
    state = {
        name: None if value is None else str(value).casefold() == "true"
        for name, value in buttons.items()
    }
    if all(value is None for value in state.values()):
        return None
    if list(state) == ["on"]:
        return Given(("yes",) if state["on"] else ("no",), ("yes", "no"))
    return Given(tuple(name for name, on in state.items() if on), tuple(state))


def _json_answers(table: TextTable) -> dict[str, list[Given | None]]:
    """Questions inside the JSON of `Answer.taskAnswers`."""
    column = table.columns[TASK_ANSWERS]
    first = {code: row for row, code in reversed(list(enumerate(column.codes)))}
    pages: dict[int, dict[str, Given | None]] = {-1: {}}
    pages |= {
        code: _decoded(text, table.where(int(first[code])))
        for code, text in enumerate(column.values.to_pylist())
        if code in first
    }
    names = list(dict.fromkeys(name for page in pages.values() for name in page))
    return {
        f"Answer.{name}": [pages[code].get(name) for code in column.codes]
        for name in names
    }


def _decoded(text: str, place: str) -> dict[str, Given | None]:
    pages = decode_or_text(text, f"{place}: {TASK_ANSWERS}")
    if isinstance(pages, dict):
        pages = [pages]
    if not isinstance(pages, list) or not all(isinstance(p, dict) for p in pages):
        msg = (
            f"{place}: {TASK_ANSWERS} is not a JSON list of answers ({text[:40]!r}); "
            "download the results again"
        )
        raise BadCellError(msg)
    answers: dict[str, Given | None] = {}
    for page in pages:
        for name, value in page.items():
            suffix, labels = _value(value)
            if name + suffix in answers:
                msg = (
                    f"{place}: {TASK_ANSWERS} answers the question {name!r} twice; "
                    "keep one of the answers"
                )
                raise BadCellError(msg)
            answers[name + suffix] = labels
    return answers


def _value(value: object) -> tuple[str, Given | None]:
    """Suffix of the column in the flat form, and the labels."""
    if isinstance(value, dict):
        if isinstance(value.get("labels"), list):
            return ".labels", Given(
                tuple(html.unescape(str(x)) for x in value["labels"])
            )
        if "label" in value:
            return ".label", _label(value["label"])
        if value and all(isinstance(v, bool) for v in value.values()):
            return "", _buttons_on({html.unescape(k): v for k, v in value.items()})
        return "", Given((msgspec.json.encode(value).decode(),))
    if isinstance(value, list):
        return "", Given(tuple(html.unescape(str(part)) for part in value))
    return "", _label(value)


def _label(value: object) -> Given | None:
    text = "" if value is None else html.unescape(str(value)).strip()
    return Given((text,)) if text else None
