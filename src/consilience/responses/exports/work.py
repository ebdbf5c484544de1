"""The answers of an annotator about an item, in the form that all exports take.

A reader says where a tool keeps these; everything after that (which question is meant,
which field names the item, what an answer means) is decided once, for all tools.

**Values inside nested records, found by their path.** A path is keys with points
between them; ``*`` stands for every part of a list or every value of an object:
``projects.*.labels.*``.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import pyarrow as pa

from consilience.errors import NoResponsesError, UnreadableFileError
from consilience.responses.columns.looks import is_free_text
from consilience.responses.columns.names import choose_question, is_comment
from consilience.responses.columns.selections import OnScreen
from consilience.responses.draft import is_yes_or_no
from consilience.responses.options import Kind, ReadOptions
from consilience.responses.sources.arrow_columns import cell_text, open_parquet
from consilience.responses.sources.frames import Frame
from consilience.responses.sources.json_file import decode_json, read_json
from consilience.responses.sources.library_errors import readable
from consilience.responses.sources.load import Source, load_table

EVERY = "*"
_LISTS = ("items", "docs", "records")  # keys under which an API lists records


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer to one question."""

    picked: tuple[str, ...] | None
    several: bool = False
    shown: tuple[str, ...] | None = None
    objects: bool = False
    regions: bool = False
    free: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One annotator's work on one item."""

    fields: Mapping[str, str | None]
    annotator: str | None
    answers: Mapping[str, Answer]
    place: str
    id: str | None = None
    truth: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_truth: bool = False
    dropped: str | None = None
    seconds: float | None = None
    created: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """An export as read, before a question is chosen."""

    tool: str
    works: Sequence[Work]
    source: str
    unit: str = "annotations"
    ids: tuple[str, ...] = ()
    last_ids: tuple[str, ...] = ()
    offers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    screens: Sequence[OnScreen] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    more_items: Sequence[Mapping[str, str | None]] = ()
    main: str | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    people: str = ""


def answer(value: object, place: str = "") -> Answer:
    """Return the answer that a value of an export is, whatever its form.

    A list is of a question that lets several labels be picked; of records with a label,
    of regions. Other records are no labels.
    """
    if value is None or value == "":
        return SKIPPED
    if not isinstance(value, (list, dict)):
        return Answer(picked=(text(value, place),))
    parts = value if isinstance(value, list) else [value]
    labels = [part.get("label") if isinstance(part, dict) else part for part in parts]
    records = sum(isinstance(part, dict) for part in parts)
    if (
        isinstance(value, dict)
        or 0 < records < len(parts)
        or not all(map(_is_label, labels))
    ):
        return Answer(picked=(), free=True)
    picked = tuple(text(label, place) for label in labels if label is not None)
    if records:
        return Answer(picked=picked, regions=True)
    return Answer(picked=tuple(dict.fromkeys(picked)), several=True)


def _is_label(value: object) -> bool:
    return not isinstance(value, (list, dict))


def text(value: object, place: str = "") -> str:
    """Text of a label or an id; a truth value is written as JSON writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return cell_text(value, place) or ""


def counts(status: str, options: ReadOptions, rejected: Sequence[str]) -> bool:
    """Say whether works of a status count: all but rejected, or those asked for."""
    wanted = options.statuses
    return status not in rejected if wanted is None else status in wanted


def number(value: object) -> float | None:
    """Return a number of an export; None where it is none."""
    try:
        return None if value is None else float(str(value))
    except ValueError:
        return None


def seconds_between(start: object, end: object) -> float | None:
    """Return the seconds between two times; None where one is no time."""
    try:
        times = [datetime.fromisoformat(str(time)) for time in (start, end)]
        return (times[1] - times[0]).total_seconds()
    except (ValueError, TypeError):
        return None


def dig(value: object, path: str) -> Iterator[Any]:
    """Give all values at a path; none where the path leads nowhere."""
    key, _, rest = path.partition(".")
    if not path:
        yield value
    elif key == EVERY and isinstance(value, (list, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from dig(part, rest)
    elif isinstance(value, dict) and key in value:
        yield from dig(value[key], rest)


def first(value: object, paths: Sequence[str] | str) -> Any:
    """Return the first value at any of some paths that is not missing."""
    for path in [paths] if isinstance(paths, str) else paths:
        for each in dig(value, path):
            if each is not None and each != "":
                return each
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question of an export."""

    name: str
    kind: Kind | None
    number: int
    regions: bool
    yes_or_no: bool

    def __str__(self) -> str:
        """Return what it is, in short."""
        what = self.kind or "no labels"
        return f"{what}, {self.number:,} answer{'s' * (self.number != 1)}"


def questions(works: Sequence[Work]) -> dict[str, Question]:
    """Return the questions that works answer, in their order."""
    answers: dict[str, list[Answer]] = {}
    for work in works:
        for name, answer in work.answers.items():
            answers.setdefault(name, []).append(answer)
    return {name: question_of(name, given) for name, given in answers.items()}


def choose(
    asked: Mapping[str, Question],
    given: str | None,
    source: str,
    titles: Mapping[str, str] = MappingProxyType({}),
) -> Question:
    """Return the question that the labels answer."""
    # Free text beside a question with labels is a comment.
    labels = [n for n, q in asked.items() if q.kind is not None and not is_comment(n)]
    names = labels if given is None and labels else list(asked)
    shown = {
        name: f"{titles[name]}: {asked[name]}" if name in titles else str(asked[name])
        for name in names
    }
    return asked[choose_question(shown, given, source)]


def question_of(name: str, answers: list[Answer]) -> Question:
    """Return what a question is, by its answers."""
    given = [answer for answer in answers if answer.picked is not None]
    picked = Counter(label for answer in given for label in answer.picked or ())
    regions = any(answer.regions for answer in given)
    objects = regions or any(answer.objects for answer in given)
    many = any(len(answer.picked or ()) > 1 for answer in given)
    kind: Kind | None = "choice"
    if _is_text(given, picked) and not objects:
        kind = None
    elif objects and (many or regions):
        kind = "objects"
    elif many or any(answer.several for answer in given):
        kind = "contains"
    return Question(
        name=name,
        kind=kind,
        number=len(given),
        regions=regions,
        yes_or_no=bool(picked) and is_yes_or_no(picked),
    )


def _is_text(given: list[Answer], picked: Counter[str]) -> bool:
    """Whether answers are texts: written so, or different in most works."""
    if any(answer.free for answer in given):
        return True
    if any(answer.shown is not None for answer in given):
        return False
    return is_free_text(picked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record of an export."""

    value: Mapping[str, Any]
    place: str
    file: Path | None


def records(sources: Sequence[Source]) -> list[Record]:
    """Return the records of files, one below the other."""
    collected = [record for source in sources for record in _records(source)]
    if not collected:
        msg = f"{names(sources)}: there is no record; check that it is the right file"
        raise NoResponsesError(msg)
    return collected


def rows(sources: Sequence[Source], options: ReadOptions) -> list[Record]:
    """Return the rows of CSV or TSV files as records of texts; empty cells are None."""
    given: list[Record] = []
    for source in sources:
        table = load_table(source, options)
        columns = {}
        for name, column in table.columns.items():
            texts = [*column.values.to_pylist(), None]
            columns[name] = [texts[code] for code in column.codes]
        columns |= {name: cells.to_pylist() for name, cells in table.lists.items()}
        file = source if isinstance(source, Path) else None
        given += [
            Record(
                value=dict(zip(columns, row, strict=True)),
                place=table.where(number),
                file=file,
            )
            for number, row in enumerate(zip(*columns.values(), strict=True))
        ]
    return given


def names(sources: Sequence[Source]) -> str:
    """Names of the sources, for messages."""
    shown = [s.name if isinstance(s, Frame) else str(s) for s in sources]
    more = f" and {len(shown) - 3} more" if len(shown) > 3 else ""
    return ", ".join(shown[:3]) + more


def _records(source: Source) -> Iterator[Record]:
    if isinstance(source, Path) and source.suffix.lower() in {".parquet", ".pq"}:
        source = open_parquet(source)
    if isinstance(source, Frame):
        for number, value in enumerate(_rows(source), start=1):
            place = f"{source.name}, row {number}"
            yield Record(value=value, place=place, file=source.file)
        return
    with readable(str(source)), source.open("rb") as file:
        first = file.readline().removeprefix(b"\xef\xbb\xbf").strip()
        more = any(line.strip() for line in file)
    if first.startswith(b"{") and first.endswith(b"}") and (more or _is_lines(source)):
        yield from _lines(source)
        return
    document: Any = read_json(source)
    if isinstance(document, dict):
        wrapped = (document[key] for key in _LISTS if _is_records(document.get(key)))
        document = next(wrapped, [document])
    if not _is_records(document):
        msg = f"{source}: expected JSON records; export it again, or name the format"
        raise UnreadableFileError(msg)
    for number, value in enumerate(document, start=1):
        yield Record(value=value, place=f"{source}, record {number}", file=source)


def _lines(path: Path) -> Iterator[Record]:
    with readable(str(path)):
        text = path.read_bytes().removeprefix(b"\xef\xbb\xbf").decode()
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{path}, line {number}"
        value = decode_json(line, place)
        if not isinstance(value, dict):
            msg = f"{place}: expected a JSON object; export it again"
            raise UnreadableFileError(msg)
        yield Record(value=value, place=place, file=path)


def _is_lines(path: Path) -> bool:
    return path.suffix.lower() in {".jsonl", ".ndjson", ".manifest"}


def _is_records(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(part, dict) for part in value)


def _rows(frame: Frame) -> list[dict[str, Any]]:
    """Rows of a table in memory as JSON would have them."""
    data = frame.data
    if isinstance(data, pa.Table):
        with readable(frame.name):
            rows: list[dict[str, Any]] = data.to_pylist(maps_as_pydicts="lossy")
            return rows
    values = data if isinstance(data, list) else data.to_dict("records")
    return [{str(n): _plain(cell) for n, cell in value.items()} for value in values]


def _plain(cell: object) -> object:
    """Return a cell of a data frame as JSON would have it."""
    if hasattr(cell, "tolist"):
        return cell.tolist()
    if cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and cell != cell):  # noqa: PLR0124 - NaN
        return None
    return cell


SKIPPED = Answer(picked=None)
