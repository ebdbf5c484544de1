"""doccano: one file per annotator, or the older export that names the users.

A project that does not share its annotations is exported as an archive with a file for
each annotator, named after them; ``all.jsonl`` holds the labels of a shared project
without their authors. Older versions list the annotations of an example with the number
of the label and of the user.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from consilience.errors import MissingColumnError
from consilience.responses.draft import Reader
from consilience.responses.exports.assembling import read_export
from consilience.responses.exports.work import (
    SKIPPED,
    Answer,
    Export,
    Record,
    Work,
    dig,
    first,
    names,
    records,
    rows,
    text,
)
from consilience.responses.options import ReadOptions
from consilience.responses.sources.load import Probe, Source
from consilience.responses.table import Responses

_CONTENT = ("text", "filename", "data")
_LABELS = ("label", "labels", "cats")
_ALL = "all"  # stem of the file of a shared project


def read_doccano(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read exports of doccano."""
    given = [each for source in sources for each in _records(source, options)]
    shared = [each for each in given if _stem(each) == _ALL]
    notes: tuple[str, ...] = ()
    if any("annotations" in each.value for each in given):
        works = [work for each in given for work in _by_users(each)]
    elif len(shared) == len(given):
        msg = (
            f"{names(sources)}: the file holds the labels of a shared project, without "
            "who gave which; export a project whose annotations are not shared, which "
            "gives a file for each annotator"
        )
        raise MissingColumnError(msg)
    else:
        works = [_of_file(each) for each in given if _stem(each) != _ALL]
        notes = ("annotators are the names of the files",)
        if shared:
            notes += (f"left out all.jsonl, with the labels of all: {len(shared):,}",)
    export = Export(
        tool="doccano",
        works=works,
        source=names(sources),
        unit="annotations",
        ids=("id",),
        notes=notes,
        more_items=[_fields(each) for each in given],
    )
    return read_export(export, sources, options)


def _records(source: Source, options: ReadOptions) -> list[Record]:
    is_table = getattr(source, "suffix", "").lower() == ".csv"
    return rows([source], options) if is_table else records([source])


def _stem(record: Record) -> str:
    return "" if record.file is None else record.file.stem


def _fields(record: Record) -> dict[str, str | None]:
    keys = [key for key in ("id", *_CONTENT) if key in record.value]
    return {key: text(record.value[key]) or None for key in keys}


def _by_users(record: Record) -> Iterator[Work]:
    """Works of an example in the older export: an answer of each user."""
    users: dict[str | None, list[Any]] = {}
    for each in dig(record.value, "annotations.*"):
        users.setdefault(text(first(each, "user")) or None, []).append(each)
    for user, given in users.items():
        labels = [text(first(each, ("label", "text"))) for each in given]
        regions = any(first(each, "start_offset") is not None for each in given)
        free = any(first(each, "label") is None for each in given)
        yield Work(
            fields=_fields(record),
            annotator=user,
            answers={
                "label": Answer(
                    picked=tuple(labels if regions else dict.fromkeys(labels)),
                    regions=regions,
                    free=free,
                )
            },
            place=f"{record.place}, user {user}",
            created=text(first(given[-1], ("created_at", "updated_at"))) or None,
        )


def _of_file(record: Record) -> Work:
    """Work of an example in the file of an annotator; no label: not annotated."""
    value = next((record.value[k] for k in _LABELS if record.value.get(k)), None)
    answer = SKIPPED
    if isinstance(value, str):  # CSV joins several labels
        answer = Answer(picked=tuple(value.split("#")))
    elif isinstance(value, list):
        spans = [part for part in value if isinstance(part, (list, dict))]
        labels = [part[-1] if isinstance(part, list) else part for part in value]
        labels = [p.get("label") if isinstance(p, dict) else p for p in labels]
        answer = Answer(picked=tuple(map(text, labels)), regions=bool(spans))
    return Work(
        fields=_fields(record),
        annotator=_stem(record),
        answers={"label": answer},
        place=record.place,
    )


def _sniff(probe: Probe) -> int:
    record, keys = probe.record, set(probe.names)
    if "id" not in keys or not keys & set(_CONTENT):
        return 0
    notes = record.get("annotations")
    users = isinstance(notes, list) and any(
        isinstance(each, dict) and "user" in each for each in notes
    )
    old = users or (notes is not None and "annotation_approver" in keys)
    old = old or (notes == [] and "meta" in keys)
    labels = any(_are_labels(record.get(key)) for key in _LABELS)
    labels = labels or (not record and "label" in keys)
    return 3 * (old or (labels and (probe.several or "Comments" in keys)))


def _are_labels(value: object) -> bool:
    """Whether a value is a list of labels or of spans, and of no other records."""
    return isinstance(value, list) and all(
        not isinstance(part, dict) or "start_offset" in part for part in value
    )


READER = Reader(
    name="doccano",
    what="doccano (a file per annotator in a folder or archive; older JSON with users)",
    sniff=_sniff,
    read=read_doccano,
    questions=True,
)
