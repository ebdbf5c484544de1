"""Classifications of a Zooniverse project (the data export of that name).

A row is what one person said of one subject; `annotations` and `subject_data` hold
JSON. A question task gives one label or several, a survey task one for each choice that
was identified. People who are not logged in have a name made of their address. Subjects
that this program wrote list their labels by number, in hidden metadata as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from consilience.errors import BadCellError, MissingColumnError, OptionError
from consilience.responses.assemble import assemble
from consilience.responses.columns.long_table import column_looks
from consilience.responses.columns.names import choose_question, listing
from consilience.responses.columns.on_screen import (
    NONE,
    OnScreen,
    read_on_screen,
    with_offers,
)
from consilience.responses.columns.selections import Selection, unroll
from consilience.responses.draft import Draft
from consilience.responses.options import ReadOptions
from consilience.responses.quality.cleaning import Dropped
from consilience.responses.quality.spelling import spelling_key
from consilience.responses.reader import Reader
from consilience.responses.side_tables import label_list
from consilience.responses.sources.arrow_columns import cell_text
from consilience.responses.sources.json_file import decode_json
from consilience.responses.sources.load import Source, fingerprints, load_tables
from consilience.responses.sources.probe import Probe
from consilience.responses.table import Responses
from consilience.responses.tables.text_table import TextTable

TASK = "#task"  # metadata of subjects that this program wrote
NEEDED = ("annotations", "subject_data", "workflow_id")
ANONYMOUS = "not-logged-in-"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Classification:
    """What one person said of one subject.

    Attributes
    ----------
    subject, metadata
        The subject's id, and what was uploaded with it.
    picked
        Labels by task; None: not answered.
    survey
        Whether a task is a survey.
    shown
        Labels on the subject's list.
    seconds
        From the first look to the answer.
    """

    subject: str
    metadata: Mapping[str, Any]
    picked: Mapping[str, tuple[str, ...] | None]
    survey: bool
    shown: OnScreen | None
    seconds: float


def read_zooniverse(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read classification exports of one workflow.

    Parameters
    ----------
    sources
        CSV files, taken as one table.
    options
        `columns.item`: a field of the subjects' metadata (by default the subject's id).
        `columns.label` and `columns.main`: tasks, such as ``T0``.

    Raises
    ------
    MissingColumnError
        A column is missing, or it cannot be seen which task is meant.
    OptionError
        There are several workflows.
    BadCellError
        A cell is not as it is exported.
    """
    table = load_tables(sources, options)
    _check(table)
    works = [_classification(table, row) for row in range(table.num_rows)]
    if any(work.shown is None for work in works):
        works = [replace(work, shown=None) for work in works]
    options = _as_asked(works, options)
    tasks = list(dict.fromkeys(name for work in works for name in work.picked))
    columns = options.columns
    if columns.label is None and columns.main in tasks:
        tasks.remove(columns.main)
    question = choose_question(tasks, columns.label, table.source, "label")
    people = table.columns.get("user_name")
    lost = 0
    picks = []
    for row, work in enumerate(works):
        picked, main = (
            _labels(work, name, options) for name in (question, columns.main)
        )
        lost += picked is None and bool(work.picked.get(question))
        ids = table.columns.get("classification_id")
        picks.append(
            Selection(
                item=_item(work, columns.item, table.where(row)),
                annotator=None if people is None else people.text(row),
                response_id=None if ids is None else ids.text(row),
                picked=picked,
                main=next(iter(main or ()), None),
                shown=None if work.shown is None else work.shown.choices(options.kind),
                record=row,
            )
        )
    gold = table.columns.get("gold_standard")
    truth = [
        gold is not None and (gold.text(row) or "").casefold() == "true"
        for row in range(table.num_rows)
    ]
    draft = _draft(table, picks, truth, options)
    shown = [work.shown for work in works if work.shown is not None]
    if shown:
        draft = with_offers(draft, shown)
    roles = {"user_name": "annotator", "subject_data": "item", "annotations": "label"}
    roles |= {"classification_id": "response_id", "metadata": "seconds"}
    roles |= {"created_at": "carried along", "gold_standard": "which are gold"}
    roles = {name: role for name, role in roles.items() if name in table.columns}
    return assemble(
        replace(
            draft,
            unit="classifications",
            notes=(
                f"labels are the answers to task {question!r}",
                *_notes(table, works, lost),
                *draft.notes,
                *table.notes,
            ),
            columns=roles,
            unused=column_looks(table, [n for n in table.names if n not in roles]),
            extras=_extras(table, works, draft.row),
            sources=fingerprints(sources),
        ),
        options,
    )


def _check(table: TextTable) -> None:
    lacking = [name for name in NEEDED if name not in table.columns]
    if lacking:
        msg = (
            f"{table.source}: there is no column {lacking[0]!r}; found "
            f"{listing(table.names)}; request the classification export again"
        )
        raise MissingColumnError(msg)
    workflows = table.columns["workflow_id"]
    names = sorted({workflows.text(row) or "" for row in range(table.num_rows)})
    if len(names) > 1:
        msg = (
            f"{table.source}: holds {len(names)} workflows ({listing(names)}), which "
            "ask different questions; export the classifications of one workflow"
        )
        raise OptionError(msg)


def _classification(table: TextTable, row: int) -> _Classification:
    place = table.where(row)
    cells = {
        name: _json(table, name, row)
        for name in ("annotations", "subject_data", "metadata")
    }
    parts, subjects = cells["annotations"], cells["subject_data"]
    parts = [] if parts is None else parts
    if not isinstance(parts, list) or not isinstance(subjects, dict) or not subjects:
        msg = (
            f"{place}: annotations is no JSON list, or subject_data names no subject; "
            "request the classification export again"
        )
        raise BadCellError(msg)
    subject, metadata = next(iter(subjects.items()))
    metadata = metadata if isinstance(metadata, dict) else {}
    record = metadata.get(TASK)
    about = cells["metadata"] if isinstance(cells["metadata"], dict) else {}
    answers = list(_answers(parts))
    return _Classification(
        subject=subject,
        metadata=metadata,
        picked={task: labels for task, labels, _ in answers},
        survey=any(survey for *_, survey in answers),
        shown=read_on_screen(record, place) if isinstance(record, str) else None,
        seconds=_seconds(about.get("started_at"), about.get("finished_at")),
    )


def _json(table: TextTable, name: str, row: int) -> object:
    text = table.columns[name].text(row) if name in table.columns else None
    return None if text is None else decode_json(text, f"{table.where(row)}: {name}")


def _answers(parts: object) -> Iterator[tuple[str, tuple[str, ...] | None, bool]]:
    """Give task, labels and whether it is a survey, for each task with labels."""
    for part in parts if isinstance(parts, list) else []:
        if not isinstance(part, dict) or not isinstance(part.get("task"), str):
            continue
        value = part.get("value")
        values = value if isinstance(value, list) else [value]
        records = [each for each in values if isinstance(each, dict)]
        choices = [each["choice"] for each in records if "choice" in each]
        if any("task" in each for each in records):  # several tasks on one page
            yield from _answers(records)
        elif choices:
            yield part["task"], tuple(dict.fromkeys(map(str, choices))), True
        elif value is None or value == "":
            yield part["task"], None, False
        elif not records and not any(isinstance(each, list) for each in values):
            yield part["task"], tuple(cell_text(each) or "" for each in values), False


def _as_asked(works: list[_Classification], options: ReadOptions) -> ReadOptions:
    """Fill in what subjects say of their questions and the caller does not."""
    kinds = {None if work.shown is None else work.shown.kind for work in works}
    kind = options.kind or (kinds.pop() if len(kinds) == 1 else None)
    if kind is None and any(
        work.survey and len(labels or ()) > 1
        for work in works
        for labels in work.picked.values()
    ):
        kind = "objects"
    columns = options.columns
    if all(work.shown is not None for work in works) and columns.label is None:
        tasks = sorted({name for work in works for name in work.picked})
        main = tasks[1] if kind == "objects" and len(tasks) > 1 else None
        columns = replace(
            columns, label=next(iter(tasks), None), main=columns.main or main
        )
    return replace(options, kind=kind, columns=columns)


def _labels(
    work: _Classification, task: str | None, options: ReadOptions
) -> tuple[str, ...] | None:
    """Return the labels that answer a task; None: none, or one not on the list."""
    given = work.picked.get(task or "")
    if given is None or work.shown is None:
        return given
    last = len(work.shown.labels) - 1
    numbers = [
        last if text == NONE else int(text) - 1 if text.isdecimal() else -1
        for text in given
    ]
    return work.shown.picked(work.shown.at(numbers), options.kind)


def _item(work: _Classification, field: str | None, place: str) -> str | None:
    if field is None:
        return work.subject if work.shown is None else work.shown.item
    if field not in work.metadata:
        msg = (
            f"{place}: the subject's metadata have no field {field!r}; found "
            f"{listing(list(work.metadata))}; name one of these"
        )
        raise MissingColumnError(msg)
    return cell_text(work.metadata[field])


def _draft(
    table: TextTable, picks: list[Selection], truth: list[bool], options: ReadOptions
) -> Draft:
    kept = [pick for pick, true in zip(picks, truth, strict=True) if not true]
    offered = None
    if options.kind == "contains" and any(pick.shown is None for pick in picks):
        offered = label_list(options)
    rows = unroll(kept, options.kind, offered, table.where, spelling_key(options))
    draft = rows.draft(table.where, table.num_rows)
    marked = options.columns.main is not None
    draft = replace(draft, main=rows.main if marked else None)
    if not any(truth):
        return draft
    golden = [pick for pick, true in zip(picks, truth, strict=True) if true]
    pairs = [
        (pick.item, label, "yes" if label in (pick.picked or ()) else "no")
        for pick in golden
        for label in (
            (pick.shown or offered or ())
            if rows.kind == "contains"
            else (pick.picked or ())
        )
    ]
    gold = pd.DataFrame(pairs, columns=["item", "label", "answer"], dtype="str")
    gold = gold if rows.kind == "contains" else gold[["item", "label"]]
    reason = "made in gold standard mode: taken as gold, not as an answer"
    return replace(
        draft,
        gold=gold.drop_duplicates(ignore_index=True) if len(gold) else None,
        dropped=(Dropped(reason, len(golden), table.where(golden[0].record)),),
    )


def _notes(table: TextTable, works: list[_Classification], lost: int) -> Iterator[str]:
    people = table.columns.get("user_name")
    unnamed = 0
    if people is not None:
        names = [people.text(row) or "" for row in range(table.num_rows)]
        unnamed = sum(name.startswith(ANONYMOUS) for name in names)
    if unnamed:
        yield (
            f"classifications by people who were not logged in: {unnamed:,}; people "
            "behind one address are one annotator"
        )
    retired = len({work.subject for work in works if work.metadata.get("retired")})
    if retired:
        yield f"subjects that are retired: {retired:,}; their answers count"
    if lost:
        yield (
            "answers with a number that is not on the subject's list, read as "
            f"skipped: {lost:,}"
        )


def _extras(
    table: TextTable, works: list[_Classification], rows: np.ndarray
) -> dict[str, pd.Series]:
    seconds = np.array([work.seconds for work in works])
    extras = {"seconds": pd.Series(seconds[rows])}
    if "created_at" in table.columns:
        extras["created_at"] = table.columns["created_at"].take(rows).series()
    return extras


def _seconds(start: object, end: object) -> float:
    try:
        times = [datetime.fromisoformat(str(time)) for time in (start, end)]
        return (times[1] - times[0]).total_seconds()
    except (ValueError, TypeError):
        return float("nan")


def _sniff(probe: Probe) -> int:
    return 3 * ({"annotations", "subject_data", "workflow_id"} <= set(probe.names))


READER = Reader(
    name="zooniverse",
    what="Zooniverse classification export (question and survey tasks)",
    sniff=_sniff,
    read=read_zooniverse,
)
