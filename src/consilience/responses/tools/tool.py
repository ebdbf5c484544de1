"""A labelling tool, declared: what marks its exports, and where they keep what.

Paths (`work.dig`) lead from a work. Beside its own keys a work has ``^``, the record of
the file that it stands in, and ``^file`` and ``^folder``, the names of these.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from consilience.responses.format_table import Probe
from consilience.responses.options import ReadOptions
from consilience.responses.sources.frames import Source
from consilience.responses.tools.on_screen import OnScreen
from consilience.responses.tools.records import Record, records
from consilience.responses.tools.work import (
    SKIPPED,
    Answer,
    Fields,
    Work,
    dig,
    first,
    number,
    one,
    seconds_between,
    text,
    texts,
)

type Paths = tuple[str, ...]
type At = Mapping[str, Any]  # a work, and around it its record


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One form of a tool's export.

    Attributes
    ----------
    marks
        Keys that all records of this form have, or a test of one.
    works
        Paths of the works in a record (empty: it is one), or a function giving them.
    answers
        Gives question and answer, from a work and its place.
    annotator, id, created, seconds, times
        Paths, the best first; of `id` all count together, and `times` are those of
        start and end.
    ids, contents, last_ids
        Paths of what may name the item: ids, the best first; contents, of which one
        tells all items apart; ids that do where no content does. ``data.*`` are all
        plain values in ``data``, ``data:*`` those whose keys begin so.
    skipped, is_truth
        Paths of flags: the work was skipped; it is itself the truth.
    status, refused
        Path of the status, or a function; and why a work of a status does not count.
    truth
        Gives labels that are known to be right, by question.
    screen, first_number
        Gives what the task of a record shows, if it says so; and the first of the
        numbers by which answers name what is shown, where they do not name it itself.
    place
        What tells a work from others of its record, with paths in braces.
    """

    marks: set[str] | Callable[[Mapping[str, Any]], object]
    answers: Callable[[At, str], Iterable[tuple[str, Answer]]]
    works: Paths | Callable[[Record], Iterable[Any]] = ("",)
    annotator: Paths = ()
    id: Paths = ()
    created: Paths = ()
    seconds: Paths = ()
    times: tuple[str, str] | None = None
    ids: Paths = ()
    contents: Paths = ()
    last_ids: Paths = ()
    skipped: Paths = ()
    is_truth: Paths = ()
    status: Paths | Callable[[At], str | None] = ()
    refused: Callable[[str], str | None] = lambda _: None
    truth: Callable[[At], Mapping[str, tuple[str, ...]]] = lambda _: {}
    screen: Callable[[At, str], OnScreen | None] = lambda *_: None
    first_number: int | None = None
    place: str = ""

    def fits(self, record: Mapping[str, Any]) -> bool:
        """Say whether a record is of this form."""
        if callable(self.marks):
            return bool(self.marks(record))
        return self.marks <= set(record)

    def around(self, record: Record) -> dict[str, Any]:
        """Return what stands around the works of a record; and it, if it is one."""
        at = {"^": record.value, **_names_of(record.file or Path())}
        return {**record.value, **at} if self.works == ("",) else at

    def read(
        self, record: Record, around: dict[str, Any], options: ReadOptions
    ) -> Iterator[Work]:
        """Give the works of a record, with what stands around them."""
        parts: Iterable[Any]
        if self.works == ("",):
            place = record.place + filled(self.place, around)
            yield self._work(around, self.fields(around), place, options)
            return
        if callable(self.works):
            parts = self.works(record)
        else:
            parts = (each for path in self.works for each in dig(record.value, path))
        naming = (*self.ids, *self.contents, *self.last_ids)
        shared = all(path.startswith("^") for path in naming)
        fields = self.fields(around) if shared else None
        for part in parts:
            if isinstance(part, dict):
                at = around | part
                place = record.place + filled(self.place, at)
                named = self.fields(at) if fields is None else fields
                yield self._work(at, named, place, options)

    def fields(self, at: At) -> dict[str, str | None]:
        """Return what may name the item, by its path."""
        named: dict[str, str | None] = {}
        for path in (*self.ids, *self.contents, *self.last_ids):
            if not path.endswith("*"):
                cell = first(at, path)
                if cell is None or isinstance(cell, (list, dict)):
                    named[plain(path)] = None
                else:
                    named[plain(path)] = text(cell)
            elif path.endswith(".*"):
                cells = texts(first(at, path[:-2]))
                named |= {plain(path[:-1] + name): cell for name, cell in cells.items()}
            else:
                named |= texts({n: at[n] for n in at if n.startswith(path[:-1])})
        return named

    def names(self, paths: Paths, fields: Iterable[str]) -> list[str]:
        """Return the fields that stand at some paths, in their order."""
        return [
            name
            for path in map(plain, paths)
            for name in fields
            if name == path or (path[-1:] == "*" and name.startswith(path[:-1]))
        ]

    def _work(self, at: At, fields: Fields, place: str, options: ReadOptions) -> Work:
        answers = dict(self.answers(at, place))
        if self.skipped and any(first(at, path) is True for path in self.skipped):
            answers = dict.fromkeys(answers, SKIPPED)
        status = self.status(at) if callable(self.status) else first(at, self.status)
        seconds = number(first(at, self.seconds)) if self.seconds else None
        if self.times is not None:
            seconds = seconds_between(*(first(at, path) for path in self.times))
        return Work(
            fields=fields,
            annotator=one(at, self.annotator, place),
            answers=answers,
            place=place,
            id="/".join(filter(None, (text(first(at, p)) for p in self.id))) or None,
            created=text(first(at, self.created)),
            seconds=seconds,
            truth={name: labels for name, labels in self.truth(at).items() if labels},
            is_truth=any(first(at, path) in (True, "true") for path in self.is_truth),
            dropped=self._dropped(text(status) or "", options.statuses),
        )

    def _dropped(self, status: str, wanted: Sequence[str] | None) -> str | None:
        reason = self.refused(status)
        if wanted is None:
            return reason
        return None if status in wanted else reason or f"status {status}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A labelling tool.

    Attributes
    ----------
    name, what
        As of any reader.
    layouts
        Forms of its exports; a record is of the first that fits.
    unit
        What the tool calls works.
    load
        Gives the records of files, where they are not plain ones.
    main
        The question that is read where none is chosen and there are several.
    people
        What to do where no work says whose it is.
    notes, assumes
        What else is to be said of records and works, and what results are to repeat.
    look
        Says whether a source is an export, where its first record does not show it.
    worded
        Whether a yes or no to one label is a word of the page, and not a decision.
    """

    name: str
    what: str
    layouts: Sequence[Layout]
    unit: str = "annotations"
    load: Callable[[Sequence[Source], ReadOptions], list[Record]] = records
    main: str | None = None
    people: str = ""
    notes: Callable[[Sequence[Record], Sequence[Work]], Iterable[str]] = lambda *_: ()
    assumes: Callable[[Sequence[Work]], Iterable[str]] = lambda _: ()
    look: Callable[[Probe], object] | None = None
    worded: bool = True

    def layout(self, record: Mapping[str, Any]) -> Layout:
        """Return the form of a record."""
        fit = (each for each in self.layouts if each.fits(record))
        return next(fit, self.layouts[0])

    def sniff(self, probe: Probe) -> int:
        """Say how sure it is that a source is an export of this tool: 0 or 3."""
        if self.look is not None:
            return 3 * bool(self.look(probe))
        record = probe.record or dict.fromkeys(probe.names)
        return 3 * any(layout.fits(record) for layout in self.layouts)


@cache
def _names_of(path: Path) -> Mapping[str, str]:
    """Return the names of a file and of its folder, as paths lead to them."""
    return {"^file": path.stem, "^folder": path.parent.name}


@cache
def plain(path: str) -> str:
    """Return a path as people read it."""
    return path.removeprefix("^").removeprefix(".")


def filled(template: str, at: At) -> str:
    """Fill in the paths that stand in braces."""
    if not template:
        return ""
    return re.sub(r"{(.*?)}", lambda path: str(first(at, path[1])), template)
