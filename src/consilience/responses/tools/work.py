"""What an annotator did with one item: the form that the exports of all tools take.

**What was on screen, where a task says so itself.** Tasks that this program writes say
in one record what they ask: of which item, in which kind of question, and which labels
with which names stand on the screen in which order.
"""

import html
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from consilience.errors import DataError
from consilience.responses.options import Kind
from consilience.responses.sources.json_file import decode_or_text
from consilience.responses.tools.records import dig, text

NONE = "none of these"

type Labels = tuple[str, ...]


class OnScreen(msgspec.Struct, frozen=True, kw_only=True):
    """What a task shows."""

    item: str  # empty: the task does not say it
    kind: Kind | None = None  # kind of question; None: the task does not say it
    labels: Labels  # in their order on the screen
    names: Labels  # what stands there for each

    def __post_init__(self) -> None:
        """Hold the record to its rule."""
        if len(self.labels) != len(self.names):
            raise ValueError(f"{len(self.labels)} labels have {len(self.names)} names")

    @property
    def named(self) -> list[tuple[str, str]]:
        """Each label with the name that stands there."""
        return list(zip(self.labels, self.names, strict=True))

    def choices(self, kind: Kind | None) -> Labels:
        """Return the labels that an answer can be about."""
        return _without_none(self.labels, kind)

    def picked(
        self, given: Sequence[str] | None, kind: Kind | None, start: int | None = None
    ) -> Labels | None:
        """Return the labels picked, by name or number; None: skipped, or not listed."""
        if given is None:
            return None
        label = {name: label for label, name in self.named}
        label |= {each: each for each in self.labels}
        if start is not None:
            label = {str(k): x for k, x in enumerate(self.labels, start)} | {NONE: NONE}
        labels = [label.get(text, text if start is None else None) for text in given]
        return None if None in labels else _without_none(filter(None, labels), kind)


def _without_none(labels: Iterable[str], kind: Kind | None) -> Labels:
    """Leave out *none of these* where it says no to the presence of each label."""
    return tuple(x for x in labels if kind != "contains" or x != NONE)


def read_on_screen(record: str, place: str) -> OnScreen:
    """Read the record of a task, which is JSON."""
    try:
        return msgspec.json.decode(record, type=OnScreen)
    except msgspec.MsgspecError as error:
        raise DataError(
            f"{place}: the record of the task is damaged ({error}); export it again"
        ) from None


type Fields = Mapping[str, str | None]
type Form = Literal["label", "boxes", "objects", "regions", "text"]
"""One label; boxes to tick, each a yes or a no; names of objects, which may have places
(boxes, polygons, spans); or free text, which is no label."""

_REGIONS = ("boundingBoxes", "polygons", "polylines", "keypoints", "entities")


class Answer(Struct, frozen=True, gc=False):
    """An answer to one question."""

    picked: Labels | None  # None: the question was skipped
    form: Form = "label"
    shown: Labels | None = None  # labels on screen, where the export says so
    title: str = ""  # the question in words, where its name says nothing
    strange: str = ""  # what was found in place of labels

    def among(self, shown: Sequence[str]) -> "Answer":
        """Return the answer with what was on screen, if it is named so there."""
        among = bool(shown) and set(self.picked or ()) <= set(shown)
        return replace(self, shown=tuple(shown)) if among else self


SKIPPED = Answer(None)


def no_label(value: object) -> Answer:
    """Return the answer that a value is from which no label can be read."""
    return Answer((), "text", strange=f"{value!r:.60}")


class Work(Struct, frozen=True, kw_only=True, gc=False):
    """One annotator's work on one item; None is what the export does not say."""

    fields: Fields  # what may name the item, or says what it is
    annotator: str | None
    answers: Mapping[str, Answer]  # by question; empty: all were skipped
    place: str  # file and record, for messages
    id: str | None
    created: str | None
    seconds: float | None
    truth: Mapping[str, Labels]  # labels that are known to be right, by question
    is_truth: bool  # it is itself the truth, and no answer of an annotator
    dropped: str | None  # why it does not count; None: it does
    screen: OnScreen | None = None
    about: Fields = {}  # what the table of items says of the item


def answer(value: object, place: str = "") -> Answer:
    """Return the answer that a value is: a label, boxes (a list), regions (records)."""
    if value is None or value == "":
        return SKIPPED
    if not isinstance(value, (list, dict)):
        return Answer((text(value, place) or "",))
    parts = value if isinstance(value, list) else [value]
    labels = [part.get("label") if isinstance(part, dict) else part for part in parts]
    records = sum(isinstance(part, dict) for part in parts)
    strange = any(isinstance(label, (list, dict)) for label in labels)
    if isinstance(value, dict) or 0 < records < len(parts) or strange:
        return no_label(value)
    picked = tuple(text(label, place) or "" for label in labels if label is not None)
    if records:
        return Answer(picked, "regions")
    return Answer(tuple(dict.fromkeys(picked)), "boxes")


def decoded(value: object, place: str) -> object:
    """Return the list or object that a text is in JSON; else the value as it is."""
    return decode_or_text(value, place) if isinstance(value, str) else value


# Forms of the pages of Mechanical Turk and Ground Truth


def form_answers(
    forms: Iterable[Mapping[str, object]], place: str
) -> dict[str, Answer]:
    """Return the answers of the forms of a page, by question."""
    answers: dict[str, Answer] = {}
    for name, value in (pair for form in forms for pair in form.items()):
        if name in answers:
            raise DataError(
                f"{place}: the question {name!r} is answered twice; keep one answer"
            )
        answers[name] = _element(value)
    return answers


def _element(value: object) -> Answer:
    if isinstance(value, dict) and not set(value).isdisjoint(_REGIONS):
        labels = (each for key in _REGIONS for each in dig(value, f"{key}.*.label"))
        return Answer(tuple(_texts(labels)), "regions")
    if isinstance(value, dict) and isinstance(value.get("labels"), list):
        return Answer(tuple(_texts(value["labels"])), "boxes")
    if isinstance(value, dict) and "label" in value:
        return _element(value["label"])
    if isinstance(value, dict):
        return buttons(value)
    picked = tuple(_texts(value if isinstance(value, list) else [value]))
    return Answer(picked) if picked or isinstance(value, list) else SKIPPED


def buttons(states: Mapping[str, object]) -> Answer:
    """Return the names of the buttons that are on; one tick box answers yes or no."""
    state = {html.unescape(n): text(v) for n, v in states.items() if v is not None}
    if not state:
        return SKIPPED
    on = tuple(name for name, value in state.items() if str(value).casefold() == "true")
    if list(state) == ["on"]:
        return Answer(("yes",) if on else ("no",), shown=("yes", "no"))
    return Answer(on, shown=tuple(state))


def _texts(values: Iterable[object]) -> Iterator[str]:
    for value in values:
        label = html.unescape(text(value) or "").strip()
        if label:
            yield label
