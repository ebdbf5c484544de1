"""A source as columns of text, before any meaning is given to them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from consilience.errors import (
    BadCellError,
    DuplicateColumnError,
    UnreadableFileError,
)
from consilience.responses.tables.coding import (
    Coded,
    concatenate,
    nothing,
    recode,
    text_array,
    with_line_breaks,
)
from consilience.responses.tables.id_types import common_type

_NUL = "holds a NUL character, which is not text; remove it"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TextTable:
    """Named columns of text and where they came from."""

    source: str
    columns: Mapping[str, Coded]
    lists: Mapping[str, pa.Array]
    num_rows: int
    where: Callable[[int], str]
    notes: tuple[str, ...] = ()
    unusable: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    orders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ordered: frozenset[str] = frozenset()

    @property
    def names(self) -> list[str]:
        """Names of all columns that can be used."""
        return [*self.columns, *self.lists]

    def taken(self, rows: np.ndarray, note: str) -> "TextTable":
        """Return some of the rows, with a note that says which."""
        where = self.where
        return replace(
            self,
            columns={name: column.take(rows) for name, column in self.columns.items()},
            lists={name: cells.take(rows) for name, cells in self.lists.items()},
            num_rows=len(rows),
            where=lambda row: where(int(rows[row])),
            notes=(*self.notes, note),
        )

    def single(self, name: str) -> Coded:
        """Return a column that holds one text per cell."""
        if name in self.lists:
            msg = f"{self.source}: column {name!r} holds lists; one text was expected"
            raise BadCellError(msg)
        return self.columns[name]


def not_as_text(source: str, name: str, what: str) -> BadCellError:
    """Error for a column that is needed and cannot be written as text."""
    msg = (
        f"{source}: column {name!r} ({what}) cannot be written as text; expected text "
        "or numbers; convert or drop the column"
    )
    return BadCellError(msg)


def unusable_notes(unusable: Mapping[str, str]) -> tuple[str, ...]:
    """Say which columns were left out because they hold no texts."""
    return tuple(
        f"column {name!r} ({what}) holds no texts or numbers and was not used"
        for name, what in unusable.items()
    )


def places(
    source: str, *, first: int, word: str = "row", numbers: Sequence[int] | None = None
) -> Callable[[int], str]:
    """Say where a row stands."""

    def where(row: int) -> str:
        number = numbers[row] if numbers is not None else first + row
        return f"{source}, {word} {number}"

    return where


def stack(tables: Sequence[TextTable]) -> TextTable:
    """Tables one below the other; a column that one lacks is missing there."""
    if len(tables) == 1:
        return tables[0]
    starts = np.cumsum([0] + [table.num_rows for table in tables])

    def where(row: int) -> str:
        part = int(np.searchsorted(starts, row, side="right")) - 1
        return tables[part].where(row - int(starts[part]))

    unusable = {name: why for t in tables for name, why in t.unusable.items()}
    names = list(dict.fromkeys(name for table in tables for name in table.columns))
    lists = list(dict.fromkeys(name for table in tables for name in table.lists))
    names = [name for name in names if name not in unusable]
    lists = [name for name in lists if name not in unusable]
    both = sorted(set(names) & set(lists))
    if both:
        msg = f"column {both[0]!r} holds lists in one file and texts in another"
        raise UnreadableFileError(msg)
    return TextTable(
        source=", ".join(table.source for table in tables),
        columns={
            name: concatenate(
                [t.columns.get(name, nothing(t.num_rows)) for t in tables]
            )
            for name in names
        },
        lists={
            name: pa.concat_arrays(
                [
                    t.lists.get(name, pa.nulls(t.num_rows, pa.list_(pa.string())))
                    for t in tables
                ]
            )
            for name in lists
        },
        num_rows=int(starts[-1]),
        where=where,
        notes=tuple(dict.fromkeys(note for t in tables for note in t.notes)),
        unusable=unusable,
        types={
            name: kind
            for name in names
            if (kind := _common_type(tables, name)) is not None
        },
        orders={
            name: order for t in reversed(tables) for name, order in t.orders.items()
        },
        ordered=frozenset.intersection(*(table.ordered for table in tables)),
    )


def _common_type(tables: Sequence[TextTable], name: str) -> str | None:
    return common_type([t.types.get(name) for t in tables if name in t.columns])


def check_names(names: list[str], source: str) -> list[str]:
    """Names of columns, the empty ones numbered."""
    names = [name.strip() or f"column {i}" for i, name in enumerate(names, start=1)]
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        places = [i for i, name in enumerate(names, start=1) if name == twice[0]]
        msg = (
            f"{source}: columns {' and '.join(map(str, places))} are both named "
            f"{twice[0]!r}; rename one of them"
        )
        raise DuplicateColumnError(msg)
    return names


def tidy(
    columns: Mapping[str, Coded], missing: tuple[str, ...]
) -> tuple[dict[str, Coded], tuple[str, ...]]:
    """Trim blanks around texts and make missing words missing; say so."""
    words = text_array(missing)
    out = dict(columns)
    notes = []
    for name in _untidy(columns, words):
        column = columns[name]
        trimmed = pc.utf8_trim_whitespace(column.values)
        if not trimmed.equals(column.values):
            notes.append(f"blanks around the texts of column {name!r} were trimmed")
        gone = pc.is_in(trimmed, value_set=words)
        spoken = trimmed.filter(pc.and_(gone, pc.not_equal(trimmed, "")))
        notes += [
            f"cells {word!r} of column {name!r} were read as missing"
            for word in sorted(set(spoken.to_pylist()))
        ]
        values = pc.if_else(gone, pa.scalar(None, pa.string()), trimmed)
        out[name] = recode(column.codes, values)
    return out, tuple(notes)


def _untidy(columns: Mapping[str, Coded], words: pa.StringArray) -> list[str]:
    """Columns with a text to be changed; all are looked at in one pass."""
    if not columns:
        return []
    values = pa.concat_arrays([column.values for column in columns.values()])
    trimmed = pc.utf8_trim_whitespace(values)
    changed = pc.or_(
        pc.not_equal(trimmed, values), pc.is_in(trimmed, value_set=words)
    ).to_numpy(zero_copy_only=False)
    ends = np.cumsum([len(column.values) for column in columns.values()])
    which = np.searchsorted(ends, np.flatnonzero(changed), side="right")
    names = list(columns)
    return [names[i] for i in np.unique(which)]


def check_texts(column: Coded, what: str, where: Callable[[int], str]) -> None:
    """Refuse texts that hold a NUL character: no file of a run could hold them."""
    for text in column.values.filter(pc.match_substring(column.values, "\0")):
        for row in _rows(column, text):
            msg = f"{where(row)}: the {what} {text.as_py()!r} {_NUL}"
            raise BadCellError(msg)


def refuse_nul(what: str, texts: Iterable[str]) -> None:
    """Refuse texts that hold a NUL character, where no row can be named."""
    for text in texts:
        if "\0" in text:
            msg = f"the {what} {text!r} {_NUL}"
            raise BadCellError(msg)


def line_break_warnings(
    column: Coded, what: str, where: Callable[[int], str]
) -> tuple[str, ...]:
    """Say which texts hold a line break: a quote may not have been closed."""
    for text in with_line_breaks(column.values):
        for row in _rows(column, text):
            count = len(with_line_breaks(column.values))
            note = (
                f"line breaks in {count:,} texts of {what} (first: "
                f"{where(row)}, {text.as_py()[:40]!r}); if that is not meant, a quote "
                "was opened and not closed, and rows may be missing"
            )
            return (note,)
    return ()


def _rows(column: Coded, text: pa.StringScalar) -> Iterator[int]:
    """First row of a text; none if no row has it."""
    code = column.values.index(text).as_py()
    yield from (int(row) for row in (column.codes == code).nonzero()[0][:1])
