"""Separated text cut into rows of cells, by one strict rule for quotes.

A cell that begins with a quote ends with one, before a separator or the end of the row;
a quote inside it is doubled. In a cell that does not begin with a quote, a quote is a
character like any other (``5" nail``). Anything else is an error that names the row: a
quote that is never closed would swallow all rows below it.
"""

import csv
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from consilience.errors import OptionError, UnreadableFileError
from consilience.responses.sources.encoding import (
    UTF8,
    UTF16,
    check_encoding,
    guessed,
)
from consilience.responses.tables.coding import Coded, with_line_breaks

_BLOCK = 1 << 22
_CELL_ENDS = "\r\n"
_LINE_BREAK = re.compile(r"\r\n?|\n")


def encoding_of(path: Path, given: str | None = None) -> str:
    """Return the encoding: as requested, by a mark, UTF-8, or by the file's words."""
    if given is not None:
        return check_encoding(given)
    guess = guessed(path)
    if guess is None:
        with path.open("rb") as file:
            start = file.read(2)
        return UTF16 if start in {b"\xff\xfe", b"\xfe\xff"} else UTF8
    if guess.encoding is None:
        raise not_text(path, UTF8)
    return guess.encoding


def check_separator(separator: str) -> str:
    r"""Return the separator of columns; ``\t`` written as two characters is a tab."""
    character = "\t" if separator == r"\t" else separator
    if len(character) != 1 or not character.isascii() or character in '"\r\n\0':
        msg = (
            f"separator {separator!r}: expected one ASCII character that is neither a "
            r"quote nor a line break, such as ',', ';' or '\t'"
        )
        raise OptionError(msg)
    return character


def csv_rows(
    path: Path, separator: str, encoding: str, *, skip: int = 0
) -> Iterator[tuple[int, list[str]]]:
    """Cut a file into rows; yields how many lines were read, and the cells."""
    number = skip
    with path.open(encoding=encoding, newline="") as file, _cells_of_any_length():
        rows = csv.reader(file, delimiter=separator, strict=True)
        try:
            for _ in range(skip):
                next(file)
            for row in rows:
                number += 1
                yield skip + rows.line_num, row
        except UnicodeError:
            raise not_text(path, encoding) from None
        except csv.Error as error:
            raise _bad_quote(path, number + 1, str(error)) from None


@contextmanager
def _cells_of_any_length() -> Iterator[None]:
    """Lift the limit of 131,072 characters, which holds for the whole process."""
    before = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _bad_quote(path: Path, row: int, error: str) -> UnreadableFileError:
    place = f"{path}, row {row}"
    if "unexpected end" in error:
        msg = (
            f"{place}: a quote is opened and never closed; fix the row, or export the "
            "file again if it was cut off"
        )
    elif "expected after" in error:
        msg = (
            f"{place}: a cell in quotes goes on after its closing quote; write a quote "
            "inside a quoted cell twice, and close every quote that is opened"
        )
    else:
        msg = f"{place}: cannot be cut into cells ({error}); fix the row"
    return UnreadableFileError(msg)


def check_quotes(path: Path, separator: str, encoding: str) -> bool:
    """Hold a file to the rule for quotes; says whether there may be quoted cells.

    Most files are held to it by looking at the neighbours of their quotes alone: where
    every first, third, ... quote stands at the beginning of a cell or behind another
    quote, and every second, fourth, ... at the end of one or before another, no cell
    breaks the rule. All others are cut into rows.
    """
    quoted = encoding == "utf-16" or _has_quotes(path)
    if quoted and (encoding == "utf-16" or not _regular(path, separator)):
        for _ in csv_rows(path, separator, encoding):
            pass
    return quoted


def _has_quotes(path: Path) -> bool:
    with path.open("rb") as file:
        return any(b'"' in part for part in iter(lambda: file.read(_BLOCK), b""))


def _regular(path: Path, separator: str) -> bool:
    ends = np.zeros(256, bool)
    ends[[*map(ord, separator + _CELL_ENDS)]] = True
    opening = True  # whether the next quote would open a cell
    before = separator.encode()
    with path.open("rb") as file:
        part = file.read(_BLOCK).removeprefix(b"\xef\xbb\xbf")
        while part:
            after = file.read(_BLOCK)
            if b'"' in part:
                text = np.frombuffer(before + part + (after[:1] or b"\n"), np.uint8)
                quotes = np.flatnonzero(text[1:-1] == ord('"')) + 1
                first, second = quotes[not opening :: 2], quotes[opening::2]
                left, right = text[first - 1], text[second + 1]
                if not (ends[left] | (left == ord('"'))).all():
                    return False
                if not (ends[right] | (right == ord('"'))).all():
                    return False
                opening ^= bool(len(quotes) % 2)
            before, part = part[-1:], after
    return opening


def check_line_breaks(
    columns: Mapping[str, Coded], separator: str, where: Callable[[int], str]
) -> None:
    """Refuse a cell that looks like rows swallowed between two stray quotes.

    Such a cell begins and ends in the same column: its first line holds as many
    separators as columns follow, its last as many as stand before, and every line
    between as many as a row.
    """
    last = len(columns) - 1
    for place, (name, column) in enumerate(columns.items()):
        if not last:
            return
        for text in with_line_breaks(column.values).to_pylist():
            counts = [line.count(separator) for line in _LINE_BREAK.split(text)]
            if counts != [last - place, *[last] * (len(counts) - 2), place]:
                continue
            row = int((column.codes == column.values.index(text).as_py()).argmax())
            msg = (
                f"{where(row)}: the text of column {name!r} runs over {len(counts)} "
                f"lines that look like rows ({text[:40]!r}): a quote was probably "
                "opened and not closed; fix the row, or write the text without line "
                "breaks"
            )
            raise UnreadableFileError(msg)


def not_text(path: Path, encoding: str) -> UnreadableFileError:
    """Find the first row that is not text."""
    codec = "utf-8" if encoding == UTF8 else encoding
    line = 0
    with path.open("rb") as file:
        for line, raw in enumerate(file, start=1):  # noqa: B007
            try:
                raw.decode("latin-1" if codec.startswith("utf-16") else codec)
            except UnicodeDecodeError:
                break
    how = "name its encoding (`encoding=`)"
    if encoding == UTF8:
        codec, guess = "UTF-8", guessed(path)
        likely = " or ".join(
            f'`encoding="{name}"` (it would read {words[:80]})'
            for name, words in (guess.likely if guess else ())
        )
        if likely:
            how = f"there is too little text to tell what it is; it may be {likely}"
    msg = (
        f"{path}, row {line}: the bytes are not {codec.upper()} text; {how}, or save "
        "the file again as UTF-8"
    )
    return UnreadableFileError(msg)
