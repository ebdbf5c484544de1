"""The formats that can be read: where each is defined, and what marks a source of it.

A source is looked at once and not read whole. Only readers of formats of which it has
a mark are loaded and asked how sure they are.
"""

import importlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from consilience.errors import UnknownFormatError, not_among
from consilience.responses.options import Columns, ReadOptions
from consilience.responses.sources.arrow_columns import read_schema
from consilience.responses.sources.csv_file import header_names
from consilience.responses.sources.frames import Frame, Source
from consilience.responses.sources.opening import kind_of
from consilience.responses.table import Responses

CERTAIN = 3
# By name: the module that reads a format (and what it calls its reader, where not
# READER), and its marks, of which a source has one: a
# key of its records, a column, a file of its folder (`*` stands for anything), or, in
# bytes, what its text begins with as a regular expression. Without one, a format is
# read where it is named.
_FORMATS: Mapping[str, tuple[str, tuple[str | bytes, ...]]] = {
    "appen": ("tools.appen", ("_unit_id", "results*")),
    "argilla": (
        "tools.argilla",
        (
            *("responses", "annotation_agent", "*-suggestion"),
            *("*.responses.users", "*.responses.status"),
        ),
    ),
    "counts": ("columns.counts", ("*",)),
    "crowd": ("columns.crowd", ("labels.csv",)),
    "cvat": ("tools.cvat", (rb"<(?s:.*?)annotations",)),
    "doccano": ("tools.doccano", ("id",)),
    "ground_truth": (
        "tools.ground_truth",
        ("answers", "datasetObjectId", "*-metadata"),
    ),
    "imagenet_multilabel": (
        "public_studies.imagenet_multilabel",
        ("annotations_classify_task.pkl",),
    ),
    "label_studio": ("tools.label_studio", ("annotations", "completions")),
    "label_studio_min": ("tools.label_studio_min", ("annotation_id",)),
    "labelbox": ("tools.labelbox", ("data_row", "Labeled Data")),
    "long": ("columns.long", ("*",)),
    "mturk": ("tools.mturk", ("HITId",)),
    "peerannot": (
        "columns.crowd:PEERANNOT",
        (rb'\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\d',),
    ),
    "prodigy": (
        "tools.prodigy",
        ("_input_hash", "_task_hash", "_session_id", "_annotator_id", "accept"),
    ),
    "reassessed_imagenet": ("public_studies.reassessed_imagenet", ("raters.npz",)),
    "reassessed_imagenet_golden": (
        "public_studies.reassessed_imagenet:GOLDEN_READER",
        (),
    ),
    "reassessed_imagenet_joint": (
        "public_studies.reassessed_imagenet:JOINT_READER",
        (),
    ),
    "responses": ("canonical_folder", ("responses.parquet",)),
    "scale": ("tools.scale", ("task_id",)),
    "toloka": ("tools.toloka", ("INPUT:*", "solutions")),
    "wide": ("columns.wide", ()),
    "zooniverse": ("tools.zooniverse", ("subject_data",)),
}
NAMES = tuple(_FORMATS)
_LOOK = 1 << 22
_NEAR = 1 << 16  # characters in which a list begins
_LISTS = ("items", "docs", "records")  # keys under which an API lists records


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A format that can be read; without `sniff`, its marks are enough."""

    name: str
    what: str
    read: Callable[[Sequence[Source], ReadOptions], Responses]
    sniff: Callable[[Probe], int] = lambda _: CERTAIN
    questions: bool = False


def formats() -> Mapping[str, Reader]:
    """Readers by name."""
    return {name: reader_of(name) for name in NAMES}


@cache
def reader_of(name: str) -> Reader:
    """Return the reader of a format."""
    if name not in _FORMATS:
        raise UnknownFormatError(not_among("format", name, _FORMATS))
    place, _, attribute = _FORMATS[name][0].partition(":")
    module = importlib.import_module(f"consilience.responses.{place}")
    reader: Reader = getattr(module, attribute or "READER")
    return reader


def grade(name: str, probe: Probe) -> int:
    """Say how sure it is that a source is of a format: from 0 to `CERTAIN`."""
    marks = _FORMATS[name][1]
    return reader_of(name).sniff(probe) if any(_has(probe, m) for m in marks) else 0


def _has(probe: Probe, mark: str | bytes) -> bool:
    if isinstance(mark, bytes):
        return re.match(mark, probe.start) is not None
    keys = probe.files if probe.is_folder else probe.names
    return mark in keys or ("*" in mark and any(fnmatchcase(k, mark) for k in keys))


def probe(source: Source, columns: Columns, encoding: str | None = None) -> Probe:
    """Look at a source without reading it whole."""
    if isinstance(source, Frame):
        return Probe(name=source.name, names=source.names, columns=columns)
    name, kind = str(source), kind_of(source)
    start, record, names = b"", dict[str, Any](), list[str]()
    if source.is_dir():
        files = frozenset(path.name for path in source.iterdir())
        return Probe(name=name, is_folder=True, files=files, columns=columns)
    if kind == "parquet":
        names = read_schema(source)
    elif kind == "text":
        names = [each.strip() for each in header_names(source, encoding)]
    elif kind in {"json", "lines", "xml"}:
        with source.open("rb") as file:
            start = file.read(_LOOK).removeprefix(b"\xef\xbb\xbf").lstrip()
        record = {} if kind == "xml" else dict(_first_record(start))
        names = list(record)
    return Probe(name=name, names=names, start=start, record=record, columns=columns)


def _first_record(start: bytes) -> Mapping[str, Any]:
    """Return the first record of a list or of lines, or the one of the file."""
    text = start.decode("utf-8", errors="ignore")
    is_list = text.startswith("[")
    text = text.removeprefix("[").lstrip()
    try:
        record, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return _wrapped(text) if text.startswith("{") and not is_list else {}
    if is_list or not isinstance(record, dict):
        return record if isinstance(record, dict) else {}
    lists = (record[key] for key in _LISTS if isinstance(record.get(key), list))
    wrapped = next(lists, None)
    if wrapped and isinstance(wrapped[0], dict):
        return wrapped[0]
    return record


def _wrapped(text: str) -> Mapping[str, Any]:
    """Return the first record of a long list that an API wraps."""
    start = re.search(rf'"(?:{"|".join(_LISTS)})"\s*:\s*\[\s*', text[:_NEAR])
    if start is None:
        return {}
    try:
        record, _ = json.JSONDecoder().raw_decode(text, start.end())
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}
