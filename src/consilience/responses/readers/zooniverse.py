"""Classifications of a Zooniverse project (the data export of that name).

A row is what one person said of one subject; `annotations` and `subject_data` hold
JSON. A question task gives one label or several, a survey task one for each choice that
was identified. People who are not logged in have a name made of their address. Subjects
that this program wrote list their labels by number, in hidden metadata as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from consilience.errors import BadCellError, MissingColumnError
from consilience.responses.columns.names import listing
from consilience.responses.columns.selections import NONE, OnScreen, read_on_screen
from consilience.responses.draft import Reader
from consilience.responses.exports.assembling import read_export
from consilience.responses.exports.work import Answer, Export, Work, seconds_between
from consilience.responses.options import ReadOptions
from consilience.responses.sources.arrow_columns import cell_text
from consilience.responses.sources.json_file import decode_json
from consilience.responses.sources.load import Probe, Source, load_tables
from consilience.responses.table import Responses
from consilience.responses.tables.coding import drop_unused
from consilience.responses.tables.text_table import TextTable

SUBJECT = "subject"
TASK = "#task"  # metadata of subjects that this program wrote
NEEDED = ("annotations", "subject_data", "workflow_id")
ANONYMOUS = "not-logged-in-"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Classification:
    """What one person said of one subject."""

    subject: str
    metadata: Mapping[str, Any]
    answers: Mapping[str, Answer]
    titles: Mapping[str, str]
    shown: OnScreen | None
    seconds: float | None


def read_zooniverse(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read classification exports of one workflow."""
    table = load_tables(sources, options)
    _check(table)
    workflows = drop_unused(table.columns["workflow_id"])
    several = len(workflows.values) > 1
    works = [
        _classification(table, row, f"{workflows.text(row)}/" if several else "")
        for row in range(table.num_rows)
    ]
    screens = [work.shown for work in works if work.shown is not None]
    if len(screens) < len(works):
        works, screens = [replace(work, shown=None) for work in works], []
    options = _as_asked(works, options)
    roles = {"user_name": "annotator", "subject_data": "item", "annotations": "label"}
    roles |= {"classification_id": "response_id", "metadata": "seconds"}
    roles |= {"created_at": "carried along", "gold_standard": "which are gold"}
    export = Export(
        tool="Zooniverse",
        works=[_work(table, row, work, options) for row, work in enumerate(works)],
        source=table.source,
        unit="classifications",
        ids=(SUBJECT,),
        screens=screens,
        titles={name: title for work in works for name, title in work.titles.items()},
        roles={name: role for name, role in roles.items() if name in table.columns},
        notes=(*_notes(table, works, options), *table.notes),
    )
    return read_export(export, sources, options)


def _work(
    table: TextTable, row: int, work: _Classification, options: ReadOptions
) -> Work:
    """Return a classification as the work of its volunteer."""

    def cell(name: str) -> str | None:
        return table.columns[name].text(row) if name in table.columns else None

    shown = None if work.shown is None else work.shown.choices(options.kind)
    answers = {
        name: replace(each, picked=_labels(work, name, options), shown=shown)
        for name, each in work.answers.items()
    }
    fields = {
        name: cell_text(value)
        for name, value in work.metadata.items()
        if not isinstance(value, (dict, list))
    }
    subject = work.subject if work.shown is None else work.shown.item
    return Work(
        fields={SUBJECT: subject, **fields},
        annotator=cell("user_name"),
        answers=answers,
        place=table.where(row),
        id=cell("classification_id"),
        is_truth=(cell("gold_standard") or "").casefold() == "true",
        seconds=work.seconds,
        created=cell("created_at"),
    )


def _check(table: TextTable) -> None:
    lacking = [name for name in NEEDED if name not in table.columns]
    if lacking:
        msg = (
            f"{table.source}: there is no column {lacking[0]!r}; found "
            f"{listing(table.names)}; request the classification export again"
        )
        raise MissingColumnError(msg)


def _classification(table: TextTable, row: int, before: str) -> _Classification:
    """Return what a row says; the names of its tasks have something before them."""
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
    given = list(_answers(parts))
    answers = {before + task: each for task, each, _ in given}
    titles = {before + task: title for task, _, title in given if title}
    return _Classification(
        subject=subject,
        metadata=metadata,
        answers=answers,
        titles=titles,
        shown=read_on_screen(record, place) if isinstance(record, str) else None,
        seconds=seconds_between(about.get("started_at"), about.get("finished_at")),
    )


def _json(table: TextTable, name: str, row: int) -> object:
    text = table.columns[name].text(row) if name in table.columns else None
    return None if text is None else decode_json(text, f"{table.where(row)}: {name}")


def _answers(parts: object) -> Iterator[tuple[str, Answer, str]]:
    """Give task, answer and title of each task that asks for labels or texts."""
    for part in parts if isinstance(parts, list) else []:
        if not isinstance(part, dict) or not isinstance(part.get("task"), str):
            continue
        task, value = part["task"], part.get("value")
        title = cell_text(part.get("task_label")) or ""
        values = value if isinstance(value, list) else [value]
        records = [each for each in values if isinstance(each, dict)]
        choices = [each["choice"] for each in records if "choice" in each]
        if any("task" in each for each in records):  # several tasks on one page
            yield from _answers(records)
        elif choices:
            picked = tuple(dict.fromkeys(map(str, choices)))
            yield task, Answer(picked=picked, objects=True), title
        elif any("select_label" in each for each in records):  # drop-down menus
            for each in records:
                label = cell_text(each.get("label") or each.get("value"))
                menu = f"{task} {each.get('select_label')}"
                yield menu, Answer(picked=(label,) if label else None), title
        elif value is None or value == "":
            yield task, Answer(picked=None), title
        elif not records and not any(isinstance(each, list) for each in values):
            picked = tuple(cell_text(each) or "" for each in values)
            yield task, Answer(picked=picked, several=isinstance(value, list)), title


def _as_asked(works: list[_Classification], options: ReadOptions) -> ReadOptions:
    """Fill in what subjects say of their questions and the caller does not."""
    kinds = {None if work.shown is None else work.shown.kind for work in works}
    kind = options.kind or (kinds.pop() if len(kinds) == 1 else None)
    columns = options.columns
    if all(work.shown is not None for work in works) and columns.label is None:
        tasks = sorted({name for work in works for name in work.answers})
        main = tasks[1] if kind == "objects" and len(tasks) > 1 else None
        columns = replace(
            columns, label=next(iter(tasks), None), main=columns.main or main
        )
    return replace(options, kind=kind, columns=columns)


def _labels(
    work: _Classification, task: str, options: ReadOptions
) -> tuple[str, ...] | None:
    """Return the labels that answer a task; None: none, or one not on the list."""
    given = work.answers[task].picked
    if given is None or work.shown is None:
        return given
    last = len(work.shown.labels) - 1
    numbers = [
        last if text == NONE else int(text) - 1 if text.isdecimal() else -1
        for text in given
    ]
    return work.shown.picked(work.shown.at(numbers), options.kind)


def _notes(
    table: TextTable, works: list[_Classification], options: ReadOptions
) -> Iterator[str]:
    lost = sum(
        bool(each.picked) and _labels(work, name, options) is None
        for work in works
        for name, each in work.answers.items()
    )
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


def _sniff(probe: Probe) -> int:
    return 3 * ({"annotations", "subject_data", "workflow_id"} <= set(probe.names))


READER = Reader(
    name="zooniverse",
    what="Zooniverse classification export (question and survey tasks)",
    sniff=_sniff,
    read=read_zooniverse,
    questions=True,
)
