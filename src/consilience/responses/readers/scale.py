"""Scale's tasks: the attempts at a task, or its responses to one item.

A finished task has one `response` (``category``, ``taxonomies`` or ``annotations`` of
fields) that does not say whose it is, unless the metadata of the task do. Where a task
lists the attempts or responses of several people, these are read; a task with one
response counts as an answer if several tasks are about one attachment.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from consilience.errors import MissingColumnError
from consilience.responses.draft import Reader
from consilience.responses.exports.assembling import read_export
from consilience.responses.exports.work import (
    Answer,
    Export,
    Record,
    Work,
    answer,
    dig,
    first,
    names,
    records,
    seconds_between,
    text,
)
from consilience.responses.options import ReadOptions
from consilience.responses.sources.load import Probe, Source
from consilience.responses.table import Responses

_MANY = ("attempts", "responses", "response.responses", "response.attempts")
_PEOPLE = (
    *(
        "worker_id",
        "tasker_id",
        "labeler_id",
        "annotator_id",
        "user_id",
        "attempted_by",
    ),
    *("completed_by", "created_by", "worker", "tasker", "labeler", "annotator", "user"),
)
_ATTACHMENT = "params.attachment"
_METADATA = "metadata."
_DONE = "completed"


def read_scale(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read tasks as the API lists them."""
    given = records(sources)
    works = [work for each in given for work in _works(each)]
    _check_people(works, names(sources))
    ids = ("unique_id", "task_id")
    extra = dict.fromkeys(n for w in works for n in w.fields if n.startswith(_METADATA))
    attachments = [work.fields[_ATTACHMENT] for work in works]
    is_repeated = None not in attachments and len(set(attachments)) < len(works)
    one_each = len(works) == len(given)  # a task for each answer
    export = Export(
        tool="Scale",
        works=works,
        source=names(sources),
        unit="responses",
        ids=() if one_each and is_repeated else ids,
        last_ids=(*ids, *extra),
        more_items=[_fields(each.value) for each in given],
    )
    return read_export(export, sources, options)


def _check_people(works: list[Work], source: str) -> None:
    """Refuse final responses, of which each item has one."""
    done = [work for work in works if work.dropped is None]
    items = {work.fields[_ATTACHMENT] for work in done}
    if done and len(items) == len(done) and all(w.annotator is None for w in done):
        msg = (
            f"{source}: each task has one final response, which does not say whose it "
            "is, so annotators cannot be compared; export the attempts of each task, "
            "or use the responses as gold (`gold=`)"
        )
        raise MissingColumnError(msg)


def _works(record: Record) -> Iterator[Work]:
    task = record.value
    status = text(task.get("status")) or _DONE
    attempts: list[Any] = [each for path in _MANY for each in dig(task, f"{path}.*")]
    given = [each for each in attempts if isinstance(each, dict)] or [dict(task)]
    for number, attempt in enumerate(given, start=1):
        state = text(attempt.get("status")) or status
        who = first(attempt, _PEOPLE) or first(attempt.get("metadata"), _PEOPLE)
        response = attempt.get("response", attempt)
        yield Work(
            fields=_fields(task),
            annotator=text(first(who, ("id", "email")) or who) or None,
            answers=dict(_answers(response, task, record.place)),
            place=record.place + (f", attempt {number}" if attempts else ""),
            id=text(first(attempt, ("attempt_id", "response_id", "id"))) or None,
            dropped=_refused(task) if state == _DONE else f"the task is {state}",
            seconds=seconds_between(
                attempt.get("started_at"), attempt.get("completed_at")
            ),
            created=text(attempt.get("completed_at")) or None,
        )


def _refused(task: Mapping[str, Any]) -> str | None:
    """Why a completed task does not count; None: it does."""
    review = text(task.get("customer_review_status")).casefold()
    return "the review rejected the task" if review == "rejected" else None


def _fields(task: Mapping[str, Any]) -> dict[str, str | None]:
    """Ids of a task, and what it is about."""
    attached = first(task, (_ATTACHMENT, "params.attachments.*.content", "params.text"))
    attached = first(attached, ("content", "url")) or attached
    fields = {name: text(task.get(name)) or None for name in ("unique_id", "task_id")}
    extra = task.get("metadata")
    for name, value in extra.items() if isinstance(extra, dict) else ():
        if not isinstance(value, (list, dict)):
            fields[_METADATA + name] = text(value) or None
    return fields | {_ATTACHMENT: None if attached is None else text(attached)}


def _answers(
    response: object, task: Mapping[str, Any], place: str
) -> Iterator[tuple[str, Answer]]:
    """Answers in a response, by category, taxonomy or field."""
    shown = _categories(first(task, "params.categories"))
    for key in ("category", "categories"):
        for value in dig(response, key):
            yield "category", _with(answer(value, place), shown)
    for key in ("taxonomies", "annotations"):
        for fields in dig(response, key):
            for name, value in fields.items() if isinstance(fields, dict) else ():
                given = value
                if isinstance(value, dict):
                    given = first(value, ("response", "answer", "value"))
                yield name, _with(_flat(given, place), _options(task, name))
    if isinstance(response, dict) and isinstance(response.get("annotations"), list):
        labels = [text(each) for each in dig(response, "annotations.*.label")]
        yield "label", Answer(picked=tuple(labels), several=True, regions=True)


def _flat(value: object, place: str) -> Answer:
    """Return an answer of a field, which may list the labels of each page."""
    if isinstance(value, list) and value and all(isinstance(x, list) for x in value):
        value = [part for each in value for part in each]
    return answer(value, place)


def _with(given: Answer, shown: tuple[str, ...] | None) -> Answer:
    """Return an answer with what was on screen; of one label it is a choice."""
    if shown is not None and not set(given.picked or ()) <= set(shown):
        shown = None  # categories that are named otherwise
    return Answer(
        picked=given.picked,
        several=given.several and len(given.picked or ()) != 1,
        shown=shown,
        regions=given.regions,
        free=given.free,
    )


def _categories(given: object) -> tuple[str, ...] | None:
    """Names of categories, given as texts or as records."""
    if isinstance(given, dict):
        return tuple(given) or None
    if not isinstance(given, list):
        return None
    parts = [first(each, ("id", "value", "name", "label")) or each for each in given]
    return tuple(text(p) for p in parts if isinstance(p, (str, int))) or None


def _options(task: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    """Choices of a taxonomy or of a field."""
    taxonomy = first(task, f"params.taxonomies.{name}")
    fields = [f for f in dig(task, "params.fields.*") if first(f, "field_id") == name]
    choices = first(taxonomy, ("choices", "options"))
    choices = choices or next((first(f, ("choices", "options")) for f in fields), None)
    return _categories(choices)


def _sniff(probe: Probe) -> int:
    keys = set(probe.names)
    more = {"response", "attempts", "responses", "callback_url"} & keys
    return 3 * ({"task_id", "params"} <= keys and bool(more))


READER = Reader(
    name="scale",
    what="Scale tasks (JSON with attempts or responses of several people)",
    sniff=_sniff,
    read=read_scale,
    questions=True,
)
