"""What an annotator did with one item: the form that the exports of all tools take."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any, Literal

from consilience.errors import BadCellError
from consilience.responses.sources.arrow_columns import cell_text
from consilience.responses.tools.on_screen import OnScreen

type Fields = Mapping[str, str | None]
type Form = Literal["label", "boxes", "objects", "regions", "text"]
"""One label; boxes to tick, each a yes or a no; names of objects, which may have places
(boxes, polygons, spans); or free text, which is no label."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to one question.

    Attributes
    ----------
    picked
        Labels that were picked; None: the question was skipped.
    form
        What they are.
    shown
        Labels on screen, where the export says so.
    title
        The question in words, where its name says nothing.
    """

    picked: tuple[str, ...] | None
    form: Form = "label"
    shown: tuple[str, ...] | None = None
    title: str = ""

    def among(self, shown: Sequence[str]) -> "Answer":
        """Return the answer with what was on screen, if it is named so there."""
        among = bool(shown) and set(self.picked or ()) <= set(shown)
        return replace(self, shown=tuple(shown)) if among else self


SKIPPED = Answer(None)
NO_LABEL = Answer((), "text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One annotator's work on one item.

    Attributes
    ----------
    fields
        What may name the item, or says what it is.
    annotator, id, created, seconds
        As the export has them; None: it does not.
    answers
        By question. One that is not there was not asked; if none is, all were skipped.
    place
        File and record, for messages.
    truth
        Labels that are known to be right, by question.
    is_truth
        Whether the work is itself the truth, and no answer of an annotator.
    dropped
        Why the work does not count; None: it does.
    screen
        What the task shows, where a task that this program wrote says it.
    """

    fields: Fields
    annotator: str | None
    answers: Mapping[str, Answer]
    place: str
    id: str | None = None
    created: str | None = None
    seconds: float | None = None
    truth: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_truth: bool = False
    dropped: str | None = None
    screen: OnScreen | None = None


def dig(value: object, path: str) -> Iterator[Any]:
    """Give all values at a path; none where it leads nowhere.

    A path is keys with points between them, or one key that holds points; ``*`` stands
    for every part of a list or object: ``projects.*.labels.*``.
    """
    key, _, rest = path.partition(".")
    if not path:
        yield value
    elif isinstance(value, dict) and path in value:
        yield value[path]
    elif key == "*" and value is not None:
        if not isinstance(value, (list, dict)):
            msg = f"found {value!r:.40} where a list was expected; export it again"
            raise BadCellError(msg)
        parts = value.values() if isinstance(value, dict) else value
        if not rest:
            yield from parts
            return
        for part in parts:
            yield from dig(part, rest)
    elif isinstance(value, dict) and key in value:
        yield from dig(value[key], rest)


def first(value: object, paths: Sequence[str] | str) -> Any:
    """Return the first value at any of some paths that is not missing."""
    result = None
    for path in (paths,) if isinstance(paths, str) else paths:
        result = _lookup(path)(value)
        if result is not None:
            break
    return result


@cache
def _lookup(path: str) -> Callable[[object], Any]:
    """Return what finds the first value at a path that is not missing, compiled."""
    keys = path.split(".")
    rests = [".".join(keys[k:]) for k in range(len(keys))]

    def of_key(value: object) -> Any:
        result = value.get(path) if isinstance(value, dict) else None
        return None if result == "" else result

    def of_keys(value: object) -> Any:
        for key, rest in zip(keys, rests, strict=True):
            if not isinstance(value, dict):
                return None
            if rest in value:
                return None if value[rest] == "" else value[rest]
            value = value.get(key)
        return None

    def of_parts(value: object) -> Any:
        result = (each for each in dig(value, path) if each is not None and each != "")
        return next(result, None)

    if "*" in path or not path:
        return of_parts
    return of_keys if len(keys) > 1 else of_key


def one(value: object, paths: Sequence[str], place: str) -> str | None:
    """Return the first plain value at any of some paths, as text.

    Raises
    ------
    BadCellError
        There is something, and nothing of it is a text or a number.
    """
    strange = None
    for path in paths:
        result = _lookup(path)(value)
        if result is None:
            continue
        if not isinstance(result, (list, dict)):
            return text(result, place)
        strange = result if strange is None else strange
    if strange is not None:
        msg = (
            f"{place}: {paths[0]} is {strange!r:.60}; expected a text or a number; "
            "export it again"
        )
        raise BadCellError(msg)
    return None


def text(value: object, place: str = "") -> str | None:
    """Text of a label or an id; a truth value is written as JSON writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return cell_text(value, place) or None


def texts(values: object) -> dict[str, str | None]:
    """Texts of a record, by name, without what is a list or a record itself."""
    plain = values.items() if isinstance(values, dict) else ()
    return {str(n): text(v) for n, v in plain if not isinstance(v, (list, dict))}


def answer(value: object, place: str = "") -> Answer:
    """Return the answer that a value is, whatever its form.

    A list is of boxes to tick; of records with a label, of regions. Other records are
    no labels.
    """
    if value is None or value == "":
        return SKIPPED
    if not isinstance(value, (list, dict)):
        return Answer((text(value, place) or "",))
    parts = value if isinstance(value, list) else [value]
    labels = [part.get("label") if isinstance(part, dict) else part for part in parts]
    records = sum(isinstance(part, dict) for part in parts)
    strange = any(isinstance(label, (list, dict)) for label in labels)
    if isinstance(value, dict) or 0 < records < len(parts) or strange:
        return NO_LABEL
    picked = tuple(text(label, place) or "" for label in labels if label is not None)
    if records:
        return Answer(picked, "regions")
    return Answer(tuple(dict.fromkeys(picked)), "boxes")


def number(value: object) -> float | None:
    """Return a number of an export; None where it is none."""
    try:
        return float(str(value))
    except ValueError:
        return None


def seconds_between(start: object, end: object) -> float | None:
    """Return the seconds between two times; None where one is no time."""
    try:
        begin, stop = (datetime.fromisoformat(str(time)) for time in (start, end))
        return (stop - begin).total_seconds()
    except (ValueError, TypeError):
        return None
