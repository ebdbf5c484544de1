"""From an export to the frozen responses: a question, an item, answers of one kind."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from consilience.errors import MissingColumnError, NoResponsesError
from consilience.responses.assemble import assemble
from consilience.responses.columns.names import USUAL, listing, plain
from consilience.responses.columns.selections import (
    Selection,
    answers_about,
    unroll,
    with_offers,
)
from consilience.responses.draft import Draft
from consilience.responses.exports.work import (
    SKIPPED,
    Export,
    Question,
    Work,
    choose,
    questions,
)
from consilience.responses.options import Kind, ReadOptions
from consilience.responses.quality.cleaning import Dropped
from consilience.responses.quality.spelling import spelling_key
from consilience.responses.side_tables import checked_labels, for_question, label_list
from consilience.responses.sources.load import Source, fingerprints
from consilience.responses.table import Responses
from consilience.responses.tables.coding import encode_texts, natural_order, text_array

SAME_BOXES = (
    "The export does not say which labels were on screen: for question {!r} every "
    "label that anybody picked is taken as shown each time, and a label that was "
    "not picked is read as a no."
)
OF_REGIONS = (
    "the labels of {!r} are of regions (boxes, polygons, spans): the labels were read, "
    "where the regions are was not"
)
type Fields = Mapping[str, str | None]


def read_export(
    export: Export, sources: Sequence[Source], options: ReadOptions
) -> Responses:
    """Make responses of an export."""
    counted = [work for work in export.works if work.dropped is None]
    works = [work for work in counted if not work.is_truth]
    _check(export, works)
    main = options.columns.main
    asked = questions(counted)
    fields = {name for work in counted for name in work.fields}
    label = options.columns.label
    label = next((n for n in fields if label and label in (n, _last(n))), label)
    given = options.question or (None if label in fields else label)
    given = given or (export.main if export.main in asked else None)
    choices = {n: q for n, q in asked.items() if n != main or n == given}
    question = choose(choices, given, export.source, export.titles)
    about = label if label in fields else _about(works, export, question, options)
    known_items = [work.fields for work in counted]
    contents = [
        {name: value for name, value in each.items() if name != about}
        for each in known_items
    ]
    item = item_field(
        contents, export.ids, options.columns.item, export.source, export.last_ids
    )
    not_asked = [w for w in works if w.answers and question.name not in w.answers]
    works = [w for w in works if question.name in w.answers or not w.answers]
    kind = "choice" if about else options.kind or question.kind or "choice"
    offer = export.offers.get(question.name)
    named = for_question(options, question.name)
    picks = [
        _selection(work, item, number, question.name, main, offer)
        for number, work in enumerate(works)
    ]
    assumed = None
    if kind == "contains":
        offered = label_list(named) or offer
        if offered is None and any(pick.shown is None for pick in picks):
            assumed = offered = _occurring(picks, counted, question.name)
        picks = [_settled(pick, offered) for pick in picks]
    where = [work.place for work in works].__getitem__
    rows = unroll(picks, kind, None, where, spelling_key(options))
    draft = rows.draft(where, len(export.works))
    draft = replace(
        draft,
        main=rows.main if main in asked else None,
        gold=_gold(counted, item, question.name, picks, kind),
    )
    if export.screens:
        draft = with_offers(draft, export.screens)
    else:
        draft = _offered(draft, picks, offer)
    if about is not None:
        labels = encode_texts([work.fields.get(about) for work in works])
        draft = replace(draft, gold=None, labels=None, offer=None)
        draft = answers_about(draft, labels.take(rows.source), options.answers)
    roles = {item: "item", question.name: "answer" if about else "label"}
    roles |= {about: "label"} if about else {}
    roles |= {main: "main"} if main in asked else {}
    draft = replace(
        draft,
        unit=export.unit,
        dropped=(*_dropped(export.works), *_without(not_asked, question.name)),
        notes=(*_notes(export, works, question, asked), *draft.notes),
        columns=roles | dict(export.roles),
        unused={
            **{n: f"another question: {q}" for n, q in asked.items() if n not in roles},
            **{name: "" for name in sorted(fields) if name not in roles},
        },
        assumptions=(
            *export.assumptions,
            *((SAME_BOXES.format(question.name),) if assumed else ()),
            *draft.assumptions,
        ),
        extras=_extras(works, draft.row),
        more_items=_items([*known_items, *export.more_items], item),
        sources=fingerprints(sources),
    )
    return assemble(draft, named)


def _check(export: Export, works: Sequence[Work]) -> None:
    if not works:
        why = "; ".join(
            f"{part.count:,}: {part.reason}" for part in _dropped(export.works)
        )
        msg = (
            f"{export.source}: this export of {export.tool} holds no answer of an "
            f"annotator ({why or 'nobody has answered'}); check that it is the right "
            "file, and that the work is finished"
        )
        raise NoResponsesError(msg)
    if export.people and all(work.annotator is None for work in works):
        msg = f"{export.source}: no record says who answered; {export.people}"
        raise MissingColumnError(msg)


def _about(
    works: Sequence[Work], export: Export, question: Question, options: ReadOptions
) -> str | None:
    """Return the field with the label that yes and no are about, if there is one."""
    if options.kind in {"choice", "objects"} or not question.yes_or_no:
        return None
    fields = list(dict.fromkeys(name for work in works for name in work.fields))
    fields = [n for n in fields if n not in (*export.ids, *export.last_ids)]
    usual = [name for name in fields if plain(_last(name)) in USUAL["label"]]
    return usual[0] if len(usual) == 1 and len(fields) > 1 else None


def _last(name: str) -> str:
    return name.rpartition(":")[2]


def _selection(
    work: Work,
    item: str,
    number: int,
    question: str,
    main: str | None,
    offer: tuple[str, ...] | None,
) -> Selection:
    answer = work.answers.get(question, SKIPPED)
    marked = work.answers.get(main or "", SKIPPED).picked or ()
    return Selection(
        item=work.fields.get(item),
        annotator=work.annotator,
        response_id=work.id,
        picked=answer.picked,
        main=next(iter(marked), None),
        shown=answer.shown or offer,
        record=number,
    )


def boxes(
    picks: Sequence[Selection],
    options: ReadOptions,
    offered: tuple[str, ...] | None,
    question: str,
    *,
    regions: bool,
) -> tuple[Kind | None, tuple[str, ...] | None, tuple[str, ...]]:
    """Return the kind, what was on screen, and what is assumed of boxes to tick."""
    kind = options.kind
    several = any(len(pick.picked or ()) > 1 for pick in picks) and not regions
    if kind is None and several and options.columns.main is None:
        kind = "contains"
    if kind != "contains":
        return kind, None, ()
    if offered is not None:
        return kind, offered, ()
    return kind, _occurring(picks, (), question), (SAME_BOXES.format(question),)


def _settled(pick: Selection, offered: tuple[str, ...] | None) -> Selection:
    """Give a selection what was on screen, where its work does not say it."""
    return pick if pick.shown is not None else replace(pick, shown=offered)


def _occurring(
    picks: Sequence[Selection], works: Sequence[Work], question: str
) -> tuple[str, ...]:
    """Return every label that occurs, in order: those picked, and the truth's."""
    labels = [label for pick in picks for label in pick.picked or ()]
    labels += [label for work in works for label in work.truth.get(question, ())]
    values = text_array(dict.fromkeys(labels))
    return tuple(values.take(natural_order(values)).to_pylist())


def _offered(
    draft: Draft, picks: Sequence[Selection], offer: tuple[str, ...] | None
) -> Draft:
    """Say which labels were on screen, where all works say so."""
    shown = {pick.shown for pick in picks if pick.picked is not None or pick.shown}
    if draft.kind == "contains" or None in shown or not shown:
        return draft
    labels = dict.fromkeys(label for each in shown for label in each or ())
    strange = {x for pick in picks for x in pick.picked or ()} - set(labels)
    if strange and offer is not None:
        return draft  # the list has changed since
    frame = checked_labels(pd.DataFrame({"label": pd.Series([*labels], dtype="str")}))
    if len(shown) == 1:
        return replace(draft, labels=frame, offer="all")
    pairs = {(pick.item, label) for pick in picks for label in pick.shown or ()}
    listed = pd.DataFrame(sorted(pairs), columns=["item", "label"], dtype="str")
    return replace(draft, labels=frame, offer="listed", offered=listed)


def _gold(
    works: Sequence[Work],
    item: str,
    question: str,
    picks: Sequence[Selection],
    kind: Kind,
) -> pd.DataFrame | None:
    """Gold labels; where all labels on screen are known, a yes or no to each."""
    truth: dict[str, dict[str, None]] = {}
    for work in works:
        labels = work.truth.get(question, ())
        if work.is_truth:
            labels = work.answers.get(question, SKIPPED).picked or ()
        name = work.fields.get(item)
        if name is not None and (labels or work.is_truth):
            truth.setdefault(name, {}).update(dict.fromkeys(labels))
    shown: Mapping[str | None, tuple[str, ...] | None] = {
        p.item: p.shown for p in picks
    }
    rows = [
        (name, label, "yes" if label in labels else "no")
        for name, labels in truth.items()
        for label in ((shown.get(name) or labels) if kind == "contains" else labels)
    ]
    if not rows:
        return None
    frame = pd.DataFrame(rows, columns=["item", "label", "answer"], dtype="str")
    return frame if kind == "contains" else frame[["item", "label"]]


def _dropped(works: Sequence[Work]) -> Iterator[Dropped]:
    places: dict[str, list[str]] = {}
    for work in works:
        reason = work.dropped
        if reason is None and work.is_truth:
            reason = "marked as the truth: taken as gold, not as an answer"
        if reason is not None:
            places.setdefault(reason, []).append(work.place)
    for reason, where in places.items():
        yield Dropped(reason, len(where), where[0])


def _without(works: Sequence[Work], question: str) -> tuple[Dropped, ...]:
    """Works in which the question was not asked."""
    if not works:
        return ()
    reason = f"question {question!r} is not answered there, but another is"
    return (Dropped(reason, len(works), works[0].place),)


def _notes(
    export: Export,
    works: Sequence[Work],
    question: Question,
    asked: Mapping[str, Question],
) -> Iterator[str]:
    yield f"labels are the answers to question {question.name!r}"
    others = [name for name in asked if name != question.name]
    if others and question.name == export.main:
        yield f"other questions, chosen by `question=`: {listing(others)}"
    yield from export.notes
    if question.regions:
        yield OF_REGIONS.format(question.name)
    nameless = sum(work.annotator is None for work in works)
    if 0 < nameless < len(works):
        yield f"{export.unit} that do not say whose they are: {nameless:,}"
    empty = sum(not work.answers for work in works)
    if empty:
        yield f"{export.unit} without any answer, read as skipped: {empty:,}"


def _extras(works: Sequence[Work], rows: np.ndarray) -> dict[str, pd.Series]:
    extras = {}
    if any(work.seconds is not None for work in works):
        seconds = np.array([np.nan if w.seconds is None else w.seconds for w in works])
        extras["seconds"] = pd.Series(seconds[rows])
    if any(work.created is not None for work in works):
        created = pd.Series([work.created for work in works], dtype="str")
        extras["created_at"] = created.iloc[rows].reset_index(drop=True)
    return extras


def _items(fields: Sequence[Mapping[str, str | None]], item: str) -> list[str]:
    names = dict.fromkeys(each.get(item) for each in fields)
    return [name for name in names if name]


def item_field(
    fields: Sequence[Fields],
    ids: Sequence[str],
    given: str | None,
    source: str,
    last_ids: Sequence[str] = (),
) -> str:
    """Return the field that names the item.

    An id goes first, if its values come back. Of the contents it is a field that tells
    all items apart, of a usual name if there is one.
    """
    every = list(dict.fromkeys(name for each in fields for name in each))
    if given is not None:
        short = {name.rpartition(".")[2].rpartition(":")[2]: name for name in every}
        if given in every or given in short:
            return given if given in every else short[given]
        msg = (
            f"{source}: there is no field {given!r} for the item; found "
            f"{listing(every)}; name one of these (`item=NAME`)"
        )
        raise MissingColumnError(msg)
    filled = [name for name in every if all(each.get(name) for each in fields)]
    contents = [name for name in filled if name not in (*ids, *last_ids)]
    best = _best(fields, contents)
    usable = [name for name in (*ids, best, *last_ids) if name in filled]
    if usable:
        # A value that never comes back names a work, where another field's do.
        again = [name for name in usable if _comes_back(fields, str(name))]
        return str((again or usable)[0])
    msg = (
        f"{source}: it does not show which field names the item; found "
        f"{listing(every)}; name it (`item=NAME`)"
    )
    raise MissingColumnError(msg)


def _comes_back(fields: Sequence[Fields], name: str) -> bool:
    return len({each[name] for each in fields}) < len(fields)


def _best(fields: Sequence[Fields], contents: list[str]) -> str | None:
    """Return the field of the contents that tells all of them apart."""
    whole = len({tuple(each[name] for name in contents) for each in fields})
    apart = [n for n in contents if len({each[n] for each in fields}) == whole]
    ranks = {name: i for i, name in enumerate(USUAL["item"])}
    apart.sort(key=lambda n: ranks.get(plain(_last_part(n)), len(ranks)))
    return next(iter(apart), None)


def _last_part(name: str) -> str:
    return name.rpartition(":")[2].rpartition(".")[2]
