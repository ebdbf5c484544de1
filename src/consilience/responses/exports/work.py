"""The answers of an annotator about an item, in the form that all exports take.

A reader says where a tool keeps these; everything after that (which question is meant,
which field names the item, what an answer means) is decided once, for all tools.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from consilience.responses.columns.on_screen import OnScreen
from consilience.responses.options import ReadOptions
from consilience.responses.sources.arrow_columns import cell_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer to one question."""

    picked: tuple[str, ...] | None
    several: bool = False
    shown: tuple[str, ...] | None = None
    objects: bool = False
    regions: bool = False
    free: bool = False


SKIPPED = Answer(picked=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One annotator's work on one item."""

    fields: Mapping[str, str | None]
    annotator: str | None
    answers: Mapping[str, Answer]
    place: str
    id: str | None = None
    truth: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_truth: bool = False
    dropped: str | None = None
    seconds: float | None = None
    created: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """An export as read, before a question is chosen."""

    tool: str
    works: Sequence[Work]
    source: str
    unit: str = "annotations"
    ids: tuple[str, ...] = ()
    last_ids: tuple[str, ...] = ()
    offers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    screens: Sequence[OnScreen] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    more_items: Sequence[Mapping[str, str | None]] = ()
    main: str | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    people: str = ""


def answer(value: object, place: str = "") -> Answer:
    """Return the answer that a value of an export is, whatever its form.

    A list is of a question that lets several labels be picked; of records with a label,
    of regions. Other records are no labels.
    """
    if value is None or value == "":
        return SKIPPED
    if not isinstance(value, (list, dict)):
        return Answer(picked=(text(value, place),))
    parts = value if isinstance(value, list) else [value]
    labels = [part.get("label") if isinstance(part, dict) else part for part in parts]
    records = sum(isinstance(part, dict) for part in parts)
    if (
        isinstance(value, dict)
        or 0 < records < len(parts)
        or not all(map(_is_label, labels))
    ):
        return Answer(picked=(), free=True)
    picked = tuple(text(label, place) for label in labels if label is not None)
    if records:
        return Answer(picked=picked, regions=True)
    return Answer(picked=tuple(dict.fromkeys(picked)), several=True)


def _is_label(value: object) -> bool:
    return not isinstance(value, (list, dict))


def text(value: object, place: str = "") -> str:
    """Text of a label or an id; a truth value is written as JSON writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return cell_text(value, place) or ""


def counts(status: str, options: ReadOptions, rejected: Sequence[str]) -> bool:
    """Say whether works of a status count: all but rejected, or those asked for."""
    wanted = options.statuses
    return status not in rejected if wanted is None else status in wanted


def number(value: object) -> float | None:
    """Return a number of an export; None where it is none."""
    try:
        return None if value is None else float(str(value))
    except ValueError:
        return None


def seconds_between(start: object, end: object) -> float | None:
    """Return the seconds between two times; None where one is no time."""
    try:
        times = [datetime.fromisoformat(str(time)) for time in (start, end)]
        return (times[1] - times[0]).total_seconds()
    except (ValueError, TypeError):
        return None
