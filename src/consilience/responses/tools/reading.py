"""From the works of an export to responses, in one way for all tools.

A question is chosen and a field for the item. Then each work is unrolled into answers:
one label for a choice, one for each object, or a yes or a no to each label on screen.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from msgspec import Struct, structs

from consilience.errors import DataError, KindError, OptionError, SourceError
from consilience.responses.assemble import assemble
from consilience.responses.columns.beside import gold_pairs, item_texts
from consilience.responses.columns.names import listing
from consilience.responses.draft import (
    NO,
    SKIPPED,
    YES,
    Account,
    Draft,
    Dropped,
    read_answers,
)
from consilience.responses.format_table import Reader, has_mark
from consilience.responses.options import Kind, ReadOptions
from consilience.responses.side_tables import checked_labels, label_list
from consilience.responses.sources.frames import Frame, Source
from consilience.responses.sources.json_file import are_records
from consilience.responses.spelling import spelling_key
from consilience.responses.table import Responses
from consilience.responses.text import Coded, natural_order, natural_texts, text_array
from consilience.responses.tools.choice import (
    Choice,
    Export,
    Question,
    choose,
    dropped,
    last,
    meant,
)
from consilience.responses.tools.records import Record, names
from consilience.responses.tools.tool import Layout, Tool, fields_at, plain
from consilience.responses.tools.work import (
    NONE,
    Answer,
    Fields,
    Labels,
    OnScreen,
    Work,
)

SAME_BOXES = (
    "The export does not say which labels were on screen: for question {!r} every "
    "label that anybody picked is taken as shown each time, and a label that was "
    "not picked is read as a no."
)

type Row = tuple[str | None, int, int, int]  # label, answer, object, whether main


def reader_of_tool(tool: Tool) -> Reader:
    """Return the reader of a tool's exports."""
    read = partial(_read, tool)
    return Reader(
        name=tool.name, what=tool.what, is_one=tool.is_one, read=read, questions=True
    )


def _read(tool: Tool, sources: Sequence[Source], options: ReadOptions) -> Responses:
    export = _export(tool, sources, options)
    choice = choose(export, options)
    return assemble(_draft(export, choice), choice.options)


def _export(tool: Tool, sources: Sequence[Source], options: ReadOptions) -> Export:
    if tool.files and any(isinstance(source, Frame) for source in sources):
        raise OptionError(f"format {tool.name!r} reads {tool.files}, not data frames")
    given = [each for source in sources for each in tool.load(source, options)]
    if not given:
        raise SourceError(
            f"{names(sources)}: there is no record; check that it is the right file"
        )
    records = tool.prepare(_marked(tool, given), options)
    works: list[Work] = []
    tasks: list[tuple[Fields, OnScreen | None]] = []
    for record in records:
        layout = tool.layout(record.value)
        fields, done = layout.read(record, options.statuses)
        screen = layout.screen(record.value, record.place)
        works += [structs.replace(w, screen=screen) for w in done] if screen else done
        tasks.append((fields, screen))
    if not all(screen for _, screen in tasks):  # nothing is known of what was shown
        works = [structs.replace(w, screen=None) if w.screen else w for w in works]
        tasks = [(fields, None) for fields, _ in tasks]
    layout = tool.layout(next(iter(records), given[0]).value)
    return Export(tool, layout, names(sources), records, tasks, works)


def _marked(tool: Tool, given: list[Record]) -> list[Record]:
    """Return the records that have a mark of the tool, or lists of those that have."""
    marks = tool.marks
    if isinstance(marks, bytes) or not marks:
        return given
    if any(has_mark(record.value, marks) for record in given):
        return given
    inside = [
        Record(value=part, place=f"{each.source}, record {number}", source=each.source)
        for each in given
        for parts in each.value.values()
        if are_records(parts) and any(has_mark(part, marks) for part in parts)
        for number, part in enumerate(parts, start=1)
    ]
    if not inside:
        raise DataError(
            f"{given[0].place}: not a record of {tool.what}; export it again, or name "
            "another format"
        )
    return inside


class _Pick(Struct, frozen=True, gc=False):
    """What one annotator picked for one item; None: skipped, or not known."""

    work: Work
    item: str | None
    picked: Labels | None
    main: str | None
    shown: Labels | None


def _picks(works: Iterable[Work], choice: Choice, layout: Layout) -> list[_Pick]:
    """Return what was picked, with all that may have been on screen."""
    picks = []
    kind, start, question = choice.options.kind, layout.first_number, choice.question
    nothing = Answer(None)  # the question was not asked
    for work in works:
        screen, answer = work.screen, work.answers.get(question.name, nothing)
        main = work.answers.get(choice.main or "", nothing).picked
        picked, shown = answer.picked, answer.shown
        if answer.strange:
            raise DataError(
                f"{work.place}: found {answer.strange} where a label was expected in "
                f"question {question.name!r}; rankings, texts and records are no "
                "labels: choose another question (`question=NAME`), or export again"
            )
        if screen is not None:
            picked, main = (screen.picked(each, kind, start) for each in (picked, main))
            shown = screen.choices(kind)
        item, first = choice.name(work.fields, screen), next(iter(main or ()), None)
        picks.append(_Pick(work, item, picked, first, shown or question.shown))
    return picks


def _draft(export: Export, choice: Choice) -> Draft:
    asked, question, kind = choice.asked, choice.question, choice.kind
    counted = [w for w in export.counted if question.name in w.answers or not w.answers]
    works = [work for work in counted if not work.is_truth]
    judged = [work for work in counted if work.truth or work.is_truth]
    picks = _picks(works, choice, export.layout)
    account = Account(
        unit=export.tool.unit,
        read=len(export.works),
        notes=[*_notes(export, choice, works)],
        dropped=[*dropped(export.works)],
        assumptions=[*export.tool.assumes(export.works)],
    )
    others = [w for w in export.counted if w.answers and question.name not in w.answers]
    others = [work for work in others if not work.is_truth]
    if others:
        reason = f"question {question.name!r} is not answered there, but another is"
        account.dropped.append(Dropped(reason, len(others), others[0].place))
    assumed = False
    if kind == "contains" and any(pick.shown is None for pick in picks):
        offered = label_list(choice.options)
        if offered is None:
            offered = _occurring(counted, question.name)
            assumed = True
            account.assumptions.append(SAME_BOXES.format(question.name))
        picks = [structs.replace(p, shown=p.shown or offered) for p in picks]
    key = spelling_key(choice.options)
    rows = [(k, *row) for k, pick in enumerate(picks) for row in _rows(pick, kind, key)]
    row, label, answer, number, is_main = zip(*rows, strict=True) if rows else [()] * 5
    of = np.array(row, np.int64)
    roles = {choice.item: "item", question.name: "answer" if choice.about else "label"}
    roles |= {choice.about: "label"} if choice.about else {}
    roles |= {choice.main: "main"} if choice.main else {}
    roles |= {plain(path): "annotator" for path in export.layout.annotator[:1]}
    account.columns.update(roles)
    account.unused.update(_unused(export, asked, roles))
    draft = Draft(
        account=account,
        kind=kind,
        item=Coded.of([pick.item for pick in picks]).take(of),
        annotator=Coded.of([work.annotator for work in works]).take(of),
        response_id=Coded.of([work.id for work in works]).take(of),
        label=Coded.of(label),
        answer=np.array(answer, np.int8) if kind == "contains" else None,
        worded=kind != "contains",
        object=np.array(number, np.int64) if kind == "objects" else None,
        main=np.array(is_main, np.int8) if choice.main else None,
        row=of,
        where=[work.place for work in works].__getitem__,
        extras=_extras(works, of),
        gold=_gold(_picks(judged, choice, export.layout), question.name, kind),
        more_items=[n for task in export.tasks if (n := choice.name(*task))],
        items=_items(works, picks, export, choice, account),
    )
    if choice.about is not None:
        # Labels are words for yes and no, and others what these are about.
        labels = Coded.of([work.fields.get(choice.about) for work in works])
        words = choice.options.answers
        return replace(
            draft,
            kind="contains",
            label=labels.take(of),
            answer=read_answers(draft.label, words, draft.where, draft.row, account),
            gold=None,
            worded=export.tool.worded,
        )
    screens = [
        structs.replace(screen, item=choice.name(fields, screen) or "")
        for fields, screen in export.tasks
        if screen is not None
    ]
    if assumed:
        return draft
    return _on_screens(draft, screens) if screens else _offered(draft, picks)


def _items(
    works: Sequence[Work],
    picks: Sequence[_Pick],
    export: Export,
    choice: Choice,
    account: Account,
) -> pd.DataFrame | None:
    """Return what the works show and say of each item."""
    fields = dict.fromkeys(name for work in works for name in work.fields)
    names = fields_at(export.layout.contents, fields)
    columns = {
        name: Coded.of([work.fields.get(name) for work in works])
        for name in names
        if name not in {choice.item, choice.about}
    }
    item = Coded.of([pick.item for pick in picks])
    table = item_texts(item, columns, account)
    for name in dict.fromkeys(name for work in works for name in work.about):
        cells = gold_pairs(item, Coded.of([work.about.get(name) for work in works]))
        if cells is not None and len(cells):
            column = cells.drop_duplicates("item").rename(columns={"label": last(name)})
            every = pd.DataFrame({"item": item.values.to_pandas()}, dtype="str")
            table = every if table is None else every.merge(table, "left", "item")
            table = table.merge(column, "left", "item")
    return table


def _rows(pick: _Pick, kind: Kind, key: Callable[[str], str]) -> Iterator[Row]:
    """Give the answers of a pick; labels are one whose spellings have one key."""
    picked, place = list(pick.picked or ()), pick.work.place
    if kind == "contains":
        ticked = {key(label): label for label in picked}
        strange = set(ticked) - set(map(key, pick.shown or ()))
        if strange:
            label = min(ticked[spelling] for spelling in strange)
            raise DataError(
                f"{place}: label {label!r} is not among the {len(pick.shown or ())} "
                "that were offered; fix the record or correct `offered=`"
            )
        for label in pick.shown or ():
            answer = YES if key(label) in ticked else NO
            answer = SKIPPED if pick.picked is None else answer
            yield ticked.get(key(label), label), answer, -1, -1
    elif kind == "objects":
        main = pick.main
        picked += [main] if main is not None and main not in picked else []
        for number, label in enumerate(picked):
            yield label, SKIPPED, number, -1 if main is None else int(label == main)
        if not picked:
            yield None, SKIPPED, -1, -1
    elif len(picked) > 1:
        raise KindError(
            f"{place}: {len(picked)} labels were picked ({listing(picked, 3)}) where "
            'one is a choice; ask for `kind="objects"` (one label per object) or '
            '`kind="contains"` with `offered=` (a label that was not picked is a no)'
        )
    else:
        yield next(iter(picked), None), SKIPPED, -1, -1


def _occurring(works: Sequence[Work], question: str) -> Labels:
    """Return every label that occurs, in order: those picked, and the truth's."""
    answers = [work.answers[question] for work in works if question in work.answers]
    labels = [label for answer in answers for label in answer.picked or ()]
    labels += [label for work in works for label in work.truth.get(question, ())]
    return tuple(natural_texts(list(dict.fromkeys(labels))))


def _offered(draft: Draft, picks: Sequence[_Pick]) -> Draft:
    """Say which labels were on screen, where all works say so."""
    shown = {pick.shown for pick in picks}
    if None in shown or not shown:
        return draft
    labels = dict.fromkeys(label for each in shown for label in each or ())
    frame = checked_labels(pd.DataFrame({"label": pd.Series([*labels], dtype="str")}))
    if len(shown) == 1 or draft.kind == "contains":  # each is asked about
        return replace(draft, labels=frame, offer="all" if len(shown) == 1 else None)
    pairs = {(pick.item, label) for pick in picks for label in pick.shown or ()}
    listed = pd.DataFrame(sorted(pairs), columns=["item", "label"], dtype="str")
    return replace(draft, labels=frame, offer="listed", offered=listed)


def _on_screens(draft: Draft, screens: Iterable[OnScreen]) -> Draft:
    """Say which labels were on screen, where all tasks say so themselves."""
    tasks = {(each.item, each.labels): each for each in screens}.values()
    pairs = [(task.item, x) for task in tasks for x in task.choices(draft.kind)]
    name = dict(pair for task in tasks for pair in task.named)
    labels = list(dict.fromkeys(label for _, label in pairs))
    order = [labels[place] for place in natural_order(text_array(labels))]
    order.sort(key=NONE.__eq__)  # the last one
    frame = pd.DataFrame(pairs, columns=["item", "label"], dtype="str")
    draft.account.notes.append("the labels on screen are those that each task lists")
    named = {"label": order, "name": [name[x] for x in order], "parent": None}
    return replace(
        draft,
        offer="listed",
        offered=frame.drop_duplicates(ignore_index=True),
        labels=pd.DataFrame(named).astype("str"),
        more_items=[*draft.more_items, *(task.item for task in tasks)],
    )


def _gold(picks: Sequence[_Pick], question: str, kind: Kind) -> pd.DataFrame | None:
    """Gold labels; where all labels on screen are known, a yes or no to each."""
    truth: dict[str, dict[str, None]] = {}
    shown: dict[str, Labels] = {}
    for pick in picks:
        labels = pick.work.truth.get(question, ())
        labels = pick.picked or () if pick.work.is_truth else labels
        if pick.item is not None and (labels or pick.work.is_truth):
            truth.setdefault(pick.item, {}).update(dict.fromkeys(labels))
            shown[pick.item] = pick.shown or ()
    rows = [
        (item, label, "yes" if label in labels else "no")
        for item, labels in truth.items()
        for label in ((shown[item] or labels) if kind == "contains" else labels)
    ]
    if not rows:
        return None
    frame = pd.DataFrame(rows, columns=["item", "label", "answer"], dtype="str")
    return frame if kind == "contains" else frame[["item", "label"]]


# The account of what was read


def _notes(export: Export, choice: Choice, works: Sequence[Work]) -> Iterator[str]:
    question, unit = choice.question, export.tool.unit
    yield f"labels are the answers to question {question.name!r}"
    others = [name for name in choice.asked if name not in {question.name, choice.main}]
    if others and question.name == meant(export, choice.asked):
        yield f"other questions, chosen by `question=`: {listing(others)}"
    yield from export.tool.notes(export.records, export.works)
    if question.regions:
        yield (
            f"in {question.number:,} {unit} the labels of {question.name!r} are of "
            "regions (boxes, polygons, spans): the labels were read, where the regions "
            "are was not"
        )
    nameless = sum(work.annotator is None for work in works)
    if 0 < nameless < len(works):
        yield f"{unit} that do not say whose they are: {nameless:,}"
    empty = sum(not work.answers for work in works)
    if empty:
        yield f"{unit} without any answer, read as skipped: {empty:,}"


def _unused(
    export: Export, asked: Mapping[str, Question], roles: Mapping[str, str]
) -> dict[str, str]:
    fields = sorted({n for work in export.works for n, c in work.fields.items() if c})
    others = {name: f"another question: {each}" for name, each in asked.items()}
    every = others | dict.fromkeys(fields, "")
    return {name: what for name, what in every.items() if name not in roles}


def _extras(works: Sequence[Work], rows: np.ndarray) -> dict[str, pd.Series]:
    columns = {
        "seconds": pd.Series([work.seconds for work in works], dtype="float64"),
        "created_at": pd.Series([work.created for work in works], dtype="str"),
    }
    return {
        name: column.iloc[rows].reset_index(drop=True)
        for name, column in columns.items()
        if column.notna().any()
    }
