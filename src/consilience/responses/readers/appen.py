"""Appen (Figure Eight, CrowdFlower): the full report as CSV, or its JSON lines.

A row of the full report is a judgment: of a unit, by a worker, with an answer to each
question; ``QUESTION_gold`` holds what is right in test questions. In JSON a unit holds
its judgments. Judgments of workers who failed the test questions (tainted) do not
count, as in Appen's own results.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from consilience.errors import MissingColumnError
from consilience.responses.columns.names import listing
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
from consilience.responses.sources.load import Probe, Source
from consilience.responses.table import Responses

_UNIT = "_unit_id"
_GOLD = "_gold"
_TAINTED, _REJECTED = "tainted", "rejected"
_REASONS = {
    _TAINTED: "the worker failed the test questions (tainted)",
    _REJECTED: "the judgment was rejected",
}
_NO = {"", "false", "0", "null"}


def read_appen(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read full reports or JSON."""
    works: list[Work] = []
    for source in sources:
        suffix = getattr(source, "suffix", "").lower()
        if suffix in {".json", ".jsonl", ".ndjson"}:
            works += [w for each in records([source]) for w in _unit(each, options)]
        else:
            works += _report(rows([source], options), names([source]), options)
    export = Export(
        tool="Appen",
        works=works,
        source=names(sources),
        unit="judgments",
        ids=(_UNIT,),
        main=_with_gold(works),
        roles={"_worker_id": "annotator", "_tainted": "which judgments count"},
    )
    return read_export(export, sources, options)


def _with_gold(works: Sequence[Work]) -> str | None:
    """Return the one question that test questions ask, if there is one."""
    asked = {name for work in works for name in work.truth}
    return asked.pop() if len(asked) == 1 else None


def _report(given: list[Record], source: str, options: ReadOptions) -> Iterator[Work]:
    columns = list(given[0].value)
    if "_worker_id" not in columns:
        msg = (
            f"{source}: there is no column '_worker_id', so this report holds one "
            "result for each unit and not the judgments; download the full report"
        )
        raise MissingColumnError(msg)
    asked = _questions(given, columns, source)
    joined = {  # check boxes are lines of one cell
        name for name in asked for each in given if "\n" in (each.value[name] or "")
    }
    for record in given:
        row = record.value
        answers = {name: _cell(row[name], name in joined) for name in asked}
        truth = {
            name: _cell(row.get(name + _GOLD), several=True).picked or ()
            for name in asked
        }
        yield _work(record.place, row, row, answers, truth, options)


def _questions(given: list[Record], columns: list[str], source: str) -> list[str]:
    """Columns of answers: those with gold, and those that differ within a unit."""
    free = [n for n in columns if not n.startswith(("_", "orig_"))]
    free = [n for n in free if not n.endswith((_GOLD, "_gold_reason"))]
    with_gold = [name for name in free if name + _GOLD in columns]
    first_of: dict[tuple[str | None, str], str | None] = {}
    differ = dict.fromkeys(with_gold)
    for record in given:
        for name in free:
            key = (record.value[_UNIT], name)
            cell = record.value[name]
            if first_of.setdefault(key, cell) != cell:
                differ[name] = None
    if not differ:
        msg = (
            f"{source}: no column is seen to be a question, as none has gold or "
            f"differs within a unit; found {listing(free)}; read it as a long table "
            '(`format="long"` `item="_unit_id"` `annotator="_worker_id"` '
            "`label=NAME`)"
        )
        raise MissingColumnError(msg)
    return [name for name in free if name in differ]


def _cell(cell: str | None, several: bool) -> Answer:  # noqa: FBT001
    if cell is None:
        return Answer(picked=None)
    parts = [part.strip() for part in cell.split("\n")] if several else [cell]
    return Answer(picked=tuple(p for p in parts if p), several=several)


def _unit(record: Record, options: ReadOptions) -> Iterator[Work]:
    """Works of a unit in JSON."""
    unit = record.value
    data = first(unit, "data")
    data = data if isinstance(data, dict) else {}
    for judgment in dig(unit, "results.judgments.*"):
        if not isinstance(judgment, dict):
            continue
        given = first(judgment, "data")
        answers = {
            name: answer(value, record.place)
            for name, value in (given.items() if isinstance(given, dict) else ())
            if not name.startswith("_")
        }
        truth = {
            name: answer(data.get(name + _GOLD), record.place).picked or ()
            for name in answers
        }
        row = {f"_{k}": v for k, v in judgment.items()} | {_UNIT: unit.get("id")}
        contents = {n: v for n, v in data.items() if not n.endswith(_GOLD)}
        yield _work(
            f"{record.place}, judgment {first(judgment, 'id')}",
            row,
            contents,
            answers,
            truth,
            options,
        )


def _work(
    place: str,
    row: Mapping[str, Any],
    contents: Mapping[str, Any],
    answers: Mapping[str, Answer],
    truth: Mapping[str, tuple[str, ...]],
    options: ReadOptions,
) -> Work:
    status = "trusted"
    for flag, sign in ((_TAINTED, "_tainted"), (_REJECTED, "_rejected")):
        if text(row.get(sign)).casefold() not in _NO:
            status = flag
    does_count = counts(status, options, (_TAINTED, _REJECTED))
    fields = {_UNIT: text(row.get(_UNIT)) or None}
    fields |= {
        name: text(value) or None
        for name, value in contents.items()
        if not name.startswith("_")
        and name not in answers
        and not name.endswith((_GOLD, "_gold_reason"))
        and not isinstance(value, (list, dict))
    }
    return Work(
        fields=fields,
        annotator=text(row.get("_worker_id")) or None,
        answers=answers,
        place=place,
        id=text(row.get("_id")) or None,
        truth={name: labels for name, labels in truth.items() if labels},
        dropped=None if does_count else _REASONS.get(status, f"status {status}"),
        seconds=seconds_between(row.get("_started_at"), row.get("_created_at")),
        created=text(row.get("_created_at")) or None,
    )


def _sniff(probe: Probe) -> int:
    table = {_UNIT, "_golden"} <= set(probe.names)
    results = probe.record.get("results")
    nested = isinstance(results, dict) and "judgments" in results
    return 3 * (table or nested)


READER = Reader(
    name="appen",
    what="Appen (Figure Eight) full report, CSV or JSON",
    sniff=_sniff,
    read=read_appen,
    questions=True,
)
