"""SageMaker Ground Truth: responses of workers, as the labelling job stores them.

In the job's folder, `annotations/worker-response` holds a file for each object and
round, with `answers` of workers; `annotations/consolidated-annotation` the same answers
as they were sent to be consolidated. The output manifest has one label for each object
and no workers, unless the job passes on all their answers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from consilience.errors import MissingColumnError
from consilience.responses.draft import Reader
from consilience.responses.exports.assembling import read_export
from consilience.responses.exports.work import (
    Answer,
    Export,
    Record,
    Work,
    dig,
    first,
    names,
    number,
    records,
    text,
)
from consilience.responses.mturk.batch import form_answers
from consilience.responses.options import ReadOptions
from consilience.responses.sources.json_file import decode_or_text
from consilience.responses.sources.load import Probe, Source
from consilience.responses.table import Responses

_ID = "datasetObjectId"
_CONTENT = ("s3Uri", "source-ref", "source", "content")
_REGIONS = ("boundingBoxes", "polygons", "polylines", "keypoints", "entities")


def read_ground_truth(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read files of worker responses, or of requests to consolidate them."""
    given = [each for source in sources for each in records([source])]
    responses = [each for each in given if _is_response(each.value)]
    requests = [each for each in given if _is_request(each.value)]
    works = [work for each in responses for work in _answers(each)]
    works = works or [work for each in requests for work in _annotations(each)]
    works = works or [work for each in given for work in _passed_on(each)]
    if not works and any(_is_consolidated(each.value) for each in given):
        msg = (
            f"{names(sources)}: holds one consolidated label for each object, and not "
            "who answered what; read the folder annotations/worker-response of the job"
        )
        raise MissingColumnError(msg)
    objects = {text(each.value[_ID]): _content(each.value) for each in requests}
    works = [
        replace(work, fields={**work.fields, **objects.get(work.fields[_ID] or "", {})})
        for work in works
    ]
    export = Export(
        tool="SageMaker Ground Truth",
        works=works,
        source=names(sources),
        unit="answers",
        ids=("s3Uri", "source-ref", _ID),
        last_ids=("source",),
        roles={"workerId": "annotator"},
    )
    return read_export(export, sources, options)


def _answers(record: Record) -> Iterator[Work]:
    """Works of a file of responses; its folder is named after the object."""
    path = PurePath(record.file or "")
    name = text(record.value.get(_ID)) or path.parent.name or None
    for each in dig(record.value, "answers.*"):
        worker = text(first(each, "workerId")) or None
        yield Work(
            fields={_ID: name, **_content(record.value)},
            annotator=worker,
            answers=_form(first(each, "answerContent"), record.place),
            place=f"{record.place}, worker {worker}",
            seconds=number(first(each, "timeSpentInSeconds")),
            created=text(first(each, "submissionTime")) or None,
        )


def _passed_on(record: Record) -> Iterator[Work]:
    """Works in the manifest of a job that passes on the answers of all workers."""
    for label in record.value.values():
        if isinstance(label, dict) and "annotationsFromAllWorkers" in label:
            whole = {**record.value, "annotations": label["annotationsFromAllWorkers"]}
            yield from _annotations(replace(record, value=whole))


def _annotations(record: Record) -> Iterator[Work]:
    """Works of an object in a request to consolidate."""
    for each in dig(record.value, "annotations.*"):
        worker = text(first(each, "workerId")) or None
        content = first(each, ("annotationData.content", "annotationData"))
        yield Work(
            fields={_ID: text(record.value.get(_ID)) or None, **_content(record.value)},
            annotator=worker,
            answers=_form(content, record.place),
            place=f"{record.place}, worker {worker}",
        )


def _content(record: object) -> dict[str, str | None]:
    """Fields that say what the object is."""
    paths = {name: (f"dataObject.{name}", name) for name in _CONTENT}
    texts = {name: text(first(record, each)) for name, each in paths.items()}
    return {name: value for name, value in texts.items() if value}


def _form(content: object, place: str) -> dict[str, Answer]:
    """Answers of a form, whose elements each have a name."""
    form = decode_or_text(content, place) if isinstance(content, str) else content
    if not isinstance(form, dict):
        return {}
    boxes = {
        name: labels
        for name, value in form.items()
        if (labels := _regions(value)) is not None
    }
    plain = {name: value for name, value in form.items() if name not in boxes}
    answers = {
        name: Answer(picked=labels, several=True, regions=True)
        for name, labels in boxes.items()
    }
    for name, given in form_answers(plain, place).items():
        several = name.endswith(".labels")
        picked = None if given is None else given.picked
        shown = None if given is None else given.shown
        answers[name.removesuffix(".labels").removesuffix(".label")] = Answer(
            picked=picked, several=several, shown=shown
        )
    return answers


def _regions(value: object) -> tuple[str, ...] | None:
    """Labels of boxes and the like; None: the element holds none."""
    if not isinstance(value, dict) or not set(_REGIONS) & set(value):
        return None
    return tuple(
        text(each) for key in _REGIONS for each in dig(value, f"{key}.*.label")
    )


def _is_response(record: Any) -> bool:
    return isinstance(record.get("answers"), list)


def _is_request(record: Any) -> bool:
    return _ID in record and isinstance(record.get("annotations"), list)


def _is_consolidated(record: Any) -> bool:
    metadata = any(f"{name}-metadata" in record for name in record)
    return metadata or "consolidatedAnnotation" in record


def _sniff(probe: Probe) -> int:
    record = probe.record
    answers = _is_response(record) and any(
        isinstance(each, dict) and "workerId" in each for each in record["answers"]
    )
    manifest = _is_consolidated(record) and bool({"source-ref", "source"} & set(record))
    return 3 * (answers or _ID in record or manifest)


READER = Reader(
    name="ground_truth",
    what="SageMaker Ground Truth worker responses (the job's folder, or its files)",
    sniff=_sniff,
    read=read_ground_truth,
    questions=True,
)
