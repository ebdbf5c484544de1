# ruff: noqa: RUF001 - signs of minus and dashes that labels hold
"""Columns of text: coded once, in their natural order, and tables of them.

A column is its distinct values and, per row, the code of one of them; -1 is a missing
cell. Values are sorted naturally: by number if all are numbers, else as text; labels by
the words of well-known scales too. The text of ids never changes: ``007`` and ``1.0``
stay.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int

from consilience.errors import ColumnError, DataError, SourceError
from consilience.responses.id_types import Texts, common_type

_NUMBER = re.compile(r"(?<![\w.])[-+−]?\d+(?:[.,]\d+)?(?![\w.]*\d)|\d+")
_PLAIN = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
_STEPS = 11  # of a rating, at most
_MOST = 1000  # labels whose scale is looked for
_NUL = "holds a NUL character, which is not text; remove it"


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """A column of text as codes of its distinct values."""

    codes: Int[np.ndarray, " N"]
    values: Texts

    @classmethod
    def of(cls, texts: Iterable[str | None]) -> "Coded":
        """Code a list of texts."""
        return encode(text_array(texts))

    @classmethod
    def nothing(cls, num_rows: int) -> "Coded":
        """Make a column without any value."""
        return cls(np.full(num_rows, -1, np.int32), text_array([]))

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.codes)

    def text(self, row: int) -> str | None:
        """Text of one row."""
        code = int(self.codes[row])
        return None if code < 0 else str(self.values[code].as_py())

    def take(self, rows: np.ndarray) -> "Coded":
        """Take some of the rows (indices or a mask)."""
        return replace(self, codes=self.codes[rows])

    def used(self) -> "Coded":
        """Drop the values that no row has."""
        used = np.zeros(len(self.values) + 1, bool)
        used[self.codes] = True
        used = used[:-1]  # the last one is marked by missing cells
        if used.all():
            return self
        new = np.where(used, np.cumsum(used) - 1, -1)
        return Coded(_apply(new, self.codes), self.values.filter(pa.array(used)))

    def sorted(self, extra: Texts | None = None) -> "Coded":
        """Put the values in natural order; drop unused ones, add those of `extra`."""
        column = self.used()
        if extra is not None:
            values = pa.concat_arrays([column.values, extra])
            column = recode(column.codes, values)
        order = natural_order(column.values)
        place = np.empty(len(order), np.int32)
        place[order] = np.arange(len(order), dtype=np.int32)
        return Coded(_apply(place, column.codes), column.values.take(pa.array(order)))

    def coded_by(self, values: Texts) -> "Coded":
        """Code by a given list of values; what is not among them becomes missing."""
        places = pc.index_in(self.values, value_set=values)
        new = places.fill_null(-1).to_numpy(zero_copy_only=False)
        return Coded(_apply(new, self.codes), values)

    def series(self, *, ordered: bool = False) -> pd.Series:
        """Categorical column with the values as categories, in their order."""
        dtype = pd.CategoricalDtype(index(self.values), ordered=ordered)
        return pd.Series(pd.Categorical.from_codes(self.codes, dtype=dtype))


def index(values: Texts) -> pd.Index:
    """Values as a pandas index of text."""
    return pd.Index(pd.array(values, dtype="str"))


def text_array(values: Iterable[str | None]) -> Texts:
    """Texts as an Arrow array."""
    return pa.array(list(values), type=pa.string())


def with_line_breaks(values: Texts) -> Texts:
    """Return the texts that hold a line break."""
    return values.filter(pc.match_substring_regex(values, "[\r\n]"))


def encode(column: pa.Array | pa.ChunkedArray) -> Coded:
    """Code a column of text (plain or dictionary-encoded)."""
    if isinstance(column, pa.ChunkedArray):
        column = column.unify_dictionaries().combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # no chunk at all
        column = pa.array([], type=column.type)
    if not isinstance(column, pa.DictionaryArray):
        column = pc.dictionary_encode(column.cast(pa.string()))
    indices = column.indices
    if pa.types.is_unsigned_integer(indices.type):
        indices = indices.cast(pa.int64())
    codes = indices.fill_null(-1).to_numpy(zero_copy_only=False)
    values = column.dictionary.cast(pa.string())
    return recode(codes.astype(np.int32, copy=False), values)


def recode(codes: Int[np.ndarray, " N"], values: Texts) -> Coded:
    """Merge equal values, and make null values missing cells."""
    if values.null_count == 0 and len(pc.unique(values)) == len(values):
        return Coded(codes, values)
    merged = pc.dictionary_encode(values)
    new = merged.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return Coded(_apply(new, codes), merged.dictionary)


def concatenate(columns: Sequence[Coded]) -> Coded:
    """Columns one below the other, with one set of values."""
    if len(columns) == 1:
        return columns[0]
    starts = np.cumsum([0] + [len(column.values) for column in columns[:-1]])
    codes = [
        np.where(column.codes < 0, -1, column.codes + start).astype(np.int32)
        for column, start in zip(columns, starts, strict=True)
    ]
    values = pa.concat_arrays([column.values for column in columns])
    return recode(np.concatenate(codes), values)


def natural_order(values: Texts) -> Int[np.ndarray, " V"]:
    """Order that sorts texts: by number if all are numbers, else as text."""
    numbers = _numbers(values)
    keys = {"text": values} if numbers is None else {"number": numbers, "text": values}
    by = [(name, "ascending") for name in keys]
    order = pc.sort_indices(pa.table(keys), sort_keys=by)
    return order.to_numpy().astype(np.int64)


def num_distinct(codes: Int[np.ndarray, " N"]) -> int:
    """Count the distinct values among numbers from 0 that lie close together."""
    # Sorting or hashing ten million row numbers takes ten times longer.
    marks = np.zeros(int(codes.max(initial=-1)) + 1, bool)
    marks[codes] = True
    return int(marks.sum())


def alike_numbers(labels: Iterable[str]) -> dict[str, str]:
    """Return how numbers are written alike, for those that are written otherwise."""
    # Whole numbers have no point, or all have one where others have fractions; a
    # single `2.0` may be a name.
    numbers = set(filter(_PLAIN.fullmatch, labels))
    whole = {text for text in numbers if "." not in text}
    pointed = {text: text[:-2] for text in numbers if text.endswith(".0")}
    if len(pointed) + len(whole) < len(numbers):
        return {text: f"{text}.0" for text in whole if pointed}
    return pointed if len(pointed) > 1 or whole & {*pointed.values()} else {}


def _apply(
    new: Int[np.ndarray, " V"], codes: Int[np.ndarray, " N"]
) -> Int[np.ndarray, " N"]:
    """Replace each code by its new code; missing stays missing."""
    return np.append(new, -1).astype(np.int32)[codes]


def _numbers(values: Texts) -> pa.DoubleArray | None:
    try:
        values[:1].cast(pa.float64())  # most texts are refused by the first of them
        numbers = values.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    return numbers if pc.all(pc.is_finite(numbers)).as_py() is not False else None


# The order of labels


def _scale(text: str) -> dict[str, int]:
    places = (part.split("/") for part in " ".join(text.split()).split("|"))
    return {word.strip(): place for place, words in enumerate(places) for word in words}


# In the file each goes from its low end to its high one; words of one place, between
# slashes, mean the same.
_TEXT = Path(__file__).with_name("scales.txt").read_text("utf-8")
SCALES = tuple(map(_scale, _TEXT.strip().split("\n\n")))


def scale_order(labels: Sequence[str]) -> list[str] | None:
    """Return labels in the order of their scale; None: they have none that is known."""
    if not 2 <= len(labels) <= _MOST:
        return None
    keys = _numbered(labels) or _worded(labels)
    if keys is None or len(set(keys)) < len(keys):
        return None
    return [label for _, label in sorted(zip(keys, labels, strict=True))]


def natural_texts(labels: Sequence[str]) -> list[str]:
    """Return labels by their scale, else by number if all are numbers, else as text."""
    natural = [labels[place] for place in natural_order(text_array(labels))]
    return scale_order(natural) or natural


def has_order(labels: Sequence[str]) -> bool:
    """Say whether labels stand in the order of numbers or of a known scale."""
    return scale_order(labels) == list(labels)


def is_scale(labels: Sequence[str]) -> bool:
    """Say whether labels that stand in this order are steps of a scale or ratings."""
    if len(labels) < 3 or not has_order(labels):
        return False
    numbers = _numbered(labels)
    if numbers is None:
        return True
    steps = {high - low for low, high in pairwise(numbers)}
    return len(labels) <= _STEPS and len(steps) == 1


def _numbered(labels: Sequence[str]) -> list[float] | None:
    """Return the one number in each label, where they differ in little else."""
    matches = [list(_NUMBER.finditer(label)) for label in labels]
    if not all(len(each) == 1 for each in matches):
        return None
    rests = {
        re.sub(r"\W+", "", label[: m.start()] + "#" + label[m.end() :]).rstrip("s")
        for label, (m,) in zip(labels, matches, strict=True)
    }
    leading = all(m.start() == 0 for (m,) in matches)
    parted = all(re.match(r"\s*[-–=:.)]|\s", m.string[m.end() :]) for (m,) in matches)
    if len(rests) > 1 and not (leading and parted):
        return None
    return [float(m.group().replace(",", ".").replace("−", "-")) for (m,) in matches]


def _worded(labels: Sequence[str]) -> list[float] | None:
    words = [
        " ".join(re.split(r"[\W_]+", label.casefold())).strip() for label in labels
    ]
    for scale in SCALES:
        if all(word in scale for word in words):
            return [float(scale[word]) for word in words]
    return None


# Tables of columns


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
            raise DataError(
                f"{self.source}: column {name!r} holds lists; one text was expected"
            )
        return self.columns[name]


def not_as_text(source: str, name: str, what: str) -> DataError:
    """Error for a column that is needed and cannot be written as text."""
    return DataError(
        f"{source}: column {name!r} ({what}) cannot be written as text; expected text "
        "or numbers; convert or drop the column"
    )


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
        raise SourceError(
            f"column {both[0]!r} holds lists in one file and texts in another"
        )
    types = {
        name: common_type([t.types.get(name) for t in tables if name in t.columns])
        for name in names
    }
    return TextTable(
        source=", ".join(table.source for table in tables),
        columns={
            name: concatenate(
                [t.columns.get(name, Coded.nothing(t.num_rows)) for t in tables]
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
        types={name: kind for name, kind in types.items() if kind is not None},
        orders={
            name: order for t in reversed(tables) for name, order in t.orders.items()
        },
        ordered=frozenset.intersection(*(table.ordered for table in tables)),
    )


def check_names(names: list[str], source: str) -> list[str]:
    """Names of columns, the empty ones numbered."""
    names = [name.strip() or f"column {i}" for i, name in enumerate(names, start=1)]
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        places = [i for i, name in enumerate(names, start=1) if name == twice[0]]
        raise ColumnError(
            f"{source}: columns {' and '.join(map(str, places))} are both named "
            f"{twice[0]!r}; rename one of them"
        )
    return names


def tidy(
    columns: Mapping[str, Coded], missing: tuple[str, ...]
) -> tuple[dict[str, Coded], tuple[str, ...]]:
    """Trim blanks around texts and make missing words missing; say so."""
    words = text_array(missing)
    out = dict(columns)
    notes = []
    for name, column in columns.items():
        trimmed = pc.utf8_trim_whitespace(column.values)
        blanks = not trimmed.equals(column.values)
        gone = pc.is_in(trimmed, value_set=words)
        if not blanks and not pc.any(gone).as_py():
            continue
        if blanks:
            notes.append(f"blanks around the texts of column {name!r} were trimmed")
        spoken = trimmed.filter(pc.and_(gone, pc.not_equal(trimmed, "")))
        notes += [
            f"cells {word!r} of column {name!r} were read as missing"
            for word in sorted(set(spoken.to_pylist()))
        ]
        values = pc.if_else(gone, pa.scalar(None, pa.string()), trimmed)
        out[name] = recode(column.codes, values)
    return out, tuple(notes)


def check_texts(column: Coded, what: str, where: Callable[[int], str]) -> None:
    """Refuse texts that hold a NUL character: no file of a run could hold them."""
    with_nul = column.values.filter(pc.match_substring(column.values, "\0"))
    if first := first_row(column, with_nul):
        row, text = first
        raise DataError(f"{where(row)}: the {what} {text!r} {_NUL}")


def refuse_rows(bad: np.ndarray, where: Callable[[int], str], why: str) -> None:
    """Refuse rows that break a rule; the error names the first of them."""
    if bad.any():
        raise DataError(f"{where(int(bad.argmax()))}: {why}")


def refuse_nul(what: str, texts: Iterable[str]) -> None:
    """Refuse texts that hold a NUL character, where no row can be named."""
    for text in texts:
        if "\0" in text:
            raise DataError(f"the {what} {text!r} {_NUL}")


def first_row(column: Coded, texts: Texts) -> tuple[int, str] | None:
    """First of some texts that a row has, and that row."""
    for text in texts:
        rows = (column.codes == column.values.index(text).as_py()).nonzero()[0]
        if len(rows):
            return int(rows[0]), text.as_py()
    return None
