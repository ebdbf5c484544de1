"""JSON files: lines of records or one document, with the place of an error.

Numbers with a point or an exponent keep their text (``1e5`` stays ``1e5``).
"""

import re
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from consilience.errors import NoResponsesError, UnreadableFileError
from consilience.responses.arrow_columns import cell_text
from consilience.responses.coding import encode, text_array
from consilience.responses.options import ReadOptions
from consilience.responses.text_table import TextTable, check_names, places, tidy
from consilience.responses.type_names import type_of_cells

type Record = dict[str, Any]

_RECORD = msgspec.json.Decoder(Record, float_hook=str)
_DOCUMENT = msgspec.json.Decoder(float_hook=str)


def read_json_lines(path: Path, options: ReadOptions) -> TextTable:
    """Read one record per line.

    Raises
    ------
    UnreadableFileError
        If a line is not a JSON object; the line is named.
    """
    text = _bytes(path)
    try:
        records = _RECORD.decode_lines(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _bad_line(path, text) from None
    blank = b"\n\n" in text or b"\n\r\n" in text or text[:1] in b"\r\n"
    lines = (
        [i for i, line in enumerate(text.split(b"\n"), start=1) if line.strip()]
        if blank
        else None
    )
    return records_table(records, str(path), options, lines=lines)


def read_json(path: Path) -> object:
    """Read one JSON document.

    Raises
    ------
    UnreadableFileError
        If the document is broken or stops in the middle; line and column are named.
    """
    text = _bytes(path)
    try:
        return _DOCUMENT.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _broken(path, text, error) from None


def read_json_records(path: Path, options: ReadOptions) -> TextTable:
    """Read a JSON list of records.

    Raises
    ------
    UnreadableFileError
        If the document is not a list of records.
    """
    records = read_json(path)
    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        msg = (
            f"{path}: expected a JSON list of records such as "
            '[{"item": ..., "label": ...}]; export it so, or name another format'
        )
        raise UnreadableFileError(msg)
    return records_table(records, str(path), options, word="record", lines=None)


def records_table(
    records: list[Record],
    source: str,
    options: ReadOptions,
    *,
    word: str = "line",
    lines: list[int] | None,
) -> TextTable:
    """Make columns of text of records with any keys.

    Parameters
    ----------
    records
        One mapping per row.
    source
        Name for messages.
    options
        `missing` is used.
    word
        What a row is called in messages.
    lines
        Line of each record; None: the records are numbered from 1.
    """
    if not records:
        msg = f"{source}: there is no record; check that it is the right file"
        raise NoResponsesError(msg)
    names = check_names(list(dict.fromkeys(key for r in records for key in r)), source)
    coded = {}
    lists = {}
    types = {}
    for name in names:
        cells = [record.get(name) for record in records]
        if any(isinstance(cell, list) for cell in cells):
            lists[name] = pa.array(
                [_texts(cell) for cell in cells], pa.list_(pa.string())
            )
        else:
            coded[name] = encode(text_array(_text(cell) for cell in cells))
            kind = type_of_cells(cells)
            types |= {} if kind is None else {name: kind}
    columns, notes = tidy(coded, options.missing)
    return TextTable(
        source=source,
        columns=columns,
        lists=lists,
        num_rows=len(records),
        where=places(source, first=1, word=word, numbers=lines),
        notes=notes,
        types=types,
    )


def _text(cell: object) -> str | None:
    """Text of a cell; nested objects stay JSON."""
    if isinstance(cell, dict):
        return msgspec.json.encode(cell).decode()
    return cell_text(cell)


def _texts(cell: object) -> list[str | None] | None:
    if cell is None:
        return None
    return [_text(part) for part in cell] if isinstance(cell, list) else [_text(cell)]


def _bytes(path: Path) -> bytes:
    text = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    if not text.strip():
        msg = f"{path}: the file is empty; export it again"
        raise NoResponsesError(msg)
    return text


def _bad_line(path: Path, text: bytes) -> UnreadableFileError:
    for number, line in enumerate(text.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            _RECORD.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            msg = (
                f"{path}, line {number}: not a whole JSON object ({error}); mend or "
                "drop the line, or export the file again"
            )
            return UnreadableFileError(msg)
    msg = f"{path}: not lines of JSON objects; name another format"
    return UnreadableFileError(msg)


def _broken(path: Path, text: bytes, error: Exception) -> UnreadableFileError:
    found = re.search(r"byte (\d+)", str(error))
    byte = int(found.group(1)) if found else len(text)
    if isinstance(error, UnicodeDecodeError):
        byte = error.start
    line = text.count(b"\n", 0, byte) + 1
    column = byte - text.rfind(b"\n", 0, byte)
    what = "stops in the middle" if byte >= len(text) else f"is broken ({error})"
    msg = (
        f"{path}, line {line}, column {column} (byte {byte:,}): the JSON {what}; "
        "copy or export it again"
    )
    return UnreadableFileError(msg)
