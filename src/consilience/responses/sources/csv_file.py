"""Comma-, semicolon- or tab-separated text files as columns of text.

Every cell is text: no number is parsed, so that ids keep their form. The work is
Arrow's; this file finds the separator and the header, and puts names to errors.

**Separated text cut into rows of cells, by one strict rule for quotes.** A cell that
begins with a quote ends with one, before a separator or the end of the row; a quote
inside it is doubled. In a cell that does not begin with a quote, a quote is a character
like any other (``5" nail``). Anything else is an error that names the row: a quote that
is never closed would swallow all rows below it.
"""

import codecs
import csv
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from consilience.errors import OptionError, SourceError
from consilience.responses.options import ReadOptions
from consilience.responses.sources.encoding import UTF8, UTF16, check_encoding, guessed
from consilience.responses.sources.frames import File, open_bytes, open_text, readable
from consilience.responses.text import (
    Coded,
    TextTable,
    check_names,
    encode,
    places,
    recode,
    tidy,
    with_line_breaks,
)

_SEPARATORS = ",;\t|"
_BLOCK = 1 << 22
_HEAD = 50  # lines within which a table begins
_MAX_BYTES = (1 << 31) - 1  # bytes that Arrow takes at once
_TEXT = pa.dictionary(pa.int32(), pa.string())
_CELL_ENDS = "\r\n"
_LINE_BREAK = re.compile(r"\r\n?|\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a separated text file is laid out."""

    names: list[str]
    separator: str
    encoding: str
    above: int
    skip: int
    title: str = ""


def read_csv(path: Path, options: ReadOptions) -> TextTable:
    """Read a separated text file."""
    source = str(path)
    layout = find_layout(path, options)
    names = check_names(layout.names, source)
    separator, encoding = layout.separator, layout.encoding
    with open_bytes(path) as file:
        parts = iter(lambda: file.read(_BLOCK), b"")
        quoted = encoding == "utf-16" or any(b'"' in part for part in parts)
    if quoted and (encoding == "utf-16" or not _regular(path, separator)):
        for _ in csv_rows(path, separator, encoding):
            pass
    table = _arrow(path, names, layout)
    if table.num_rows == 0:
        raise SourceError(
            f"{source}: there is a header but no row below it; export the file again"
        )
    coded = {name: encode(table.column(name)) for name in names}
    where = _places(path, layout)
    if quoted:
        check_line_breaks(coded, separator, where)
    columns, notes = tidy(coded, options.missing_words)
    if layout.title:
        notes = (f"lines above the header were left out: {layout.title!r}", *notes)
    if separator == ";" and options.split is None:
        decimal = _with_points(columns)
        columns |= decimal
        notes += tuple(f"commas of column {n!r} were read as decimal" for n in decimal)
    return TextTable(
        source=source,
        columns=columns,
        lists={},
        num_rows=table.num_rows,
        where=where,
        notes=notes,
    )


def find_layout(path: Path, options: ReadOptions) -> Layout:
    """Find separator and header of a file."""
    if options.encoding is not None:
        encoding = check_encoding(options.encoding)
    else:
        encoding = _unicode(path) or guessed(path).encoding or ""
    if not encoding:
        raise not_text(path, UTF8)
    lines = _first_lines(path, encoding)
    excel = re.fullmatch(r"sep=(.)", lines[0][1].strip("\r\n"))  # Excel's own
    lines = lines[bool(excel) :]
    given = options.separator or (excel and excel.group(1))
    # Without any, it is what cuts a line into the most cells outside quotes.
    bare = [re.sub(r'"[^"]*"', "", line) for _, line in lines]
    header, separator = 0, given or max(_SEPARATORS, key=bare[0].count)
    if options.header and separator not in bare[0]:  # which may be a title
        separator = given or max(_SEPARATORS, key=bare[-1].count)
        counts = [line.count(separator) for line in bare]
        first = next((place for place, count in enumerate(counts) if count), 0)
        header = first if len(counts) - first > 1 == len({*counts[first:]}) else 0
    separator = check_separator(separator)
    number, title = lines[header][0], " ".join(text for _, text in lines[:header])
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
        title=" ".join(title.split())[:80],
    )


def _first_lines(path: Path, encoding: str) -> list[tuple[int, str]]:
    """Return number and text of the first lines that are not blank."""
    try:
        with open_text(path, encoding) as file:
            filled = ((k, t) for k, t in enumerate(file) if t.strip("\r\n\0 "))
            lines = list(islice(filled, _HEAD))
    except UnicodeError:
        raise not_text(path, encoding) from None
    if not lines:
        raise SourceError(f"{path}: the file is empty; export it again")
    return lines


def _with_points(columns: Mapping[str, Coded]) -> dict[str, Coded]:
    """Return the columns of numbers with a decimal comma, written with a point."""
    out = {}
    for name, column in columns.items():
        points = pc.replace_substring(column.values, ",", ".")
        numbers = pc.match_substring_regex(column.values, r"^[-+]?\d+(,\d+)?$")
        if pc.all(numbers).as_py() and not points.equals(column.values):
            out[name] = recode(column.codes, points)
    return out


def _arrow(path: Path, names: list[str], layout: Layout) -> pa.Table:
    try:
        return _parse(path, names, layout, _BLOCK)
    except (pa.ArrowException, UnicodeError) as error:
        if any(what in str(error) for what in ("Empty CSV", "Could not skip")):
            return pa.table({name: pa.array([], _TEXT) for name in names})
    rows = csv_rows(path, layout.separator, layout.encoding, skip=layout.skip)
    for number, (_, row) in enumerate(rows, start=layout.above + 1):
        if row and len(row) != len(names):
            raise SourceError(
                f"{path}, row {number}: {len(row)} cells where the header names "
                f"{len(names)} ({', '.join(names[:6])}); fix the row or give the "
                "separator, and remove what stands above the header"
            )
    with readable(str(path)):  # a row may be longer than a block
        size = min(2 * path.stat().st_size + _BLOCK, _MAX_BYTES)
        return _parse(path, names, layout, size)


def _parse(path: Path, names: list[str], layout: Layout, block: int) -> pa.Table:
    return arrow_csv.read_csv(
        pa.BufferReader(path.read_bytes()) if isinstance(path, File) else path,
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
    with open_bytes(path) as file:
        last = b""
        while part := file.read(_BLOCK):
            text = last + part
            if any(two in text for two in (b"\n\n", b"\r\r", b"\n\r")):
                return True
            last = part[-1:]
    return False


def assumed_encoding(path: Path, given: str | None) -> tuple[str, ...]:
    """Return the sentence that says which encoding was assumed, if one was."""
    if given is not None or _unicode(path):
        return ()
    guess = guessed(path)
    if guess.encoding is None:
        return ()
    words = dict(guess.likely)[guess.encoding]
    how = "if they are wrong, name another (`encoding=`)."
    return (
        f"The encoding of {path} is {guess.encoding}, by its words ({words}); {how}",
    )


def _unicode(path: Path) -> str | None:
    """Return the encoding of a file that is UTF-8, or UTF-16 with a mark."""
    state = path.stat()
    return _unicode_at(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=64)
def _unicode_at(path: Path, _time: int, _size: int) -> str | None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open_bytes(path) as file:
        part = file.read(_BLOCK)
        if part[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
            return UTF16
        try:
            while part:
                if not part.isascii() or decoder.getstate()[0]:
                    decoder.decode(part)
                part = file.read(_BLOCK)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return None
    return UTF8


def check_separator(separator: str) -> str:
    r"""Return the separator of columns; ``\t`` written as two characters is a tab."""
    character = "\t" if separator == r"\t" else separator
    if len(character) != 1 or not character.isascii() or character in '"\r\n\0':
        raise OptionError(
            f"separator {separator!r}: expected one ASCII character that is neither a "
            r"quote nor a line break, such as ',', ';' or '\t'"
        )
    return character


def csv_rows(
    path: Path, separator: str, encoding: str, *, skip: int = 0
) -> Iterator[tuple[int, list[str]]]:
    """Cut a file into rows; yields how many lines were read, and the cells."""
    number = skip
    with open_text(path, encoding) as file:
        # The limit of 131,072 characters holds for the whole process.
        limit = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
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
        finally:
            csv.field_size_limit(limit)


def _bad_quote(path: Path, row: int, error: str) -> SourceError:
    what = f"cannot be cut into cells ({error}); fix the row"
    if "unexpected end" in error:
        what = (
            "a quote is opened and never closed; fix the row, or export the file again "
            "if it was cut off"
        )
    elif "expected after" in error:
        what = (
            "a cell in quotes goes on after its closing quote; write a quote inside a "
            "quoted cell twice, and close every quote that is opened"
        )
    return SourceError(f"{path}, row {row}: {what}")


def _regular(path: Path, separator: str) -> bool:
    """Say whether a file keeps the rule for quotes, by the neighbours of its quotes."""
    # Every other quote opens a cell or follows a quote; the rest close one or precede
    # a quote. Files of which that is not true are cut into rows.
    ends = np.zeros(256, bool)
    ends[[*map(ord, separator + _CELL_ENDS)]] = True
    opening = True  # whether the next quote would open a cell
    before = separator.encode()
    with open_bytes(path) as file:
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
    """Refuse a cell that looks like rows swallowed between two stray quotes."""
    # Its first line holds as many separators as columns follow, its last as many as
    # stand before, and every line between as many as a row.
    last = len(columns) - 1
    for place, (name, column) in enumerate(columns.items()):
        if not last:
            return
        for text in with_line_breaks(column.values).to_pylist():
            counts = [line.count(separator) for line in _LINE_BREAK.split(text)]
            if counts != [last - place, *[last] * (len(counts) - 2), place]:
                continue
            row = int((column.codes == column.values.index(text).as_py()).argmax())
            raise SourceError(
                f"{where(row)}: the text of column {name!r} runs over {len(counts)} "
                f"lines that look like rows ({text[:40]!r}): a quote was probably "
                "opened and not closed; fix the row, or write the text without line "
                "breaks"
            )


def not_text(path: Path, encoding: str) -> SourceError:
    """Find the first row that is not text."""
    codec = "utf-8" if encoding == UTF8 else encoding
    line = 0
    with open_bytes(path) as file:
        for line, raw in enumerate(file, start=1):  # noqa: B007
            try:
                raw.decode("latin-1" if codec.startswith("utf-16") else codec)
            except UnicodeDecodeError:
                break
    how = "name its encoding (`encoding=`)"
    if encoding == UTF8:
        codec = "UTF-8"
        likely = " or ".join(
            f'`encoding="{name}"` (it would read {words[:80]})'
            for name, words in ([] if _unicode(path) else guessed(path).likely)
        )
        if likely:
            how = f"there is too little text to tell what it is; it may be {likely}"
    return SourceError(
        f"{path}, row {line}: the bytes are not {codec.upper()} text; {how}, or save "
        "the file again as UTF-8"
    )
