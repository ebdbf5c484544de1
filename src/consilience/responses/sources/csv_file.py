"""Comma-, semicolon- or tab-separated text files as columns of text.

Every cell is text: no number is parsed, so that ids keep their form. The work is
Arrow's; this file finds the separator and the header, and puts names to errors.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa
from pyarrow import csv as arrow_csv

from consilience.errors import NoResponsesError, UnreadableFileError
from consilience.responses.options import ReadOptions
from consilience.responses.sources.csv_rows import (
    check_line_breaks,
    check_quotes,
    check_separator,
    csv_rows,
    encoding_of,
    not_text,
)
from consilience.responses.sources.library_errors import readable
from consilience.responses.tables.coding import encode
from consilience.responses.tables.text_table import TextTable, check_names, places, tidy

_SEPARATORS = ",;\t|"
_BLOCK = 1 << 22
_MAX_BYTES = (1 << 31) - 1  # bytes that Arrow takes at once
_TEXT = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a separated text file is laid out."""

    names: list[str]
    separator: str
    encoding: str
    above: int
    skip: int


def read_csv(path: Path, options: ReadOptions) -> TextTable:
    """Read a separated text file."""
    source = str(path)
    layout = find_layout(path, options)
    names = check_names(layout.names, source)
    quoted = check_quotes(path, layout.separator, layout.encoding)
    table = _arrow(path, names, layout)
    if table.num_rows == 0:
        msg = f"{source}: there is a header but no row below it; export the file again"
        raise NoResponsesError(msg)
    coded = {name: encode(table.column(name)) for name in names}
    where = _places(path, layout)
    if quoted:
        check_line_breaks(coded, layout.separator, where)
    columns, notes = tidy(coded, options.missing_words)
    return TextTable(
        source=source,
        columns=columns,
        lists={},
        num_rows=table.num_rows,
        where=where,
        notes=notes,
    )


def header_names(path: Path, encoding: str | None = None) -> list[str]:
    """Names in the first line, for recognising a format."""
    return find_layout(path, ReadOptions(encoding=encoding)).names


def find_layout(path: Path, options: ReadOptions) -> Layout:
    """Find separator and header of a file."""
    encoding = encoding_of(path, options.encoding)
    number, line = _first_line(path, encoding, 0)
    excel = re.fullmatch(r"sep=(.)", line.strip("\r\n"))  # Excel's own first line
    if excel:
        number, line = _first_line(path, encoding, number + 1)
    separator = options.separator or (excel and excel.group(1)) or _separator(line)
    separator = check_separator(separator)
    end, names = next(csv_rows(path, separator, encoding, skip=number))
    if not options.header:
        names = [f"column {i}" for i in range(1, len(names) + 1)]
        end = number
    return Layout(
        names=names,
        separator=separator,
        encoding=encoding,
        above=number + options.header,
        skip=end,
    )


def _first_line(path: Path, encoding: str, skip: int) -> tuple[int, str]:
    """Find number and text of the first line that is not blank."""
    try:
        with path.open(encoding=encoding, newline="") as file:
            for number, line in enumerate(file):
                if number >= skip and line.strip("\r\n\0 "):
                    return number, line
    except UnicodeError:
        raise not_text(path, encoding) from None
    msg = f"{path}: the file is empty; export it again"
    raise NoResponsesError(msg)


def _separator(line: str) -> str:
    """Separator that cuts the first line into the most cells outside quotes."""
    bare = re.sub(r'"[^"]*"', "", line)
    return max(_SEPARATORS, key=bare.count)


def _arrow(path: Path, names: list[str], layout: Layout) -> pa.Table:
    try:
        return _parse(path, names, layout, _BLOCK)
    except (pa.ArrowException, UnicodeError) as error:
        if "Empty CSV" in str(error):
            return pa.table({name: pa.array([], _TEXT) for name in names})
    _check_widths(path, names, layout)
    with readable(str(path)):  # a row may be longer than a block
        size = min(2 * path.stat().st_size + _BLOCK, _MAX_BYTES)
        return _parse(path, names, layout, size)


def _parse(path: Path, names: list[str], layout: Layout, block: int) -> pa.Table:
    return arrow_csv.read_csv(
        path,
        read_options=arrow_csv.ReadOptions(
            column_names=names,
            skip_rows=layout.skip,
            block_size=block,
            encoding="utf8" if layout.encoding == "utf-8-sig" else layout.encoding,
        ),
        parse_options=arrow_csv.ParseOptions(
            delimiter=layout.separator, newlines_in_values=True
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, _TEXT),
            null_values=[],
            strings_can_be_null=False,
        ),
    )


def _check_widths(path: Path, names: list[str], layout: Layout) -> None:
    """Find the row that has too many or too few cells."""
    rows = csv_rows(path, layout.separator, layout.encoding, skip=layout.skip)
    for number, (_, row) in enumerate(rows, start=layout.above + 1):
        if row and len(row) != len(names):
            msg = (
                f"{path}, row {number}: {len(row)} cells where the header names "
                f"{len(names)} ({', '.join(names[:6])}); fix the row or give the "
                "separator"
            )
            raise UnreadableFileError(msg)


def _places(path: Path, layout: Layout) -> Callable[[int], str]:
    """Say where a row stands, also below blank lines, which are not rows."""

    @cache
    def numbers() -> list[int] | None:
        rows = csv_rows(path, layout.separator, layout.encoding, skip=layout.skip)
        with_blanks = _has_blank_lines(path) or layout.encoding == "utf-16"
        numbered = enumerate(rows, start=layout.above + 1)
        return [number for number, (_, row) in numbered if row] if with_blanks else None

    def where(row: int) -> str:
        return places(str(path), first=layout.above + 1, numbers=numbers())(row)

    return where


def _has_blank_lines(path: Path) -> bool:
    with path.open("rb") as file:
        last = b""
        while part := file.read(_BLOCK):
            text = last + part
            if any(two in text for two in (b"\n\n", b"\r\r", b"\n\r")):
                return True
            last = part[-1:]
    return False
