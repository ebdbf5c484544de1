"""A labelling tool, declared: where the records of its exports keep what.

Paths (see `records`) lead from a work. Beside its own keys a work has ``^``, the record
of the file that it stands in.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from consilience.responses.format_table import Probe
from consilience.responses.options import ReadOptions
from consilience.responses.tools.records import (
    Record,
    dig,
    first,
    lookup,
    one,
    records,
    text,
)
from consilience.responses.tools.work import SKIPPED, Answer, Fields, OnScreen, Work

type Paths = tuple[str, ...]
type At = Mapping[str, Any]  # a work, and around it its record
type Answers = Iterable[tuple[str, Answer]]  # by question


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One form of a tool's export: paths, the best first, and functions."""

    key: str = ""  # what only records of this form have, if there is another form
    works: Paths | Callable[[Record], Iterable[Any]] = ("",)  # or the record is one
    place: str = ""  # what tells a work from others of its record, with paths in braces
    # From a work and its place, what was answered, and what is known to be right.
    answers: Callable[[At, str], Answers]
    truth: Callable[[At, str], Answers] = lambda *_: ()
    annotator: Paths = ()
    id: Paths = ()  # all together
    created: Paths = ()
    seconds: Paths = ()
    times: Paths = ()  # of start and end
    # What may name the item: ids; contents, of which one tells all items apart; ids
    # that do where no content does. ``data.*`` are all plain values in ``data``,
    # ``data:*`` those whose keys begin so.
    ids: Paths = ()
    contents: Paths = ()
    last_ids: Paths = ()
    about: Paths = ()  # columns of the table of items, which name no item
    skipped: Paths = ()  # flags: the work was skipped
    is_truth: Paths = ()  # flags: the work is itself the truth
    status: Paths | Callable[[At], str | None] = ()
    refused: Callable[[str], str | None] = lambda _: None  # why a status does not count
    # What the task of a record shows, if it says so; and the first of the numbers by
    # which answers name what is shown, where they do not name it itself.
    screen: Callable[[At, str], OnScreen | None] = lambda *_: None
    first_number: int | None = None

    def read(
        self, record: Record, statuses: Sequence[str] | None
    ) -> tuple[Fields, list[Work]]:
        """Return what may name the item of a record, and the works in it."""
        around, whole = {"^": record.value}, self.works == ("",)
        if callable(self.works):
            parts = self.works(record)
        else:
            parts = (part for path in self.works for part in dig(record.value, path))
        naming = (*self.ids, *self.contents, *self.last_ids)
        one_item = whole or all(path.startswith("^") for path in naming)
        task = named(record.value | around if whole else around, naming)
        works = []
        for part in parts:
            if isinstance(part, dict):
                at = around | part
                fields = task if one_item else named(at, naming)
                works.append(self._work(at, fields, record.place, statuses))
        return task, works

    def _work(
        self, at: At, fields: Fields, place: str, statuses: Sequence[str] | None
    ) -> Work:
        for before, path in _parts(self.place):
            place += before + (str(first(at, path)) if path else "")
        answers = dict(self.answers(at, place))
        if any(first(at, path) in (True, "SKIPPED") for path in self.skipped):
            answers = dict.fromkeys(answers, SKIPPED)
        status = self.status(at) if callable(self.status) else first(at, *self.status)
        status = text(status) or ""
        dropped = self.refused(status)
        if statuses is not None:
            dropped = None if status in statuses else dropped or f"status {status}"
        return Work(
            fields=fields,
            annotator=one(at, self.annotator, place),
            answers=answers,
            place=place,
            id="/".join(filter(None, (text(first(at, p)) for p in self.id))) or None,
            created=text(first(at, *self.created)),
            seconds=self._seconds(at),
            truth={n: each.picked for n, each in self.truth(at, place) if each.picked},
            is_truth=any(first(at, path) in (True, "true") for path in self.is_truth),
            dropped=dropped,
            about=named(at, self.about),
        )

    def _seconds(self, at: At) -> float | None:
        """Return how long a work took; None where it does not say it."""
        try:
            if not self.times:
                given = first(at, *self.seconds)
                return None if given is None else float(str(given))
            times = (str(first(at, path)) for path in self.times)
            start, end = map(datetime.fromisoformat, times)
            return (end - start).total_seconds()
        except (ValueError, TypeError):
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A labelling tool.

    `marks` are what marks its sources (see `format_table`); the tools of this library
    have them in the table of formats, so that they are known before a tool is loaded.
    """

    name: str
    what: str
    marks: str | bytes = ""
    layouts: Sequence[Layout]  # of its exports: those with a key, then one without
    unit: str = "annotations"  # what the tool calls works
    is_one: Callable[[Probe], bool] = lambda _: True  # whether a marked source is one
    files: str = ""  # kind of its files, where it reads no data frames
    # Give the records of a source, and make of them those that the layouts describe.
    load: Callable[[Any, ReadOptions], Iterable[Record]] = records
    prepare: Callable[[list[Record], ReadOptions], list[Record]] = lambda given, _: (
        given
    )
    main: str | None = None  # the question that is read where none is chosen
    people: str = ""  # what to do where no work says whose it is
    # Further remarks on records and works, and assumptions that results repeat.
    notes: Callable[[Sequence[Record], Sequence[Work]], Iterable[str]] = lambda *_: ()
    assumes: Callable[[Sequence[Work]], Iterable[str]] = lambda _: ()
    worded: bool = True  # a yes or no is a word of the page, and not a decision

    def layout(self, record: Mapping[str, Any]) -> Layout:
        """Return the form of a record."""
        return next(x for x in self.layouts if not x.key or x.key in record)


def named(at: At, paths: Paths) -> dict[str, str | None]:
    """Return what may name the item, by its path."""
    fields: dict[str, str | None] = {}
    for path in paths:
        if not path.endswith("*"):
            cell = lookup(path)(at)
            no_text = cell is None or isinstance(cell, (list, dict))
            fields[plain(path)] = None if no_text else text(cell)
            continue
        inside, point, start = path[:-1].rpartition(".")
        cell = lookup(inside)(at)
        for key, each in cell.items() if isinstance(cell, dict) else ():
            if key.startswith(start) and not isinstance(each, (list, dict)):
                fields[plain(inside) + point + key] = text(each)
    return fields


def fields_at(paths: Paths, fields: Iterable[str]) -> list[str]:
    """Return the fields that stand at some paths, in their order."""
    return [
        name
        for path in map(plain, paths)
        for name in fields
        if name == path or (path[-1:] == "*" and name.startswith(path[:-1]))
    ]


@cache
def plain(path: str) -> str:
    """Return a path as people read it."""
    return path.removeprefix("^").removeprefix(".")


@cache
def _parts(template: str) -> list[tuple[str, str]]:
    """Return the texts of a template, each with the path in braces after it."""
    texts = [*re.split(r"{(.*?)}", template), ""]
    return list(zip(texts[::2], texts[1::2], strict=True))
