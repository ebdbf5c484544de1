"""doccano: one file per annotator, or the older export that names the users.

A project that does not share its annotations is exported as an archive with a file for
each annotator, named after them; ``all.jsonl`` holds the labels of a shared project
without their authors. Older versions list the annotations of an example with the number
of the label and of the user.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from consilience.errors import MissingColumnError
from consilience.responses.format_table import Probe
from consilience.responses.options import ReadOptions
from consilience.responses.sources.frames import Source
from consilience.responses.tools.reading import reader
from consilience.responses.tools.records import Record, names, records
from consilience.responses.tools.tool import At, Layout, Tool
from consilience.responses.tools.work import SKIPPED, Answer, Form, dig, first, text

_CONTENTS = ("text", "filename", "data")
_AT = tuple(f"^.{path}" for path in _CONTENTS)
_LABELS = ("label", "labels", "cats")
_ALL = "all"  # name of the file of a shared project


def _load(sources: Sequence[Source], options: ReadOptions) -> list[Record]:
    given = records(sources, options)
    if all(r.file and r.file.stem == _ALL and not _by_user(r.value) for r in given):
        msg = (
            f"{names(sources)}: the file holds the labels of a shared project, without "
            "who gave which; export a project whose annotations are not shared, which "
            "gives a file for each annotator"
        )
        raise MissingColumnError(msg)
    return given


def _by_user(record: Mapping[str, Any]) -> bool:
    return "annotations" in record


def _users(example: Record) -> Iterator[Mapping[str, Any]]:
    users: dict[str | None, list[Any]] = {}
    for each in dig(example.value, "annotations.*"):
        users.setdefault(text(first(each, "user")), []).append(each)
    for user, given in users.items():
        yield {"user": user, "given": given}


def _user_answer(at: At, _: str) -> Iterator[tuple[str, Answer]]:
    labels = [text(first(each, ("label", "text"))) or "" for each in at["given"]]
    if any(first(each, "label") is None for each in at["given"]):
        yield "label", Answer(tuple(labels), "text")
    elif any(first(each, "start_offset") is not None for each in at["given"]):
        yield "label", Answer(tuple(labels), "regions")
    else:
        yield "label", Answer(tuple(dict.fromkeys(labels)))


def _file_answer(at: At, _: str) -> Iterator[tuple[str, Answer]]:
    """Give the labels of an example in a file; without one it was not annotated."""
    value = first(at, _LABELS)
    if isinstance(value, str):  # CSV joins several labels
        yield "label", Answer(tuple(value.split("#")))
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


def _look(probe: Probe) -> bool:
    record, keys = probe.record, set(probe.names)
    if "id" not in keys or keys.isdisjoint(_CONTENTS):
        return False
    given = record.get("annotations")
    users = isinstance(given, list) and any(first(each, "user") for each in given)
    old = users or (given is not None and "annotation_approver" in keys)
    old = old or (given == [] and "meta" in keys)
    labels = any(_are_labels(record.get(key)) for key in _LABELS)
    labels = labels or (not record and "label" in keys)
    return old or (labels and (probe.several or "Comments" in keys))


def _are_labels(value: object) -> bool:
    """Whether a value is a list of labels or of spans, and of no other records."""
    return isinstance(value, list) and all(
        not isinstance(part, dict) or "start_offset" in part for part in value
    )


READER = reader(
    Tool(
        name="doccano",
        what="doccano (a file per annotator in a folder or archive; older JSON with "
        "users)",
        load=_load,
        look=_look,
        notes=lambda given, _: (
            ()
            if _by_user(given[0].value)
            else ("annotators are the names of the files",)
        ),
        layouts=[
            Layout(
                marks=_by_user,
                works=_users,
                answers=_user_answer,
                annotator=("user",),
                created=("given.*.created_at", "given.*.updated_at"),
                place=", user {user}",
                ids=("^.id",),
                contents=_AT,
            ),
            Layout(
                marks=lambda record: not set(record).isdisjoint(_LABELS),
                answers=_file_answer,
                annotator=("^file",),
                status=("^file",),
                refused={_ALL: "left out all.jsonl, with the labels of all"}.get,
                ids=("^.id",),
                contents=_AT,
            ),
        ],
    )
)
