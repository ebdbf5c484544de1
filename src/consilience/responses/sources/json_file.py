"""JSON files: lines of records or one document, with the place of an error.

Numbers with a point or an exponent keep their text (``1e5`` stays ``1e5``). A key that
stands twice in one object is an error: which of the two was meant cannot be known. NaN
and Infinity, which programs write although JSON knows neither, are missing.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, cast

import msgspec
import pyarrow as pa

from consilience.errors import SourceError
from consilience.responses.id_types import type_of_cells
from consilience.responses.options import ReadOptions
from consilience.responses.sources.arrow_columns import cell_text
from consilience.responses.sources.frames import last_bytes, readable
from consilience.responses.sources.nested import is_worth_it, unnest
from consilience.responses.text import (
    TextTable,
    check_names,
    encode,
    places,
    text_array,
    tidy,
)

type Record = dict[str, Any]

_RECORD = msgspec.json.Decoder(Record, float_hook=str)
_DOCUMENT = msgspec.json.Decoder(float_hook=str)
_KEY_WITH_BLANKS = re.compile(rb'"[ \t\r\n]+:')
_CONSTANT = re.compile(rb"[:,\[]\s*-?(?:NaN|Infinity)\b")
_SPARSE = 0.02  # share of cells that are filled
_MANY = 20_000_000  # cells
_NEAR = 1 << 16  # characters in which a list begins
_LISTS = 8  # in a record that are looked at
_LIST = re.compile(r'"\s*:\s*\[\s*(?=\{)')


def read_records(path: Path, *, lines: bool) -> tuple[list[Record], list[int] | None]:
    """Read the records of a file, and the line of each where they do not follow."""
    if not lines:
        return _listed_records(path), None
    text = _bytes(path)
    try:
        records = _RECORD.decode_lines(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        lines_there = _lines(text) if _CONSTANT.search(text) else ()
        records = [_with_constants(line) for _, line in lines_there]
        if not records or not are_records(records):
            raise _bad_line(path, text) from None
    if _may_repeat_a_key(records, text):
        for number, line in _lines(text):
            _check_keys(line, f"{path}, line {number}")
    blank = b"\n\n" in text or b"\n\r\n" in text or text[:1] in b"\r\n"
    return records, [number for number, _ in _lines(text)] if blank else None


def read_json(path: Path) -> object:
    """Read one JSON document."""
    text = _bytes(path)
    with readable(str(path)):
        try:
            document = _DOCUMENT.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            constant = isinstance(error, msgspec.DecodeError) and _CONSTANT.search(text)
            document = _with_constants(text) if constant else None
            if document is None:
                raise _broken(path, text, error) from None
    if _may_repeat_a_key([document], text):
        _check_keys(text, str(path))
    return document


def _with_constants(text: bytes) -> Any:
    """Return the value of JSON with NaN and Infinity; None where it is broken."""
    try:
        return json.loads(text, parse_float=str, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None


def decode_json(text: str, place: str) -> object:
    """Value of JSON inside a cell."""
    with readable(place, "the JSON in a cell cannot be read"):
        value = _DOCUMENT.decode(text)
    raw = text.encode()
    if _may_repeat_a_key([value], raw):
        _check_keys(raw, place)
    return value


def decode_or_text(text: str, place: str) -> object:
    """Value of a cell that may be a JSON list or object; the text where it is none."""
    if not text.startswith(("{", "[")):
        return text
    try:
        return decode_json(text, place)
    except SourceError as error:
        if isinstance(error.__cause__, msgspec.DecodeError):
            return text
        raise


def _listed_records(path: Path) -> list[Record]:
    """Return the records of a JSON list, alone or as the one list of an object."""
    document = read_json(path)
    if isinstance(document, dict):
        lists = [cell for cell in document.values() if are_records(cell) and cell]
        document = lists[0] if len(lists) == 1 else None
    if not are_records(document):
        raise SourceError(
            f"{path}: expected a JSON list of records such as "
            '[{"item": ..., "label": ...}]; export it so (pandas: `orient="records"`), '
            "or name another format"
        )
    return cast("list[Record]", document)


def are_records(cell: object) -> bool:
    """Say whether a value is a list of records."""
    return isinstance(cell, list) and all(isinstance(part, dict) for part in cell)


def first_records(start: bytes) -> list[Record]:
    """Return the first record; of a document, also the first of each list in it."""
    text = start.decode("utf-8", errors="ignore")
    record, rest = _decoded(text.removeprefix("[").lstrip())
    if not text.startswith("{") or rest.startswith("{"):  # a list, or lines
        return [record or {}]
    if record is not None:
        lists = (cell for cell in record.values() if are_records(cell) and cell)
        return [record, *(cell[0] for cell in islice(lists, _LISTS))]
    ends = (each.end() for each in islice(_LIST.finditer(text[:_NEAR]), _LISTS))
    return [{}, *filter(None, (_decoded(text[end:])[0] for end in ends))]


def _decoded(text: str) -> tuple[Record | None, str]:
    """Return the record that a text begins with, if there is one, and what follows."""
    try:
        record, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None, ""
    return record if isinstance(record, dict) else None, text[end : end + 99].lstrip()


def records_table(
    records: list[Record],
    source: str,
    options: ReadOptions,
    *,
    word: str = "row",
    lines: Sequence[int] | None = None,
    unnested: bool = False,
) -> TextTable:
    """Make columns of text of records with any keys."""
    taken: tuple[str, ...] = ()
    if unnested and is_worth_it(records, options.columns):
        numbers = lines or range(1, len(records) + 1)
        records, row, taken = unnest(records)
        lines = [numbers[k] for k in row]
    if not records:
        raise SourceError(
            f"{source}: there is no record; check that it is the right file"
        )
    keys = list(dict.fromkeys(key for r in records for key in r))
    size = len(keys) * len(records)
    if size > _MANY and sum(map(len, records)) < _SPARSE * size:
        raise SourceError(
            f"{source}: {len(records):,} records have {len(keys):,} different keys "
            f"({keys[0]!r}, {keys[-1]!r}, ...); expected the same keys in each, such "
            "as item, annotator and label"
        )
    names = check_names(keys, source)
    coded, lists = {}, {}
    types: dict[str, str] = {}
    with readable(source, "holds something that is not text"):
        for name, key in zip(names, keys, strict=True):
            column = [record.get(key) for record in records]
            of_cells = {*map(type, column)} - {type(None)}
            if any(issubclass(each, list) for each in of_cells):
                texts = [_texts(cell) for cell in column]
                lists[name] = pa.array(texts, pa.list_(pa.string()))
            else:
                cells = column if of_cells <= {str} else map(_text, column)
                coded[name] = encode(text_array(cells))
                kind = type_of_cells(of_cells)
                types |= {} if kind is None else {name: kind}
    columns, notes = tidy(coded, options.missing_words)
    return TextTable(
        source=source,
        columns=columns,
        lists=lists,
        num_rows=len(records),
        where=places(source, first=1, word=word, numbers=lines),
        notes=(*taken, *notes),
        types=types,
    )


def _text(cell: object) -> str | None:
    """Text of a cell, or of a part of a list; lists and objects stay JSON."""
    if isinstance(cell, (dict, list)):
        return msgspec.json.encode(cell).decode()
    return cell_text(cell)


def _texts(cell: object) -> list[str | None] | None:
    if cell is None:
        return None
    return [_text(part) for part in (cell if isinstance(cell, list) else [cell])]


def _bytes(path: Path) -> bytes:
    with readable(str(path)):
        text = last_bytes(path).removeprefix(b"\xef\xbb\xbf")
        if text[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            text = text.decode("utf-16").encode()
    if not text.strip():
        raise SourceError(f"{path}: the file is empty; export it again")
    return text


def _lines(text: bytes) -> Iterable[tuple[int, bytes]]:
    numbered = enumerate(text.split(b"\n"), start=1)
    return ((number, line) for number, line in numbered if line.strip())


def _may_repeat_a_key(values: list[Any], text: bytes) -> bool:
    """Whether the text may hold more keys than were read: the last of two stays."""
    most = text.count(b'":') + len(_KEY_WITH_BLANKS.findall(text))
    count = 0
    while values:
        count += sum(len(part) for part in values if isinstance(part, dict))
        if count == most:
            return False
        values = [
            inner
            for part in values
            if isinstance(part, (dict, list))
            for inner in (part.values() if isinstance(part, dict) else part)
            if isinstance(inner, (dict, list))
        ]
    return count < most


def _check_keys(text: bytes, place: str) -> None:
    """Refuse an object with a key that stands twice."""

    def each_once(pairs: list[tuple[str, Any]]) -> Record:
        record = dict(pairs)
        if len(record) < len(pairs):
            (twice, _), *_ = Counter(key for key, _ in pairs).most_common(1)
            raise SourceError(
                f"{place}: the key {twice!r} stands twice in one JSON object; keep one "
                "of them"
            )
        return record

    with readable(place):
        json.loads(text, object_pairs_hook=each_once, parse_int=str, parse_float=str)


def _bad_line(path: Path, text: bytes) -> SourceError:
    for number, line in _lines(text):
        try:
            with readable(
                f"{path}, line {number}",
                "not a whole JSON object",
                "fix or drop the line, or export the file again",
            ):
                _RECORD.decode(line)
        except SourceError as error:
            return error
    return SourceError(f"{path}: not lines of JSON objects; name another format")


def _broken(path: Path, text: bytes, error: Exception) -> SourceError:
    match = re.search(r"byte (\d+)", str(error))
    byte = int(match.group(1)) if match else len(text)
    if isinstance(error, UnicodeDecodeError):  # counts from the start of a text
        whole = text.decode("utf-8", "replace").partition("\ufffd")[0]
        byte = len(whole.encode())
    line = text.count(b"\n", 0, byte) + 1
    column = byte - text.rfind(b"\n", 0, byte)
    what = "stops in the middle" if byte >= len(text) else f"is broken ({error})"
    return SourceError(
        f"{path}, line {line}, column {column} (byte {byte:,}): the JSON {what}; "
        "copy or export it again"
    )
