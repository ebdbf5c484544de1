"""Answers of MTurk pages, in whatever form, as one column of labels per question.

Requesters' pages give answers in several forms: one column per input, one per radio
button (``Answer.q.yes`` true or false), or one JSON column `Answer.taskAnswers` with
everything inside.
"""

import html
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from consilience.errors import BadCellError
from consilience.responses.sources.json_file import decode_or_text
from consilience.responses.tables.coding import Coded
from consilience.responses.tables.text_table import TextTable

TASK_ANSWERS = "Answer.taskAnswers"
_TRUTH = {"true", "false"}
_MANY = "|"


@dataclass(frozen=True, slots=True)
class Given:
    """An answer."""

    picked: tuple[str, ...]
    shown: tuple[str, ...] | None = None


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
