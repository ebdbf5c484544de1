"""Label Studio's JSON export: a list of tasks, each with its annotations.

A skipped annotation (`was_cancelled`) is a skipped question, one marked `ground_truth`
is gold and not an answer, predictions are not answers. Boxes that were not ticked
appear nowhere: the labelling configuration (`offered`) says which were on screen, or
the tasks do, whose data hold the choices (`options`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from consilience.errors import MissingColumnError, OptionError, UnreadableFileError
from consilience.responses.assemble import assemble
from consilience.responses.columns.names import listing
from consilience.responses.columns.selections import (
    OnScreen,
    Selection,
    answers_about,
    unroll,
    with_offers,
)
from consilience.responses.draft import Draft, Reader
from consilience.responses.exports.assembling import boxes
from consilience.responses.exports.work import Answer, choose, question_of
from consilience.responses.label_studio import (
    OF_REGIONS,
    Annotation,
    annotations,
    item_field,
)
from consilience.responses.options import Kind, ReadOptions
from consilience.responses.quality.cleaning import Dropped
from consilience.responses.quality.spelling import spelling_key
from consilience.responses.side_tables import for_question, label_list
from consilience.responses.sources.arrow_columns import cell_text
from consilience.responses.sources.json_file import read_json
from consilience.responses.sources.load import Probe, Source, fingerprints
from consilience.responses.table import KINDS, Responses
from consilience.responses.tables.coding import encode_texts

LABELS, MAIN = "labels", "main"  # questions of the tasks that this program writes


def read_label_studio(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read JSON exports."""
    works: list[Annotation] = []
    places: list[str] = []
    tasks: list[str | None] = []
    fields: dict[str, str] = {}
    shown: list[OnScreen] = []
    for path in sources:
        for number, task in enumerate(_tasks(path), start=1):
            batch = annotations(task, str(path))
            works += batch
            places += [f"{path}, task {w.task}, annotation {w.number}" for w in batch]
            data = task.get("data") or {}
            field = item_field(data, options.columns.item, str(path))
            place = f"{path}, task {task.get('id') or f'number {number}'}"
            item = _item(field, data, cell_text(task.get("id")) or "", place)
            tasks.append(item)
            options_shown = _on_screen(data, item)
            shown += [] if options_shown is None else [options_shown]
            fields |= {f"data.{name}": "" for name in data if name != field}
            fields["id" if field is None else f"data.{field}"] = "item"
    answers = [i for i, work in enumerate(works) if not work.truth]
    options = _as_asked(works, shown, options)
    draft = _draft(works, answers, places, options)
    roles = {name: role for name, role in fields.items() if role}
    roles |= (
        {f"data.{label_field}": "label"}
        if (label_field := _label_field(works, options))
        else {}
    )
    roles |= draft.columns
    unused = {**dict.fromkeys(fields, ""), **draft.unused}
    draft = replace(
        draft,
        more_items=[item for item in tasks if item],
        columns=roles,
        unused={name: what for name, what in unused.items() if name not in roles},
        sources=fingerprints(sources),
    )
    if len(shown) == len(tasks) and _label_field(works, options) is None:
        draft = with_offers(draft, shown)
    named = for_question(options, _question(works, options))
    return assemble(draft, named)


def _draft(
    works: list[Annotation], answers: list[int], places: list[str], options: ReadOptions
) -> Draft:
    label_field = _label_field(works, options)
    items = [
        _item(
            item_field(w.data, options.columns.item, places[i]),
            w.data,
            w.task,
            places[i],
        )
        for i, w in enumerate(works)
    ]
    question = _question(works, options)
    main = options.columns.main
    picks = [_selection(works[i], items[i], i, question, options) for i in answers]
    kind: Kind | None = "choice" if label_field else options.kind
    offered: tuple[str, ...] | None = None
    several: tuple[str, ...] = ()
    on_screen = all(pick.shown is not None for pick in picks)
    regions = any(question in works[i].regions for i in answers)
    if label_field is None and not on_screen:
        listed = label_list(for_question(options, question))
        kind, offered, several = boxes(
            picks, options, listed, question, regions=regions
        )
    where = places.__getitem__
    rows = unroll(picks, kind, offered, where, spelling_key(options))
    truth = [i for i, work in enumerate(works) if work.truth]
    draft = replace(
        rows.draft(where, len(works)),
        main=rows.main if main else None,
        unit="annotations",
        dropped=_dropped(truth, places),
        notes=(
            f"labels are the answers to question {question!r}",
            *_regions([works[i] for i in answers], question),
        ),
        columns={
            "completed_by": "annotator",
            question: "label" if label_field is None else "answer",
            **({} if main is None else {main: "main"}),
        },
        unused={
            name: "another question"
            for work in works
            for name in work.picked
            if name not in {question, main}
        },
        assumptions=several,
        extras=_extras(works, rows.row),
        gold=_gold(
            [(items[i], works[i].picked.get(question, ())) for i in truth],
            offered if rows.kind == "contains" else None,
        ),
    )
    if label_field is None:
        return draft
    labels = encode_texts([_text(works[i].data.get(label_field)) for i in answers])
    draft = replace(draft, gold=None)
    return answers_about(draft, labels.take(rows.source), options.answers)


def _selection(
    work: Annotation,
    item: str | None,
    record: int,
    question: str,
    options: ReadOptions,
) -> Selection:
    main, kind = options.columns.main, options.kind
    picked = None if work.cancelled else work.picked.get(question)
    first = work.picked.get(main or "", ())
    shown = _on_screen(work.data, item)
    if shown is not None:
        picked, first = shown.picked(picked, kind), shown.picked(first, kind) or ()
    return Selection(
        item=item,
        annotator=work.annotator,
        response_id=work.number,
        picked=picked,
        main=next(iter(first), None),
        shown=None if shown is None else shown.choices(kind),
        record=record,
    )


def _on_screen(data: Mapping[str, Any], item: str | None) -> OnScreen | None:
    """Return the choices that stand in a task's data, if they do."""
    choices = data.get("options")
    if item is None or not isinstance(choices, list) or not choices:
        return None
    names = [_text(each.get("value")) for each in choices if isinstance(each, dict)]
    labels = [
        _text(each.get("alias")) or name
        for each, name in zip(choices, names, strict=False)
    ]
    if len(names) < len(choices) or not all(labels):
        return None
    kind = data.get("kind")
    return OnScreen(
        item=item,
        kind=kind if kind in KINDS else None,
        labels=tuple(map(str, labels)),
        names=tuple(
            str(name or label) for name, label in zip(names, labels, strict=True)
        ),
    )


def _as_asked(
    works: list[Annotation], shown: list[OnScreen], options: ReadOptions
) -> ReadOptions:
    """Fill in what the tasks say of their questions and the caller does not."""
    kinds = {each.kind for each in shown}
    named = options.question or options.columns.label or options.columns.answer
    if len(kinds) != 1 or named:
        return options
    kind = options.kind or kinds.pop()
    asked = {name for work in works for name in work.picked}
    names = {"label": LABELS, "main": MAIN if kind == "objects" else None}
    names = {role: name for role, name in names.items() if name in asked}
    columns = replace(options.columns, **{"main": options.columns.main, **names})
    return replace(options, kind=kind, columns=columns)


def _tasks(path: Source) -> list[dict[str, Any]]:
    if not isinstance(path, Path):
        msg = "format 'label_studio' reads JSON files, not data frames"
        raise OptionError(msg)
    tasks = read_json(path)
    if not isinstance(tasks, list) or not all(isinstance(t, dict) for t in tasks):
        msg = f"{path}: expected a list of tasks; export the project as JSON"
        raise UnreadableFileError(msg)
    return tasks


def _item(
    field: str | None, data: Mapping[str, Any], task: str, place: str
) -> str | None:
    """Item of a task: a field of its data, or its id."""
    if field is not None:
        return cell_text(data[field])
    if not task:
        msg = (
            f"{place}: the task has no id, and no field of its data looks like the "
            f"item; found {listing(list(data))}; name the field (`item=NAME`)"
        )
        raise MissingColumnError(msg)
    return task


def _text(value: object) -> str | None:
    """Text of a field; lists and objects stay JSON, and are refused as labels."""
    if isinstance(value, (dict, list)):
        return msgspec.json.encode(value).decode()
    return cell_text(value)


def _regions(works: list[Annotation], question: str) -> tuple[str, ...]:
    """Remark that labels are of regions, whose places are not read."""
    number = sum(question in work.regions for work in works)
    if not number:
        return ()
    return (f"in {number:,} annotations {OF_REGIONS.format(question)}",)


def _label_field(works: list[Annotation], options: ReadOptions) -> str | None:
    """Field of the data that holds the label which a yes/no question is about."""
    label = options.columns.label
    return label if any(label in work.data for work in works) else None


def _question(works: list[Annotation], options: ReadOptions) -> str:
    given: dict[str, list[Answer]] = {}
    for work in works:
        for name, picked in work.picked.items():
            answer = Answer(picked=picked, regions=name in work.regions)
            given.setdefault(name, []).append(answer)
    asked = {name: question_of(name, answers) for name, answers in given.items()}
    columns = options.columns
    is_contains = _label_field(works, options) is not None
    named = options.question or (columns.answer if is_contains else columns.label)
    if named is None:
        asked.pop(columns.main or "", None)
    return choose(asked, named, "the export").name


def _dropped(truth: list[int], places: list[str]) -> tuple[Dropped, ...]:
    if not truth:
        return ()
    reason = "marked as ground truth: taken as gold, not as an answer"
    return (Dropped(reason, len(truth), places[truth[0]]),)


def _extras(works: list[Annotation], rows: np.ndarray) -> dict[str, pd.Series]:
    seconds = np.array([np.nan if w.seconds is None else w.seconds for w in works])
    created = pd.Series([w.created for w in works], dtype="str")
    return {
        "seconds": pd.Series(seconds[rows]),
        "created_at": created.iloc[rows].reset_index(drop=True),
    }


def _gold(
    answers: list[tuple[str | None, tuple[str, ...]]], offered: tuple[str, ...] | None
) -> pd.DataFrame | None:
    """Gold labels; where all offered labels are known, a yes or no to each."""
    rows = [
        (item, label, "yes" if label in labels else "no")
        for item, labels in answers
        for label in offered or labels
    ]
    if not rows:
        return None
    frame = pd.DataFrame(rows, columns=["item", "label", "answer"], dtype="str")
    frame = frame if offered else frame[["item", "label"]]
    return frame.drop_duplicates(ignore_index=True)


def _sniff(probe: Probe) -> int:
    keys = set(probe.names)
    return 3 * bool("data" in keys and keys & {"annotations", "completions"})


READER = Reader(
    name="label_studio",
    what="Label Studio JSON (tasks with annotations)",
    sniff=_sniff,
    read=read_label_studio,
    questions=True,
)
