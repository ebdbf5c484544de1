"""What is read of an export: a question, a field for the item, and the kind."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from consilience.errors import ColumnError, SourceError
from consilience.responses.columns.looks import is_free_text
from consilience.responses.columns.names import (
    USUAL,
    choose_question,
    is_comment,
    listing,
    plain,
)
from consilience.responses.draft import Dropped, is_yes_or_no
from consilience.responses.options import Kind, ReadOptions
from consilience.responses.side_tables import for_question
from consilience.responses.tools.records import Record
from consilience.responses.tools.tool import Layout, Tool, fields_at
from consilience.responses.tools.work import Answer, Fields, Labels, OnScreen, Work


@dataclass(frozen=True, slots=True, eq=False)
class Export:
    """An export as read, before a question is chosen."""

    tool: Tool
    layout: Layout
    source: str
    records: Sequence[Record]
    tasks: Sequence[tuple[Fields, OnScreen | None]]
    works: Sequence[Work]  # also those that do not count

    @property
    def counted(self) -> list[Work]:
        """The works that count, those that are themselves the truth among them."""
        return [work for work in self.works if work.dropped is None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question of an export, by what the tool calls it."""

    name: str
    title: str  # the question in words
    kind: Kind | None  # of its answers; None: they are no labels
    number: int  # of answers
    regions: bool  # its labels are of regions
    yes_or_no: bool  # its labels are words for yes and no
    shown: Labels | None  # labels on screen, where all answers have the same

    def __str__(self) -> str:
        """Return what it is, in short."""
        title = f"{self.title}: " if self.title else ""
        what = self.kind or "no labels"
        return f"{title}{what}, {self.number:,} answer{'s' * (self.number != 1)}"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Choice:
    """What is read of an export."""

    asked: Mapping[str, Question]
    question: Question
    item: str  # field of the item
    about: str | None  # field of the label that yes and no are about, if they are
    main: str | None  # question for the main object, if there is one
    options: ReadOptions  # as the caller gave them, and as the tasks say themselves

    @property
    def kind(self) -> Kind:
        """Kind of the answers before they are taken for words of yes and no."""
        if self.about is not None:
            return "choice"
        return self.options.kind or self.question.kind or "choice"

    def name(self, fields: Fields, screen: OnScreen | None) -> str | None:
        """Return the item of a task."""
        if screen and screen.item and self.options.columns.item is None:
            return screen.item
        return fields.get(self.item)


def choose(export: Export, options: ReadOptions) -> Choice:
    """Choose what is read: as the caller says, or as there is one way."""
    counted, source = export.counted, export.source
    works = [work for work in counted if not work.is_truth]
    if not works:
        why = "; ".join(f"{d.count:,}: {d.reason}" for d in dropped(export.works))
        raise SourceError(
            f"{source}: this export holds no answer of an annotator "
            f"({why or 'nobody has answered'}); check that it is the right file, and "
            "that the work is finished"
        )
    if export.tool.people and all(work.annotator is None for work in works):
        raise ColumnError(
            f"{source}: no record says who answered; {export.tool.people}"
        )
    answers: dict[str, list[Answer]] = {}
    for name, answer in (pair for work in counted for pair in work.answers.items()):
        answers.setdefault(name, []).append(answer)
    asked = {name: _question(name, each) for name, each in answers.items()}
    options = _as_written(export, asked, options)
    columns, main = options.columns, options.columns.main
    fields = dict.fromkeys(name for work in counted for name in work.fields)
    about = next((f for f in fields if columns.label in (f, last(f))), None)
    given = options.question or (columns.answer if about else columns.label)
    given = next((n for n in asked if given in (n, n.partition(".")[2])), given)
    given = given or meant(export, asked)
    free = [name for name in asked if name != main or name == given]
    # Free text beside a question with labels is a comment.
    labels = [n for n in free if asked[n].kind is not None and not is_comment(n)]
    free = labels if given is None and labels else free
    question = asked[choose_question({n: str(asked[n]) for n in free}, given, source)]
    ids = fields_at(export.layout.ids, fields)
    last_ids = fields_at(export.layout.last_ids, fields)
    if about is None and question.yes_or_no and options.kind in {None, "contains"}:
        contents = [name for name in fields if name not in {*ids, *last_ids}]
        usual = [name for name in contents if plain(last(name)) in USUAL["label"]]
        about = usual[0] if len(usual) == 1 < len(contents) else None
    telling = [work.fields for work in counted]
    if about is not None:
        telling = [{n: cell for n, cell in f.items() if n != about} for f in telling]
    return Choice(
        asked=asked,
        question=question,
        item=_item_field(telling, ids, last_ids, columns.item, source),
        about=about,
        main=main if main in asked else None,
        options=for_question(options, question.name),
    )


def _question(name: str, answers: Sequence[Answer]) -> Question:
    """Return what a question is, by its answers."""
    given = [answer for answer in answers if answer.picked is not None]
    forms = {answer.form for answer in given}
    picked = Counter(label for answer in given for label in answer.picked or ())
    shown = {a.shown for a in answers if a.picked is not None or a.shown is not None}
    objects = bool(forms & {"objects", "regions"})
    many = any(len(answer.picked or ()) > 1 for answer in given)
    kind: Kind | None = "choice"
    if "text" in forms or (not objects and shown <= {None} and is_free_text(picked)):
        kind = None
    elif objects and (many or "regions" in forms):
        kind = "objects"
    elif many or "boxes" in forms:
        kind = "contains"
    return Question(
        name=name,
        title=next((answer.title for answer in answers if answer.title), ""),
        kind=kind,
        number=len(given),
        regions="regions" in forms,
        yes_or_no=bool(picked) and is_yes_or_no(picked),
        shown=shown.pop() if len(shown) == 1 else None,
    )


def _item_field(
    fields: Sequence[Fields],
    ids: Sequence[str],
    last_ids: Sequence[str],
    given: str | None,
    source: str,
) -> str:
    """Return the field that names the item: an id that comes back, or a unique one."""
    every = list(dict.fromkeys(name for each in fields for name in each))
    if given is not None:
        matches = [name for name in every if given in (name, last(name))]
        if matches:
            return given if given in every else matches[0]
        raise ColumnError(
            f"{source}: there is no field {given!r} for the item; found "
            f"{listing(every)}; name one of these (`item=NAME`)"
        )
    filled = [name for name in every if all(each.get(name) for each in fields)]
    number = {name: len({each[name] for each in fields}) for name in filled}
    contents = [name for name in filled if name not in {*ids, *last_ids}]
    whole = len({tuple(each[name] for name in contents) for each in fields})
    apart = [name for name in contents if number[name] == whole]
    usual = [name for name in apart if plain(last(name)) in USUAL["item"]]
    best = sorted(usual, key=lambda name: USUAL["item"].index(plain(last(name))))[:1]
    best = best or (apart if len(apart) == 1 else [])
    usable = [name for name in (*ids, *best) if name in filled]
    # A value that never comes back names a work, where another field's do.
    again = [name for name in usable if number[name] < len(fields)]
    usable += [name for name in last_ids if name in filled]
    if usable:
        return (again or usable)[0]
    raise ColumnError(
        f"{source}: it does not show which field names the item; found "
        f"{listing(every)}; name it (`item=NAME`)"
    )


def last(name: str) -> str:
    """Return the last part of a field's name."""
    return name.rpartition(":")[2].rpartition(".")[2]


def _as_written(
    export: Export, asked: Mapping[str, Question], options: ReadOptions
) -> ReadOptions:
    """Fill in what tasks that this program wrote say and the caller does not."""
    kinds = {None if screen is None else screen.kind for _, screen in export.tasks}
    columns = options.columns
    if len(kinds) > 1 or None in kinds or options.question or columns.label:
        return options
    kind = options.kind or kinds.pop()
    label, main, *_ = [*sorted(asked), None, None]
    main = columns.main or (main if kind == "objects" else None)
    return replace(options, kind=kind, columns=replace(columns, label=label, main=main))


def meant(export: Export, asked: Mapping[str, Question]) -> str | None:
    """Return the question that is meant: the tool's main one, or that with a truth."""
    judged = {name for work in export.works for name in work.truth}
    if export.tool.main in asked:
        return export.tool.main
    return judged.pop() if len(judged) == 1 and judged <= set(asked) else None


def dropped(works: Sequence[Work]) -> Iterator[Dropped]:
    """Account for the works that are no answers."""
    places: dict[str, list[str]] = {}
    for work in works:
        truth = "marked as the truth: taken as gold, not as an answer"
        reason = work.dropped or (truth if work.is_truth else None)
        if reason is not None:
            places.setdefault(reason, []).append(work.place)
    for reason, where in places.items():
        yield Dropped(reason, len(where), where[0])
