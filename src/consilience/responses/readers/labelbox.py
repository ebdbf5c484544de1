"""Labelbox: NDJSON of data rows with the labels of each project, and older exports.

In consensus a data row has a label of each labeller, with classifications: a radio
question is a choice, a checklist a yes or no to each box. The older export, JSON or
CSV, has a record for each label, with `Labeled Data`, `Label` and `Created By`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

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
    number,
    records,
    rows,
    text,
)
from consilience.responses.options import ReadOptions
from consilience.responses.sources.json_file import decode_or_text
from consilience.responses.sources.load import Probe, Source
from consilience.responses.table import Responses

_IDS = ("data_row.global_key", "data_row.external_id", "data_row.id")
_OLD_IDS = ("Global Key", "External ID", "DataRow ID")
_OLD_CONTENT = "Labeled Data"
_ANSWERS = ("radio_answer", "checklist_answers", "dropdown_answer", "answer", "answers")
_PEOPLE = "export with label details (`label_details`), which name the labeller"


def read_labelbox(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read exports, new or old."""
    given = [record for source in sources for record in _records(source, options)]
    is_old = "Labeled Data" in given[0].value
    works = [work for each in given for work in (_old if is_old else _labels)(each)]
    export = Export(
        tool="Labelbox",
        works=works,
        source=names(sources),
        unit="labels",
        ids=_OLD_IDS if is_old else _IDS,
        roles={("Created By" if is_old else "created_by"): "annotator"},
        people=_PEOPLE,
        more_items=[] if is_old else [_fields(each.value) for each in given],
    )
    return read_export(export, sources, options)


def _records(source: Source, options: ReadOptions) -> list[Record]:
    suffix = "" if not hasattr(source, "suffix") else source.suffix.lower()
    is_table = suffix in {".csv", ".tsv", ".txt"}
    return rows([source], options) if is_table else records([source])


def _fields(row: Mapping[str, Any]) -> dict[str, str | None]:
    fields = {path: text(first(row, path)) or None for path in _IDS}
    return fields | {"data_row.row_data": text(first(row, "data_row.row_data")) or None}


def _labels(record: Record) -> Iterator[Work]:
    for label in dig(record.value, "projects.*.labels.*"):
        created = first(label, "label_details.created_at")
        yield Work(
            fields=_fields(record.value),
            annotator=text(first(label, ("label_details.created_by", "created_by")))
            or None,
            answers={} if _is_skipped(label) else dict(_answers(label)),
            place=f"{record.place}, label {first(label, 'id')}",
            id=text(first(label, "id")) or None,
            is_truth=first(label, "performance_details.is_benchmark_reference") is True
            or first(label, "label_details.is_benchmark_reference") is True,
            seconds=number(first(label, "performance_details.seconds_to_create")),
            created=None if created is None else text(created),
        )


def _is_skipped(label: object) -> bool:
    return any(
        first(label, path) is True
        for path in ("performance_details.skipped", "skipped")
    )


def _answers(label: object) -> Iterator[tuple[str, Answer]]:
    yield from _classifications(dig(label, "annotations.classifications.*"))
    objects = [_name(each) for each in dig(label, "annotations.objects.*")]
    if objects:
        yield "objects", Answer(picked=tuple(objects), several=True, regions=True)


def _classifications(given: Iterator[object]) -> Iterator[tuple[str, Answer]]:
    """Answers to classifications, and to those inside the answers picked."""
    for each in given:
        if not isinstance(each, dict):
            continue
        parts = [each[key] for key in _ANSWERS if each.get(key) is not None]
        picked = parts[0] if parts else None
        several = isinstance(picked, list)
        many = picked if isinstance(picked, list) else [picked]
        if "text_answer" in each or isinstance(picked, str):
            yield _name(each), Answer(picked=(), free=True)
        elif picked is None:
            yield _name(each), SKIPPED
        else:
            yield _name(each), Answer(picked=tuple(map(_name, many)), several=several)
        for part in many:
            yield from _classifications(dig(part, "classifications.*"))


def _name(feature: object) -> str:
    return text(first(feature, ("name", "title", "value")))


def _old(record: Record) -> Iterator[Work]:
    row = record.value
    label = row.get("Label")
    if isinstance(label, str):
        label = decode_or_text(label, record.place)
    skipped = label == "Skip" or text(row.get("Skipped")).casefold() == "true"
    fields = {name: text(row.get(name)) or None for name in (*_OLD_IDS, _OLD_CONTENT)}
    yield Work(
        fields=fields,
        annotator=text(row.get("Created By")) or None,
        answers={} if skipped else dict(_old_answers(label)),
        place=record.place,
        id=text(row.get("ID")) or None,
        seconds=number(row.get("Seconds to Label")),
        created=text(row.get("Created At")) or None,
    )


def _old_answers(label: object) -> Iterator[tuple[str, Answer]]:
    if not isinstance(label, dict):
        return
    if not {"classifications", "objects"} & set(label):  # the oldest: question: label
        for name, value in label.items():
            if isinstance(value, (str, bool, int)):
                yield name, Answer(picked=(text(value),))
            elif isinstance(value, list) and all(isinstance(v, str) for v in value):
                yield name, Answer(picked=tuple(value), several=True)
            else:
                yield name, Answer(picked=(), free=True)
        return
    yield from _answers({"annotations": label})


def _sniff(probe: Probe) -> int:
    record = probe.record
    new = "data_row" in record and isinstance(record.get("projects"), dict)
    return 3 * (new or {"Labeled Data", "Label"} <= set(probe.names))


READER = Reader(
    name="labelbox",
    what="Labelbox NDJSON (radio and checklist), or the older JSON or CSV",
    sniff=_sniff,
    read=read_labelbox,
    questions=True,
)
