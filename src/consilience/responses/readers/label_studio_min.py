"""Label Studio's JSON-MIN and CSV exports: one record per annotation, second best.

They leave out which annotations were skipped or are ground truth; export JSON instead
where that is possible.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pyarrow.compute as pc

from consilience.errors import BadCellError, MissingColumnError
from consilience.responses.assemble import assemble
from consilience.responses.columns.long_table import column_looks, extra_columns
from consilience.responses.columns.looks import DATES, FEW, LINKS, TEXTS, look
from consilience.responses.columns.names import choose_question, listing, require
from consilience.responses.columns.selections import Selection, unroll
from consilience.responses.draft import Reader
from consilience.responses.exports.assembling import boxes
from consilience.responses.label_studio import OF_REGIONS
from consilience.responses.options import ReadOptions
from consilience.responses.quality.cleaning import Dropped
from consilience.responses.quality.spelling import spelling_key
from consilience.responses.side_tables import for_question, label_list
from consilience.responses.sources.json_file import decode_or_text
from consilience.responses.sources.load import Probe, Source, fingerprints, load_tables
from consilience.responses.table import Responses
from consilience.responses.tables.text_table import TextTable

EXPORT_FIELDS = {
    "id",
    "annotator",
    "annotation_id",
    "created_at",
    "updated_at",
    "lead_time",
    "agreement",
}
SECOND_BEST = (
    "This export does not say which annotations were skipped or are ground truth: all "
    "are taken as answers. Label Studio's JSON export says it."
)
EMPTY: tuple[object, ...] = ({}, [])

_PLACE = {"original_width", "start"}  # of regions in images; in texts and sounds


def read_label_studio_min(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read JSON-MIN or CSV exports."""
    table = load_tables(sources, options)
    columns = options.columns
    fields = [name for name in table.names if name not in EXPORT_FIELDS]
    item = columns.item or require([*fields, "id"], "item", columns, table.source)
    questions = [name for name in fields if name not in {item, columns.main}]
    data: list[str] = []
    if not (options.question or columns.label):
        data = [name for name in questions if _is_data(table, name)]
        data = [] if len(data) == len(questions) else data
        questions = [name for name in questions if name not in data]
    question = choose_question(
        questions, options.question or columns.label, table.source
    )
    for name in ("annotator", item):
        if name not in table.columns:
            msg = (
                f"{table.source}: there is no column {name!r} of texts; found "
                f"{listing(table.names)}; export JSON-MIN or CSV again"
            )
            raise MissingColumnError(msg)
    people = table.columns["annotator"]
    done = people.codes >= 0
    rows_done = map(int, np.flatnonzero(done))
    given = {row: _answer(table, question, row) for row in rows_done}
    picks = [
        Selection(
            item=table.columns[item].text(row),
            annotator=people.text(row),
            response_id=_cell(table, "annotation_id", row),
            picked=_labels(answer, table.where(row)),
            main=_first(_answer(table, columns.main, row), table.where(row)),
            record=row,
        )
        for row, answer in given.items()
    ]
    named = for_question(options, question)
    regions = bool(_region_note(table, question))
    kind, offered, several = boxes(
        picks, options, label_list(named), question, regions=regions
    )
    rows = unroll(picks, kind, offered, table.where, spelling_key(options))
    extras = extra_columns(table, options, rows.row)
    roles = {item: "item", "annotator": "annotator", question: "label"}
    roles |= {} if columns.main is None else {columns.main: "main"}
    roles |= dict.fromkeys(extras, "carried along")
    if "annotation_id" in table.columns:
        roles["annotation_id"] = "response_id"
    draft = replace(
        rows.draft(table.where, table.num_rows),
        main=rows.main if columns.main else None,
        unit="records",
        dropped=_unannotated(table, done),
        notes=(
            f"labels are the answers to {question!r}",
            *_region_note(table, question),
            *_empty([row for row in given if given[row] in EMPTY], question, table),
            *table.notes,
        ),
        columns=roles,
        unused=column_looks(table, [name for name in table.names if name not in roles]),
        assumptions=(SECOND_BEST, *_data_note(data), *several),
        extras=extras,
        more_items=[v for v in table.columns[item].values.to_pylist() if v],
        sources=fingerprints(sources),
    )
    return assemble(draft, named)


def _is_data(table: TextTable, name: str) -> bool:
    """Whether a field is seen to be of the task's data: links, times, texts, ids."""
    column = table.columns.get(name)
    if column is None:
        return False
    if look(column) in {DATES, LINKS, TEXTS}:
        return True
    tasks = table.columns.get("id")
    if tasks is None or len(tasks.values) < FEW:
        return False
    pairs = set(zip(tasks.codes.tolist(), column.codes.tolist(), strict=True))
    number = len(set(tasks.codes.tolist()))
    again = len(tasks.codes) - number >= FEW
    return again and len(pairs) == number and len(set(column.codes.tolist())) > 1


def _data_note(names: Sequence[str]) -> tuple[str, ...]:
    if not names:
        return ()
    sentence = (
        f"The fields {listing(list(names))} have one value for each task, or are texts,"
        " times or links: they are taken for data of the tasks and not for answers."
    )
    return (sentence,)


def _cell(table: TextTable, name: str, row: int) -> str | None:
    return table.columns[name].text(row) if name in table.columns else None


def _answer(table: TextTable, name: str | None, row: int) -> object:
    """Return what a cell holds: a bare text, or JSON; None for nothing."""
    place = table.where(row)
    if name is None:
        return None
    if name in table.lists:
        parts = table.lists[name][row].as_py()
        if parts is None:
            return None
        return [p if p is None else decode_or_text(p, place) for p in parts]
    text = _cell(table, name, row)
    content = None if text is None else decode_or_text(text, place)
    return content if isinstance(content, (dict, list)) else text


def _labels(answer: object, place: str) -> tuple[str, ...] | None:
    """Labels of an answer; None where it says nothing, as where there is no answer."""
    if answer is None or answer in EMPTY:
        return None
    if isinstance(answer, dict):
        answer = answer.get("choices", [answer])
    return _regions(answer, place) if isinstance(answer, list) else (str(answer),)


def _first(answer: object, place: str) -> str | None:
    return next(iter(_labels(answer, place) or ()), None)


def _regions(parts: Iterable[object], place: str) -> tuple[str, ...]:
    """Labels of bare texts and of regions (`rectanglelabels` and the like)."""
    labels: list[object] = []
    for part in parts:
        if isinstance(part, dict):
            many = [v for key, v in part.items() if key.endswith("labels")]
            labels += [label for v in many if isinstance(v, list) for label in v]
            if not many and not _PLACE & set(part):
                labels.append(part)  # no label, and no region without one
        else:
            labels.append(part)
    strange = [label for label in labels if not isinstance(label, (str, int))]
    if strange:
        msg = f"{place}: found {strange[0]!r} where a label was expected; export again"
        raise BadCellError(msg)
    return tuple(map(str, labels))


def _empty(rows: list[int], question: str, table: TextTable) -> tuple[str, ...]:
    """Remark that some answers say nothing, and how they were read."""
    if not rows:
        return ()
    what = f"answers to {question!r} that are empty ({{}} or []) were read as skipped"
    return (f"{what}: {len(rows):,} (first: {table.where(rows[0])})",)


def _region_note(table: TextTable, question: str) -> tuple[str, ...]:
    """Remark that labels are of regions, whose places are not read."""
    cells = (
        table.columns[question].values
        if question in table.columns
        else pc.list_flatten(table.lists[question])
    )
    marked = pc.any(pc.match_substring(cells, 'labels":')).as_py()
    return (OF_REGIONS.format(question),) if marked else ()


def _unannotated(table: TextTable, done: np.ndarray) -> tuple[Dropped, ...]:
    if done.all():
        return ()
    first = table.where(int((~done).argmax()))
    return (Dropped("nobody annotated the task", int((~done).sum()), first),)


def _sniff(probe: Probe) -> int:
    return 3 * ({"annotator", "annotation_id", "lead_time"} <= set(probe.names))


READER = Reader(
    name="label_studio_min",
    what="Label Studio JSON-MIN or CSV (second best: skipped and gold are not marked)",
    sniff=_sniff,
    read=read_label_studio_min,
    questions=True,
)
