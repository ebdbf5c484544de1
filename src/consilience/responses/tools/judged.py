"""Logs of judged evaluations: judges as annotators of what systems answered.

A log has scores of samples. The item is the sample, with its data set and the system
that answered it where the sources hold several of these; the table of items has the
system, and what the sample asks as a text. Each score is a question, and all scores
together are one more, in which every judge is an annotator. Further epochs of a sample
are further answers of its judges.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

from msgspec import Struct, structs

from consilience.errors import SourceError
from consilience.responses.options import ReadOptions
from consilience.responses.sources.frames import Source
from consilience.responses.tools.records import (
    Record,
    first,
    lookup,
    names,
    records,
    text,
)
from consilience.responses.tools.tool import Answers, At, Layout
from consilience.responses.tools.work import SKIPPED, Answer, no_label

_MOST = 12  # numbers that can be labels of one question
_AROUND = "^"  # key of the document that a part stands in


class Score(Struct, frozen=True, gc=False):
    """What a judge says of a sample."""

    question: str
    judge: str
    value: object  # None: the judge gave none
    number: object = None  # on which a verdict rests, if there is one


class Sample(Struct, frozen=True, kw_only=True, gc=False):
    """A sample with its scores; None is what the log does not say."""

    id: str | None
    scores: Sequence[Score]
    data_set: str | None = None  # in which ids tell samples apart
    system: str | None = None
    text: str | None = None


def parts(*paths: str, word: str) -> Callable[[Source, ReadOptions], Iterator[Record]]:
    """Return what loads the parts of a document, each with the document around it."""

    def load(source: Source, options: ReadOptions) -> Iterator[Record]:
        for record in records(source, options):
            lists = [
                part
                for path in paths
                if isinstance(part := first(record.value, path), list)
            ]
            if not lists:
                yield record
            for number, part in enumerate(chain(*lists), start=1):
                if isinstance(part, dict):
                    value = {**part, _AROUND: record.value}
                    place = f"{source}, {word} {number}"
                    yield Record(value=value, place=place, source=source)

    return load


def around(record: Record, *paths: str) -> Any:
    """Return what the document of a part has at any of some paths."""
    return lookup(*paths)(record.value.get(_AROUND))


def judge(name: str, model: object) -> str:
    """Return the annotator that a judge is: its name, and its model where known."""
    parts = model if isinstance(model, list) else [model]
    models = [each for part in parts if (each := named(part))]
    return f"{name} ({', '.join(models)})" if models else name


def named(value: object) -> str | None:
    """Return what a model or a system is called: by itself, or in a record of it."""
    value = first(value, "label", "id", "model") if isinstance(value, dict) else value
    return None if isinstance(value, (dict, list)) else text(value)


def samples(
    read: Callable[[list[Record]], Sequence[tuple[Record, Sample]]], together: str
) -> Callable[[list[Record], ReadOptions], list[Record]]:
    """Return what makes records of one form of those of a log.

    `together` is the question of all scores, if there are several.
    """

    def prepare(given: list[Record], _: ReadOptions) -> list[Record]:
        pairs = read(given)
        scores = [score for _, sample in pairs for score in sample.scores]
        if not scores:
            raise SourceError(
                f"{names(each.source for each, _ in pairs)}: the log has no scores of "
                "samples, so no judge has answered; score the evaluation and read its "
                "log again"
            )
        several = len({score.question for score in scores}) > 1
        many = _continuous(scores)
        sets = len({sample.data_set for _, sample in pairs}) > 1
        systems = len({sample.system for _, sample in pairs}) > 1
        changed = []
        for record, sample in pairs:
            naming = (
                sample.data_set if sets else None,
                sample.id,
                sample.system if systems else None,
            )
            value = {
                "item": sample.id and " / ".join(filter(None, naming)),
                "system": sample.system,
                "text": sample.text,
                "scores": [
                    {
                        "score": score,
                        "judge": score.judge,
                        "many": score.question in many,
                        "together": together if several else None,
                    }
                    for score in sample.scores
                ],
            }
            changed.append(
                Record(value=value, place=record.place, source=record.source)
            )
        return changed

    return prepare


def _continuous(scores: Sequence[Score]) -> set[str]:
    """Return the questions whose numbers are too many to be labels."""
    numbers: dict[str, set[str]] = {}
    for score in scores:
        for value in (score.value, score.number):
            if (number := number_of(value)) is not None:
                numbers.setdefault(score.question, set()).add(number)
    return {name for name, each in numbers.items() if len(each) > _MOST}


def _answers(at: At, _: str) -> Answers:
    score: Score = at["score"]
    given = _label(score.value, many=at["many"] and score.number is None)
    yield score.question, given
    if at["together"]:
        yield at["together"], structs.replace(given, title="all scores")
    number = number_of(score.number)
    if number is not None:  # which is read where it is asked for
        behind = _no_label(number) if at["many"] else Answer((number,), "text")
        yield f"{score.question} score", behind


def _label(value: object, *, many: bool) -> Answer:
    """Return the answer that a value is; a truth value passes or fails."""
    if isinstance(value, bool):
        return Answer(("pass" if value else "fail",))
    number = number_of(value)
    if number is not None:
        return _no_label(number) if many else Answer((number,))
    if isinstance(value, (list, dict)):
        return no_label(value)
    label = text(value)
    return SKIPPED if label is None else Answer((label,))


def _no_label(number: str) -> Answer:
    strange = f"{number}, one of more than {_MOST} numbers,"
    return Answer((number,), "text", strange=strange)


def number_of(value: object) -> str | None:
    """Return a number in one form, ``1`` for ``1.0``; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return f"{number:.6g}" if abs(number) < float("inf") else None


LAYOUT = Layout(
    works=("scores.*",),
    answers=_answers,
    annotator=("judge",),
    ids=("^.item",),
    about=("^.system", "^.text"),
)
