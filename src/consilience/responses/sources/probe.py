"""A first look at a source, so that each reader can say whether it is its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from consilience.responses.options import Columns
from consilience.responses.sources.arrow_columns import read_schema
from consilience.responses.sources.csv_file import header_names
from consilience.responses.sources.first_record import first_record
from consilience.responses.sources.frames import Frame
from consilience.responses.sources.load import TEXT_SUFFIXES, Source

_LOOK = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What can be seen at a glance."""

    name: str
    is_folder: bool = False
    files: frozenset[str] = frozenset()
    names: Sequence[str] = ()
    start: bytes = b""
    columns: Columns = field(default_factory=Columns)
    record: Mapping[str, Any] = field(default_factory=dict)
    several: bool = False


def probe(source: Source, columns: Columns, encoding: str | None = None) -> Probe:
    """Look at a source without reading it whole."""
    return replace(_look(source, encoding), columns=columns)


def _look(source: Source, encoding: str | None) -> Probe:  # noqa: PLR0911
    if isinstance(source, Frame):
        return Probe(name=source.name, names=source.names)
    name = str(source)
    if source.is_dir():
        files = frozenset(path.name for path in source.iterdir())
        return Probe(name=name, is_folder=True, files=files)
    suffix = source.suffix.lower()
    if suffix in {".parquet", ".pq"}:
        return Probe(name=name, names=read_schema(source))
    if suffix in {".json", ".jsonl", ".ndjson", ".manifest"}:
        with source.open("rb") as file:
            start = file.read(_LOOK).removeprefix(b"\xef\xbb\xbf").lstrip()
        record = first_record(source)
        names = list(record) or _json_names(start)
        return Probe(name=name, names=names, start=start, record=record)
    if suffix == ".xml":
        with source.open("rb") as file:
            return Probe(name=name, start=file.read(_LOOK))
    if suffix in TEXT_SUFFIXES or suffix == "":
        return Probe(
            name=name, names=[n.strip() for n in header_names(source, encoding)]
        )
    return Probe(name=name)


def _json_names(start: bytes) -> list[str]:
    """Keys of the first record of JSON lines or of a list of records."""
    depth = 0
    quoted = False
    body = start.removeprefix(b"[").lstrip()
    skip = False
    for i, byte in enumerate(body):
        char = chr(byte)
        if skip:
            skip = False
        elif quoted:
            skip = char == "\\"
            quoted = char != '"'
        elif char == '"':
            quoted = True
        elif char in "{}":
            depth += 1 if char == "{" else -1
            if depth == 0:
                return _keys(body[: i + 1])
    return []


def _keys(record: bytes) -> list[str]:
    try:
        return list(msgspec.json.decode(record, type=dict))
    except (msgspec.DecodeError, ValueError, RecursionError):
        return []
