"""Argilla's records: responses of users to questions, nested or as columns.

Version 2 lists the responses of each question with user and status, or, flattened and
in Hugging Face datasets, in the columns ``label.responses``, ``label.responses.users``
and ``label.responses.status``. The feedback records of version 1 list the values of
each user, its other records hold one annotation and its agent. Submitted responses are
answers, discarded ones skipped, drafts neither.
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
    answer,
    dig,
    first,
    names,
    records,
    text,
)
from consilience.responses.options import ReadOptions
from consilience.responses.sources.load import Probe, Source
from consilience.responses.table import Responses

_RESPONSES, _USERS, _STATUS = ".responses", ".responses.users", ".responses.status"
_DISCARDED = {"discarded", "Discarded"}
_UNFINISHED = {"draft", "pending", "Default", "Edited"}
_IDS = ("external_id", "id", "_server_id")
_RESERVED = {"metadata", "vectors", "status", "suggestions", "responses", "score"}

type Response = tuple[str | None, str, str, object]  # user, status, question, value


def read_argilla(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read exported records."""
    given = records(sources)
    works = [work for each in given for work in _works(each)]
    export = Export(
        tool="Argilla",
        works=works,
        source=names(sources),
        unit="responses",
        ids=_IDS if _ids_name_items(works) else (),
        last_ids=_IDS,
        roles={"user_id": "annotator"},
        more_items=[_fields(each.value) for each in given],
    )
    return read_export(export, sources, options)


def _ids_name_items(works: Sequence[Work]) -> bool:
    """Whether ids are of items; in version 1 they may be of single annotations."""
    ids = [next((w.fields[n] for n in _IDS if w.fields.get(n)), None) for w in works]
    contents = [
        tuple(value for name, value in work.fields.items() if name not in _IDS)
        for work in works
    ]
    repeated = 0 < len(set(contents)) < len(works)
    return not (repeated and len(set(ids)) == len(works))


def _works(record: Record) -> Iterator[Work]:
    """Works of a record, one of each user."""
    users: dict[str | None, dict[str, Answer]] = {}
    dropped: dict[str | None, str] = {}
    for user, status, question, value in _responses(record.value):
        answers = users.setdefault(user, {})
        if status in _UNFINISHED:
            dropped[user] = f"the response is a {status.lower()} and not submitted"
        elif status in _DISCARDED:
            answers[question] = SKIPPED
        else:
            answers[question] = _answer(value, record.place)
    for user, answers in users.items():
        yield Work(
            fields=_fields(record.value),
            annotator=user,
            answers=answers,
            place=f"{record.place}, user {user}",
            dropped=dropped.get(user) if not answers else None,
        )


def _responses(record: Mapping[str, Any]) -> Iterator[Response]:
    """Responses of a record, whatever its version."""
    nested = record.get("responses")
    if isinstance(nested, dict):  # version 2
        for question, given in nested.items():
            for each in given if isinstance(given, list) else ():
                yield _user(each), _state(each), question, first(each, "value")
    elif isinstance(nested, list):  # feedback of version 1: all values of a user
        for each in nested:
            values = first(each, "values")
            name = first(each, "question_name")
            if isinstance(name, str):  # a response to one question
                yield _user(each), _state(each), name, first(each, "value")
            for question, value in values.items() if isinstance(values, dict) else ():
                yield _user(each), _state(each), question, first(value, "value")
    elif "annotation" in record:  # other records of version 1
        status = text(record.get("status"))
        if record["annotation"] is not None or status in _DISCARDED:
            agent = text(record.get("annotation_agent")) or None
            done = "submitted" if status not in _DISCARDED else status
            yield agent, done, "annotation", record["annotation"]
    else:
        yield from _flat(record)


def _flat(record: Mapping[str, Any]) -> Iterator[Response]:
    """Responses in columns."""
    for name, values in record.items():
        if name.endswith(_RESPONSES) and isinstance(values, list):
            question = name.removesuffix(_RESPONSES)
            users, states = (
                given if isinstance(given, list) else [None] * len(values)
                for given in (record.get(question + each) for each in (_USERS, _STATUS))
            )
            for user, state, value in zip(users, states, values, strict=False):
                yield text(user) or None, text(state) or "submitted", question, value
        elif f"{name}-suggestion" in record and isinstance(values, list):
            for each in values:  # datasets of version 1
                yield _user(each), _state(each), name, first(each, "value")


def _user(response: object) -> str | None:
    return text(first(response, ("user_id", "user"))) or None


def _state(response: object) -> str:
    return text(first(response, "status")) or "submitted"


def _answer(value: object, place: str) -> Answer:
    """Return an answer; ranks of texts are no labels."""
    ranks = list(dig(value, "*.rank"))
    return Answer(picked=(), free=True) if ranks else answer(value, place)


def _fields(record: Mapping[str, Any]) -> dict[str, str | None]:
    """Ids of a record, and its contents."""
    fields = {key: text(record[key]) or None for key in _IDS if key in record}
    content: dict[str, Any] = {}
    for key in ("fields", "inputs"):
        content |= record[key] if isinstance(record.get(key), dict) else {}
    if not content:
        content = {
            key: value
            for key, value in record.items()
            if isinstance(value, str)
            and key not in {*fields, *_RESERVED}
            and not key.startswith(("annotation", "prediction", "event_"))
            and ".suggestion" not in key
        }
    texts = {k: v for k, v in content.items() if isinstance(v, (str, int))}
    return fields | {key: text(value) or None for key, value in texts.items()}


def _sniff(probe: Probe) -> int:
    keys, record = set(probe.names), probe.record
    nested = "responses" in keys and "fields" in keys
    first_version = {"annotation", "annotation_agent", "prediction"} <= keys
    flat = any(name.endswith(_RESPONSES) for name in keys) and any(
        name.endswith((_USERS, _STATUS)) for name in keys
    )
    older = any(
        f"{name}-suggestion" in keys and isinstance(record.get(name, []), list)
        for name in keys
    )
    return 3 * (nested or first_version or flat or older)


READER = Reader(
    name="argilla",
    what="Argilla records (versions 1 and 2; nested, flat or a dataset)",
    sniff=_sniff,
    read=read_argilla,
    questions=True,
)
