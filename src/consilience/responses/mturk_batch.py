"""MTurk batch results as columns of text, whatever form the answers have.

Requesters' pages give answers in several forms: one column per input, one per radio
button (``Answer.q.yes`` true or false), or one JSON column `Answer.taskAnswers` with
everything inside. Here each becomes one column of labels per question.
"""

import csv
import html
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from consilience.errors import BadCellError, NoResponsesError, UnreadableFileError
from consilience.responses.coding import Coded, encode_texts, recoded
from consilience.responses.options import ReadOptions
from consilience.responses.text_table import TextTable, check_names, places, tidy

TASK_ANSWERS = "Answer.taskAnswers"
_LAST = ("Approve", "Reject")  # a header may end before these, or before the rows do
_TRUTH = {"true", "false"}
_MANY = "|"


def read_batch(path: Path, options: ReadOptions) -> TextTable:
    """Read one file of batch results.

    Raises
    ------
    UnreadableFileError
        If a row is cut short or the bytes are not UTF-8.
    NoResponsesError
        If there is no row.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if any(row)]
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        msg = f"{path}, near row {line}: not UTF-8 text; save the file again as UTF-8"
        raise UnreadableFileError(msg) from None
    if len(rows) < 2:
        msg = f"{path}: there is no assignment; download the results again"
        raise NoResponsesError(msg)
    header, body = rows[0], rows[1:]
    width = max(map(len, rows))
    least = len([name for name in header if name not in _LAST])
    for number, row in enumerate(body, start=2):
        if len(row) < least:
            msg = (
                f"{path}, row {number}: {len(row)} cells where the header names "
                f"{len(header)}; the file was cut off, download it again"
            )
            raise UnreadableFileError(msg)
    names = check_names(header + [""] * (width - len(header)), str(path))
    padded = [row + [""] * (width - len(row)) for row in body]
    coded = {
        name: _unescaped(encode_texts(cells)) if "." in name else encode_texts(cells)
        for name, cells in zip(names, map(list, zip(*padded, strict=True)), strict=True)
    }
    columns, notes = tidy(coded, options.missing)
    return TextTable(
        source=str(path),
        columns=columns,
        lists={},
        num_rows=len(body),
        where=places(str(path), first=2),
        notes=notes,
    )


def questions(table: TextTable) -> dict[str, list[tuple[str, ...] | None]]:
    """Labels that each assignment gave to each question; None: not answered.

    Raises
    ------
    BadCellError
        If `Answer.taskAnswers` is not the JSON that the pages write.
    """
    found: dict[str, list[tuple[str, ...] | None]] = {}
    buttons: dict[str, dict[str, str]] = {}
    for name, column in table.columns.items():
        if name == TASK_ANSWERS or not name.startswith("Answer."):
            continue
        words = {text.casefold() for text in column.values.to_pylist() if text}
        stem, _, last = name.rpartition(".")
        if stem != "Answer" and words and words <= _TRUTH:
            buttons.setdefault(stem, {})[last] = name
        else:
            found[name] = [
                None if text is None else tuple(text.split(_MANY))
                for text in _texts(column)
            ]
    for stem, columns in buttons.items():
        found[stem] = _pressed({last: table.columns[n] for last, n in columns.items()})
    if TASK_ANSWERS in table.columns:
        found |= _inside(table)
    return found


def _texts(column: Coded) -> list[str | None]:
    values = [*column.values.to_pylist(), None]
    return [values[code] for code in column.codes]


def _pressed(columns: Mapping[str, Coded]) -> list[tuple[str, ...] | None]:
    """Buttons that were on, of one column per button."""
    texts = {last: _texts(column) for last, column in columns.items()}
    rows = zip(*texts.values(), strict=True)
    return [_on(dict(zip(texts, row, strict=True))) for row in rows]


def _on(buttons: Mapping[str, object]) -> tuple[str, ...] | None:
    """Names of the buttons that are on; a single tick box answers yes or no."""
    state = {
        name: None if value is None else str(value).casefold() == "true"
        for name, value in buttons.items()
    }
    if all(value is None for value in state.values()):
        return None
    if list(state) == ["on"]:
        return ("yes",) if state["on"] else ("no",)
    return tuple(name for name, value in state.items() if value)


def _inside(table: TextTable) -> dict[str, list[tuple[str, ...] | None]]:
    """Questions inside the JSON of `Answer.taskAnswers`."""
    column = table.columns[TASK_ANSWERS]
    first = {code: row for row, code in reversed(list(enumerate(column.codes)))}
    decoded: dict[int, dict[str, tuple[str, ...] | None]] = {-1: {}}
    decoded |= {
        code: _decoded(text, table.where(int(first[code])))
        for code, text in enumerate(column.values.to_pylist())
        if code in first
    }
    names = list(dict.fromkeys(name for page in decoded.values() for name in page))
    return {
        f"Answer.{name}": [decoded[code].get(name) for code in column.codes]
        for name in names
    }


def _decoded(text: str, place: str) -> dict[str, tuple[str, ...] | None]:
    try:
        pages = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        pages = error
    if isinstance(pages, dict):
        pages = [pages]
    if not isinstance(pages, list) or not all(isinstance(p, dict) for p in pages):
        msg = (
            f"{place}: {TASK_ANSWERS} is not a JSON list of answers ({text[:40]!r}); "
            "download the results again"
        )
        raise BadCellError(msg)
    return {
        name + suffix: labels
        for page in pages
        for name, value in page.items()
        for suffix, labels in [_value(value)]
    }


def _value(value: object) -> tuple[str, tuple[str, ...] | None]:
    """Suffix of the column in the flat form, and the labels."""
    if isinstance(value, dict):
        if isinstance(value.get("labels"), list):
            return ".labels", tuple(html.unescape(str(x)) for x in value["labels"])
        if "label" in value:
            return ".label", _label(value["label"])
        if value and all(isinstance(v, bool) for v in value.values()):
            return "", _on({html.unescape(k): v for k, v in value.items()})
        return "", (msgspec.json.encode(value).decode(),)
    if isinstance(value, list):
        return "", tuple(html.unescape(str(part)) for part in value)
    return "", _label(value)


def _label(value: object) -> tuple[str, ...] | None:
    text = "" if value is None else html.unescape(str(value)).strip()
    return (text,) if text else None


def _unescaped(column: Coded) -> Coded:
    """Texts with HTML's ``&#44;`` and the like written out."""
    texts = [None if t is None else html.unescape(t) for t in column.values.to_pylist()]
    return recoded(column.codes, pa.array(texts, pa.string()))


def numbered(pattern: str, names: list[str]) -> dict[int, str]:
    """Columns of a pattern such as ``Input.img{i}``, by number."""
    head, tail = pattern.split("{i}", 1)
    shape = re.compile(re.escape(head) + r"(\d+)" + re.escape(tail))
    return {
        int(match.group(1)): name
        for name in names
        if (match := shape.fullmatch(name)) is not None
    }


def picked_numbers(
    labels: tuple[str, ...] | None, numbers: list[int], values: list[str], place: str
) -> set[int]:
    """Numbers of the items that a grid's answer names, by number or by value.

    Parameters
    ----------
    labels
        The answer: texts, of which one may be a JSON or comma-separated list.
    numbers, values
        Numbers and values of the items on screen.
    place
        For the error.

    Raises
    ------
    BadCellError
        If something was picked that was not on screen.
    """
    out = set()
    for text in _split(labels):
        digits = re.search(r"(\d+)\D*$", text)
        if text in values:
            out.add(numbers[values.index(text)])
        elif digits and int(digits.group(1)) in numbers:
            out.add(int(digits.group(1)))
        else:
            msg = (
                f"{place}: {text!r} was selected, but the items on screen are numbered "
                f"{min(numbers)} to {max(numbers)}; mend the row or the pattern"
            )
            raise BadCellError(msg)
    return out


def _split(labels: tuple[str, ...] | None) -> list[str]:
    if labels is None:
        return []
    if len(labels) == 1 and labels[0][:1] in {"[", "{"}:
        try:
            found = msgspec.json.decode(labels[0])
        except msgspec.DecodeError:
            return [labels[0]]
        if isinstance(found, dict):
            return [str(key) for key, on in found.items() if on]
        return [str(part) for part in found]
    texts = labels[0].split(",") if len(labels) == 1 else list(labels)
    return [text.strip() for text in texts if text.strip()]


def seconds(column: Coded | None, rows: np.ndarray) -> np.ndarray:
    """Numbers of a column; NaN where there is none."""
    if column is None:
        return np.full(len(rows), np.nan)
    values = [_float(text) for text in column.values.to_pylist()]
    out: np.ndarray = np.append(values, np.nan)[column.codes[rows]]
    return out


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
