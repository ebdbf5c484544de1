"""doccano: one file per annotator, or the older export that names the users.

A project that does not share its annotations is exported as an archive with a file for
each annotator, named after them; ``all.jsonl`` holds the labels of a shared project
without their authors. Older versions list the annotations of an example with the number
of the label and of the user.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from consilience.errors import ColumnError
from consilience.responses.format_table import Probe
from consilience.responses.options import ReadOptions
from consilience.responses.tools.records import Record, dig, first, names, text
from consilience.responses.tools.tool import Answers, At, Layout, Tool
from consilience.responses.tools.work import SKIPPED, Answer, Form

_CONTENTS = ("text", "filename", "data")
_AT = tuple(f"^.{path}" for path in _CONTENTS)
_LABELS = ("label", "labels", "cats")
_ALL = "all"  # name of the file of a shared project


def _with_files(given: list[Record], _: ReadOptions) -> list[Record]:
    """Give each record the name of its file."""
    stems = [each.file.stem if each.file else "" for each in given]
    if set(stems) == {_ALL} and not any("annotations" in r.value for r in given):
        raise ColumnError(
            f"{names(each.source for each in given)}: the file holds the labels of a "
            "shared project, without who gave which; export a project whose "
            "annotations are not shared, which gives a file for each annotator"
        )
    pairs = zip(given, stems, strict=True)
    return [each.with_keys({"^file": stem}) for each, stem in pairs]


def _users(example: Record) -> Iterator[Mapping[str, Any]]:
    users: dict[str | None, list[Any]] = {}
    for each in dig(example.value, "annotations.*"):
        users.setdefault(text(first(each, "user")), []).append(each)
    for user, given in users.items():
        yield {"user": user, "given": given}


def _user_answer(at: At, _: str) -> Answers:
    labels = [text(first(each, "label", "text")) or "" for each in at["given"]]
    if any(first(each, "label") is None for each in at["given"]):
        yield "label", Answer(tuple(labels), "text")
    elif any(first(each, "start_offset") is not None for each in at["given"]):
        yield "label", Answer(tuple(labels), "regions")
    else:
        yield "label", Answer(tuple(dict.fromkeys(labels)))


def _file_answer(at: At, _: str) -> Answers:
    """Give the labels of an example in a file; without one it was not annotated."""
    value = first(at, *_LABELS)
    if isinstance(value, str):  # CSV joins several labels, of which one may be C#
        yield "label", Answer(tuple(re.split("(?<=.)#(?=[^#])", value)))
    elif isinstance(value, list) and value:
        spans = any(isinstance(part, (list, dict)) for part in value)
        parts = [
            part[-1] if isinstance(part, list) and part else part for part in value
        ]
        labels = [first(p, "label") if isinstance(p, dict) else p for p in parts]
        form: Form = "regions" if spans else "label"
        yield "label", Answer(tuple(text(label) or "" for label in labels), form)
    else:
        yield "label", SKIPPED


def _is_one(probe: Probe) -> bool:
    record, keys = probe.record, set(probe.names)
    if "id" not in keys or keys.isdisjoint(_CONTENTS):
        return False
    given = record.get("annotations")
    users = isinstance(given, list) and any(first(each, "user") for each in given)
    old = users or (given is not None and "annotation_approver" in keys)
    old = old or (given == [] and "meta" in keys)
    labels = any(_are_labels(record.get(key)) for key in _LABELS)
    labels = labels or (not record and "label" in keys)
    by_file = labels and (probe.several or "Comments" in keys)
    return old or by_file


def _are_labels(value: object) -> bool:
    """Whether a value is a list of labels or of spans, and of no other records."""
    return isinstance(value, list) and all(
        not isinstance(part, dict) or "start_offset" in part for part in value
    )


TOOL = Tool(
    name="doccano",
    what="doccano (a file per annotator in a folder or archive; older JSON with users)",
    prepare=_with_files,
    is_one=_is_one,
    notes=lambda given, _: (
        ()
        if "annotations" in given[0].value
        else ("annotators are the names of the files",)
    ),
    layouts=[
        Layout(
            key="annotations",
            works=_users,
            answers=_user_answer,
            annotator=("user",),
            created=("given.*.created_at", "given.*.updated_at"),
            place=", user {user}",
            ids=("^.id",),
            contents=_AT,
        ),
        Layout(
            answers=_file_answer,
            annotator=("^file",),
            status=("^file",),
            refused={_ALL: "left out all.jsonl, with the labels of all"}.get,
            ids=("^.id",),
            contents=_AT,
        ),
    ],
)
