"""The formats that can be read: where each is defined, and what marks a source of it.

A source is looked at once and not read whole. Only readers of formats of which it has
a mark are loaded. Formats of other packages bring their marks along.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from re import match
from typing import Any

from consilience.responses.options import ReadOptions
from consilience.responses.sources.frames import Source
from consilience.responses.table import Responses

_KEY = rb'\s*"(?:[^"\\]|\\.)*"\s*:\s*'
_NUMBERS = rb"\{%(key)s\d+\s*(?:,%(key)s\d+\s*)*\}\s*" % {b"key": _KEY}
# By name: the module that reads a format (and what it calls its reader or labelling
# tool, where not READER), and its marks, of which a source has one. A mark is keys of a
# record, columns or files of a folder, all of which are there (or one of those with `/`
# between them): `*` stands for anything, NAME for one name, `[]` for a list, and a path
# leads into the record. In bytes it is what a text begins with, as a regular
# expression. Without marks, a format is read where it is named.
FORMATS: Mapping[str, tuple[str, str | bytes]] = {
    "appen": ("tools.appen:TOOL", "_unit_id & _golden | results.judgments"),
    "argilla": (
        "tools.argilla:TOOL",
        (
            "responses & fields | annotation & annotation_agent & prediction | "
            "*.responses.users | *.responses.status | NAME[] & NAME-suggestion"
        ),
    ),
    "counts": ("columns.counts", ""),
    "crowd": ("columns.counts:CROWD", "labels.csv"),
    "cvat": ("tools.cvat:TOOL", rb"(?s)(?=<).*?<annotations.*?<meta>"),
    "deepeval": (
        "tools.deepeval:TOOL",
        (
            "testCases & conversationalTestCases | testRunData | "
            "metricsData & input/turns/actualOutput"
        ),
    ),
    "doccano": (
        "tools.doccano:TOOL",
        "id & annotations/label/labels/cats | label.* | labels.* | cats.*",
    ),
    "ground_truth": (
        "tools.ground_truth:TOOL",
        (
            "answers.*.workerId | datasetObjectId | "
            "NAME & NAME-metadata & source/source-ref"
        ),
    ),
    "imagenet_multilabel": (
        ".imagenet.studies:MULTILABEL",
        "annotations_classify_task.pkl",
    ),
    "inspect": (
        "tools.inspect:TOOL",
        "epoch & input & target & output/scores | eval & plan & version",
    ),
    "label_studio": ("tools.label_studio:TOOL", "data & annotations/completions"),
    "label_studio_min": (
        "tools.label_studio:MIN",
        "annotator & annotation_id & lead_time",
    ),
    "labelbox": ("tools.labelbox:TOOL", "data_row & projects | Labeled Data & Label"),
    "lm_eval": ("tools.lm_eval:TOOL", "doc_id & doc & filtered_resps"),
    "long": ("columns.long", ""),
    "mturk": ("tools.mturk:TOOL", "HITId & AssignmentId & WorkerId"),
    "peerannot": (
        "columns.counts:PEERANNOT",
        rb"\{%(key)s%(numbers)s(?:\}|,%(key)s%(numbers)s)"
        % {b"key": _KEY, b"numbers": _NUMBERS},
    ),
    "prodigy": (
        "tools.prodigy:TOOL",
        (
            "answer & _input_hash/_task_hash/_session_id/_annotator_id | "
            "answer & accept & options"
        ),
    ),
    "promptfoo": (
        "tools.promptfoo:TOOL",
        (
            "results.results & results.stats | gradingResult & provider & vars | "
            "promptIdx & testIdx & vars"
        ),
    ),
    "reassessed_imagenet": (".imagenet.studies:REASSESSED", "raters.npz"),
    "reassessed_imagenet_golden": (".imagenet.studies:REASSESSED_GOLDEN", ""),
    "responses": ("canonical_folder", "responses.parquet"),
    "scale": (
        "tools.scale:TOOL",
        "task_id & params & response/responses/attempts/callback_url",
    ),
    "toloka": (
        "tools.toloka:TOOL",
        "INPUT:* & OUTPUT:*/ASSIGNMENT:* | tasks & solutions & user_id",
    ),
    "wide": ("columns.wide", ""),
    "zooniverse": ("tools.zooniverse:TOOL", "annotations & subject_data & workflow_id"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What can be seen at a glance."""

    name: str
    is_folder: bool = False
    files: frozenset[str] = frozenset()
    names: Sequence[str] = ()
    start: bytes = b""
    record: Mapping[str, Any] = field(default_factory=dict)
    inside: Sequence[Mapping[str, Any]] = ()  # the first of each list in the record
    several: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A format that can be read; without `is_one`, its marks are enough."""

    name: str
    what: str
    read: Callable[[Sequence[Source], ReadOptions], Responses]
    is_one: Callable[[Probe], bool] = lambda _: True
    questions: bool = False


def is_marked(probe: Probe, marks: str | bytes) -> bool:
    """Say whether a source has one of the marks."""
    if isinstance(marks, bytes):
        return match(marks, probe.start) is not None
    keys = probe.files if probe.is_folder else probe.names
    return has_mark(probe.record or dict.fromkeys(keys), marks)


def has_mark(record: Mapping[str, Any], marks: str) -> bool:
    """Say whether a record has all keys of one of the marks."""
    for mark in filter(None, marks.split(" | ")):
        keys, names = mark.split(" & "), [""]
        if keys[0].startswith("NAME"):
            end = keys[1].removeprefix("NAME")
            names = [key.removesuffix(end) for key in record if key.endswith(end)]
        for name in names:
            given = [key.replace("NAME", name).split("/") for key in keys]
            if all(any(_has_key(record, key) for key in each) for each in given):
                return True
    return False


def _has_key(record: Mapping[str, Any], key: str) -> bool:
    if key in record:
        return True
    if key.endswith("[]"):
        return isinstance(record.get(key[:-2], key), list | None)
    if "*" in key and any(fnmatchcase(each, key) for each in record):
        return True
    return "." in key and _leads(record, key)


def _leads(value: object, path: str) -> bool:
    """Say whether a path leads to a value."""
    key, _, rest = path.partition(".")
    if key == "*":
        parts = value if isinstance(value, list) else []
    else:
        parts = [value[key]] if isinstance(value, dict) and key in value else []
    if not rest:
        return any(part not in (None, "") for part in parts)
    return any(_leads(part, rest) for part in parts)
