"""The formats that can be read: where each is defined, and what marks a source of it.

A source is looked at once and not read whole. Only readers of formats of which it has
a mark are loaded and asked how sure they are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from consilience.responses.options import Columns, ReadOptions
from consilience.responses.sources.frames import Source
from consilience.responses.table import Responses

CERTAIN = 3
# By name: the module that reads a format (and what it calls its reader, where not
# READER), and its marks, of which a source has one: a
# key of its records, a column, a file of its folder (`*` stands for anything), or, in
# bytes, what its text begins with as a regular expression. Without one, a format is
# read where it is named.
FORMATS: Mapping[str, tuple[str, tuple[str | bytes, ...]]] = {
    "appen": ("tools.appen", ("_unit_id", "results*")),
    "argilla": (
        "tools.argilla",
        (
            *("responses", "annotation_agent", "*-suggestion"),
            *("*.responses.users", "*.responses.status"),
        ),
    ),
    "counts": ("columns.counts", ("*[yY][eE][sS]*",)),
    "crowd": ("columns.crowd", ("labels.csv",)),
    "cvat": ("tools.cvat", (rb"<(?s:.*?)annotations",)),
    "doccano": ("tools.doccano", ("id",)),
    "ground_truth": (
        "tools.ground_truth",
        ("answers", "datasetObjectId", "*-metadata"),
    ),
    "imagenet_multilabel": (
        "imagenet:MULTILABEL",
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
    "reassessed_imagenet": ("imagenet:REASSESSED", ("raters.npz",)),
    "reassessed_imagenet_golden": (
        "imagenet:REASSESSED_GOLDEN",
        (),
    ),
    "reassessed_imagenet_joint": (
        "imagenet:REASSESSED_JOINT",
        (),
    ),
    "responses": ("canonical_folder", ("responses.parquet",)),
    "scale": ("tools.scale", ("task_id",)),
    "toloka": ("tools.toloka", ("INPUT:*", "solutions")),
    "wide": ("columns.wide", ()),
    "zooniverse": ("tools.zooniverse", ("subject_data",)),
}
NAMES = tuple(FORMATS)


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
