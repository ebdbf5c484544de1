"""Toloka: the TSV of results, or assignments as JSON.

In the TSV ``INPUT:`` is what was on screen, ``OUTPUT:`` the answers (each output is a
question), ``GOLDEN:`` the right ones of control tasks, ``ASSIGNMENT:`` who and when. In
JSON an assignment holds the tasks of a page and, in the same order, their solutions.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from consilience.errors import MissingColumnError
from consilience.responses.draft import Reader
from consilience.responses.exports.assembling import read_export
from consilience.responses.exports.work import (
    Answer,
    Export,
    Record,
    Work,
    answer,
    counts,
    dig,
    first,
    names,
    records,
    rows,
    seconds_between,
    text,
)
from consilience.responses.options import ReadOptions
from consilience.responses.sources.json_file import decode_or_text
from consilience.responses.sources.load import Probe, Source
from consilience.responses.table import Responses

_INPUT, _OUTPUT, _GOLDEN = "INPUT:", "OUTPUT:", "GOLDEN:"
_TASK = "ASSIGNMENT:task_id"
_REJECTED = ("REJECTED",)
_UNFINISHED = ("EXPIRED", "ACTIVE")  # nobody answered
_SKIPPED = "SKIPPED"


def read_toloka(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read results of a pool."""
    works: list[Work] = []
    for source in sources:
        if _is_json(source):
            works += [
                w for each in records([source]) for w in _assignment(each, options)
            ]
        else:
            table = rows([source], options)
            if "ASSIGNMENT:worker_id" not in table[0].value:
                msg = (
                    f"{names([source])}: there is no column 'ASSIGNMENT:worker_id', so "
                    "these are tasks and no results; download the results of the pool "
                    "with worker ids"
                )
                raise MissingColumnError(msg)
            works += [w for each in table for w in _row(each, options)]
    export = Export(
        tool="Toloka",
        works=works,
        source=names(sources),
        unit="answers",
        last_ids=(_TASK,),
        roles={"ASSIGNMENT:worker_id": "annotator"},
    )
    return read_export(export, sources, options)


def _is_json(source: Source) -> bool:
    return getattr(source, "suffix", "").lower() in {".json", ".jsonl", ".ndjson"}


def _row(record: Record, options: ReadOptions) -> Iterator[Work]:
    """Work of a row; rows between assignments are empty."""
    row = record.value
    if not row.get("ASSIGNMENT:worker_id"):
        return
    assignment = {
        name.removeprefix("ASSIGNMENT:"): value
        for name, value in row.items()
        if name.startswith("ASSIGNMENT:")
    }
    yield _work(
        record.place,
        assignment | {"user_id": assignment["worker_id"]},
        inputs=_part(row, _INPUT, record.place),
        outputs=_part(row, _OUTPUT, record.place),
        golden=_part(row, _GOLDEN, record.place),
        options=options,
    )


def _part(row: Mapping[str, Any], prefix: str, place: str) -> dict[str, object]:
    """Cells under a prefix; lists and records are written in JSON."""
    cells = {n.removeprefix(prefix): v for n, v in row.items() if n.startswith(prefix)}
    decode = prefix != _INPUT
    return {
        name: decode_or_text(cell, place) if decode and isinstance(cell, str) else cell
        for name, cell in cells.items()
    }


def _assignment(record: Record, options: ReadOptions) -> Iterator[Work]:
    """Works of an assignment: a task each."""
    page = record.value
    tasks = list(dig(page, "tasks.*"))
    solutions = list(dig(page, "solutions.*"))
    solutions += [None] * (len(tasks) - len(solutions))
    for number, (task, solution) in enumerate(zip(tasks, solutions, strict=False)):
        golden: dict[str, object] = {}
        for each in dig(task, "known_solutions.*.output_values"):
            golden |= each if isinstance(each, dict) else {}
        inputs = first(task, "input_values")
        outputs = first(solution, "output_values")
        yield _work(
            f"{record.place}, task {number + 1}",
            {**page, "assignment_id": page.get("id"), "task_id": first(task, "id")},
            inputs=inputs if isinstance(inputs, dict) else {},
            outputs=outputs if isinstance(outputs, dict) else {},
            golden=golden,
            options=options,
        )


def _work(
    place: str,
    assignment: Mapping[str, Any],
    *,
    inputs: Mapping[str, object],
    outputs: Mapping[str, object],
    golden: Mapping[str, object],
    options: ReadOptions,
) -> Work:
    status = text(assignment.get("status"))
    does_count = counts(status, options, (*_REJECTED, *_UNFINISHED))
    fields = {
        _INPUT + name: text(value) or None
        for name, value in inputs.items()
        if not isinstance(value, (list, dict))
    }
    if assignment.get("task_id"):
        fields[_TASK] = text(assignment["task_id"])
    answers = {name: answer(value, place) for name, value in outputs.items()}
    truth = {name: answer(value, place).picked or () for name, value in golden.items()}
    return Work(
        fields=fields,
        annotator=text(assignment.get("user_id")) or None,
        answers={n: Answer(picked=None) for n in answers}
        if status == _SKIPPED
        else answers,
        place=place,
        id=_response(assignment),
        truth={name: labels for name, labels in truth.items() if labels},
        dropped=None if does_count else f"the assignment is {status}",
        seconds=seconds_between(assignment.get("started"), assignment.get("submitted")),
        created=text(assignment.get("submitted") or assignment.get("started")) or None,
    )


def _response(assignment: Mapping[str, Any]) -> str | None:
    parts = (assignment.get("assignment_id"), assignment.get("task_id"))
    return "/".join(text(part) for part in parts if part) or None


def _sniff(probe: Probe) -> int:
    names = list(probe.names)
    table = any(n.startswith(_INPUT) for n in names) and any(
        n.startswith((_OUTPUT, "ASSIGNMENT:")) for n in names
    )
    return 3 * (table or {"tasks", "solutions", "user_id"} <= set(names))


READER = Reader(
    name="toloka",
    what="Toloka results (TSV with INPUT:, OUTPUT:, GOLDEN:) or assignments (JSON)",
    sniff=_sniff,
    read=read_toloka,
    questions=True,
)
