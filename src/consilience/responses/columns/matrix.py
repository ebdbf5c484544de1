"""Tables with a column for each annotator: seen from their names and what they hold."""

import re
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int

from consilience.errors import ConsilienceError, SourceError
from consilience.responses.columns import looks, wide
from consilience.responses.columns.annotator_columns import (
    made_of_others,
    named_unlike,
    numbered_stem,
    wide_columns,
)
from consilience.responses.columns.cells import long_cells
from consilience.responses.columns.names import (
    are_people,
    argument,
    is_likely,
    listing,
    usual,
)
from consilience.responses.draft import is_yes_or_no
from consilience.responses.options import ReadOptions
from consilience.responses.text import TextTable

type Codes = Int[np.ndarray, " N"]

_ALIKE = 0.1  # agreement beyond chance that labels of one item have at least
_SURE = 0.4  # that which no other columns have
_STEADY = 0.5  # variance of sums of counts, of that of independent ones, at most
_FEWEST = 10  # rows whose sums are looked at
_SHARED = 0.8  # share of the cells whose label another column has too


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """A table of which several columns hold labels."""

    lead: str | None
    columns: list[str]
    rest: list[str]
    shared: float
    by_row: float
    values: list[str]
    counted: bool
    totals: list[str]

    @property
    def stem(self) -> str | None:
        """What the names of most columns share."""
        unlike = named_unlike(self.columns)
        return numbered_stem([name for name in self.columns if name not in unlike])

    @property
    def of_annotators(self) -> bool:
        """Whether the columns are named for annotators."""
        bare = [re.sub(r"[\W_]*\d+$", "", name) for name in self.columns]
        stem = is_likely(self.stem or "", "annotator")
        return stem or all(is_likely(name, "annotator") for name in bare)

    @property
    def of_all(self) -> bool:
        """Whether names are numbers of columns: of others too, or with gaps."""
        numbers = [re.findall(r"\d+", name) for name in self.columns]
        last = sorted(int(each[-1]) for each in numbers if each)
        gaps = len(last) == len(self.columns) and last != [
            *range(last[0], last[-1] + 1)
        ]
        every = ([name, *self.columns] for name in self.rest)
        return gaps or any(numbered_stem(names) is not None for names in every)

    @property
    def of_items(self) -> bool:
        """Whether the columns are named for what was asked about."""
        stem = self.stem or ""
        return is_likely(stem, "item") and not is_likely(stem, "annotator")

    @property
    def flags(self) -> bool:
        """Whether every cell may be a yes or a no."""
        return is_yes_or_no(self.values, both=False)

    @property
    def numbers(self) -> bool:
        """Whether every cell is a whole number."""
        return all(re.fullmatch(r"[+-]?\d+(?:\.0)?", value) for value in self.values)

    @property
    def named(self) -> bool:
        """Whether names say that each column is an annotator's."""
        numbered = self.stem is not None and not self.of_all
        return self.of_annotators or numbered or are_people(self.columns)

    @property
    def sure(self) -> bool:
        """Whether each column can only be an annotator's."""
        if self.of_annotators or are_people(self.columns):
            return True
        if self.of_items or self.of_all:
            return False
        if self.stem is not None and self.by_row >= (_SURE if self.flags else _ALIKE):
            return True
        lead = self.lead or ""
        named = is_likely(lead, "item") or lead in wide.INDEX
        words = not self.numbers and not self.flags
        return self.by_row >= _SURE and words and named

    def is_turned(self, table: TextTable) -> bool:
        """Whether each row holds the answers of one annotator."""
        if self.lead is None or self.of_annotators:
            return False
        named = is_likely(self.lead, "annotator")
        if not named and is_likely(self.lead, "item"):
            return False
        few = table.num_rows < len(self.columns)
        clear = self.of_items or self.by_row >= _ALIKE or few
        if named or not clear:
            return clear
        names = table.columns[self.lead].used().values.to_pylist()
        stem = numbered_stem(names) or ""
        return are_people(names) or is_likely(stem, "annotator")


def as_matrix(
    table: TextTable, options: ReadOptions, matrix: Matrix, assumed: list[str]
) -> tuple[str, ReadOptions] | None:
    """Return how a matrix is read; None: it may be none. Ask where both may be."""
    roles = _named(table, options)
    lead, columns = matrix.lead, listing(matrix.columns, 4)
    if lead is not None and matrix.is_turned(table):
        assumed.append(
            f"Each row holds the answers of one annotator, named by {lead!r}, and each "
            f"of the columns {columns} is an item."
        )
        named = replace(options.columns, annotator=lead)
        return "wide", replace(options, columns=named)
    if matrix.counted and not matrix.named and lead and is_likely(lead, "item"):
        counted = [name for name in matrix.columns if name not in matrix.totals]
        assumed.append(
            f"Each of the columns {listing(counted, 4)} is a label and holds how many "
            f"gave it, and each row is an item, named by {lead!r}."
        )
        rest = tuple(n for n in table.names if n != lead and n not in counted)
        by_lead = replace(options.columns, item=lead)
        exclude = (*options.exclude, *rest)
        return "counts", replace(options, columns=by_lead, exclude=exclude)
    if not matrix.sure or (not matrix.named and _of_one_answer(table, matrix)):
        if matrix.shared < _SHARED or "label" in roles:
            return None
        raise _ask_wide(table, matrix)
    _check_crossed(table, [name for name in table.columns if name != lead])
    odd = None if matrix.of_annotators else _odd(table, matrix.columns)
    if odd is not None:
        more = f" {argument('item', lead)}" if lead else ""
        raise SourceError(
            f"{table.source}: the columns look like one for each annotator, but "
            f"{odd!r} is filled unlike the others: if it is the truth, name it "
            f"({argument('gold_column', odd)}); if it was made of the others, leave it "
            f'out (`exclude={odd}`); if it is an annotator, add `format="wide"`{more}'
        )
    item = wide.name_of_rows(table, options.columns.item) or lead
    assumed.append(
        f"Each of the {len(matrix.columns):,} columns {columns} holds the labels of "
        "one annotator, and each row is an item "
        f"({'row numbers' if item is None else f'named by {item!r}'})."
    )
    return "wide", replace(options, columns=replace(options.columns, item=item))


def _check_crossed(table: TextTable, names: list[str]) -> None:
    """Ask where names cross, such as *ann_q1* to *bob_q2*: of people and questions."""
    parts = [tuple(re.split(r"[\W_]+(?=[^\W_]+$)", name)) for name in names]
    if any(len(part) != 2 for part in parts):
        return
    people, questions = (list(dict.fromkeys(part[k] for part in parts)) for k in (0, 1))
    both = len(people) > 1 < len(questions)
    if not both or len({*parts}) < len(people) * len(questions):
        return
    rest = [n for n, part in zip(names, parts, strict=True) if part[1] != questions[0]]
    raise SourceError(
        f"{table.source}: the columns {listing(names, 12)} are named for "
        f"{listing(people, 4)} and for {listing(questions, 4)}, as if each of one "
        "answered each of the other: read one question, without the others "
        f"(`exclude={','.join(rest)}`), or, if each column is an annotator, add "
        '`format="wide"`'
    )


def _of_one_answer(table: TextTable, matrix: Matrix) -> bool:
    """Return whether labels are the same wherever a column that repeats is."""
    for name, column in table.columns.items():
        if name in {*matrix.columns, matrix.lead} or not looks.repeats(column):
            continue
        number = looks.num_values(column)
        if number < 2:
            continue
        for each in matrix.columns:
            label = table.columns[each]
            if looks.num_values(label) > 1 and looks.num_pairs(column, label) == number:
                return True
    return False


def matrix_of(table: TextTable, options: ReadOptions) -> Matrix | None:
    """Return the columns of labels, if there are several that hold the same ones."""
    roles = _named(table, options)
    named = options.columns
    if any((named.annotator, named.label, named.answer, named.n)) or options.split:
        return None
    number = {n: looks.num_values(column) for n, column in table.columns.items()}
    keys = [name for name in number if number[name] == table.num_rows]
    if "annotator" in roles and roles["annotator"] not in keys:
        return None
    names = list(table.columns)
    best = wide.name_of_rows(table, named.item)
    leads = [best, roles.get("annotator"), *names[:1], *keys]
    lead = next((name for name in leads if name in keys), None)
    rest = [name for name in names if name != lead]
    try:
        columns = wide_columns(replace(table, lists={}), rest, options).annotators
    except ConsilienceError:
        return None
    if len(columns) < 2 or table.num_rows < 2:
        return None
    row, column, cell = long_cells(table, columns)
    cell = cell.used()
    filled = cell.codes >= 0
    row, column, code = row[filled], column[filled], cell.codes[filled]
    width = len(columns)
    stands = np.unique(code.astype(np.int64) * width + column) // width
    again = np.bincount(stands, minlength=len(cell.values))[code] > 1
    counted, totals = _counts(row, column, cell.values.to_pylist(), code, columns)
    few = 0 < 2 * len(cell.values) <= len(code)  # most labels do not stand just once
    matrix = Matrix(
        lead=lead,
        columns=columns,
        rest=[name for name in names if name not in columns],
        shared=float(again.mean()) if few else 0.0,
        by_row=looks.agreement(row, code) if few else 0.0,
        values=[value for value in cell.values.to_pylist() if value != "-1"],
        counted=counted,
        totals=totals,
    )
    return matrix if matrix.shared or (matrix.of_annotators and matrix.values) else None


def _counts(
    row: Codes, column: Codes, values: list[str], code: Codes, names: list[str]
) -> tuple[bool, list[str]]:
    """Return whether cells are counts of answers, and which columns are their sums."""
    # What many say, few say otherwise: sums of rows vary less than their parts.
    if not all(re.fullmatch(r"\d+(?:\.0)?", value) for value in values):
        return False, []
    number = np.zeros((row.max(initial=0) + 1, len(names)))
    number[row, column] = np.array(values, float)[code]
    whole = number.sum(1, keepdims=True)
    totals = (2 * number == whole).all(0) & (len(names) > 2)
    parts = number[:, ~totals]
    several = len(number) >= _FEWEST and parts.shape[1] > 1 and parts.max() > 1
    sums = parts.sum(1)
    steady = sums.var() < _STEADY * parts.var(0).sum() and sums.min() > 0
    return bool(several and steady), [names[at] for at in np.flatnonzero(totals)]


def _odd(table: TextTable, names: list[str]) -> str | None:
    """Column that may be the truth: alone without gaps, or what most others say."""
    made = made_of_others(table.columns, names)
    share = {name: float((table.columns[name].codes >= 0).mean()) for name in names}
    whole = [n for n, each in share.items() if each == 1.0 and not are_people([n])]
    rest = [each for each in share.values() if each < 1.0]
    alone = len(whole) == 1 < len(rest) and max(rest) < 0.9
    return made[0] if made else whole[0] if alone else None


def _ask_wide(table: TextTable, matrix: Matrix) -> SourceError:
    lead, columns = matrix.lead, matrix.columns
    item = f" {argument('item', lead)}" if lead else ""
    ways = [f'one annotator\'s, read it with `format="wide"`{item}']
    if matrix.flags:
        ways.append(f"a label, with `one_hot={','.join(columns)}`")
    elif matrix.numbers:
        ways.append(f'the count of a label, with `format="counts"`{item}')
    if lead and (matrix.of_items or not is_likely(lead, "item")):
        ways.append(f'an item, with `format="wide"` {argument("annotator", lead)}')
    msg = (
        f"{table.source}: no column looks like the label; the columns "
        f"{listing(columns, 6)} hold the same labels: if each is "
        f"{'; if each is '.join(ways)}"
    )
    return SourceError(msg)


def _named(table: TextTable, options: ReadOptions) -> dict[str, str]:
    """Return columns by role, where their names are usual or the caller named them."""
    roles: dict[str, str] = {}
    for role in ("item", "annotator", "label", "answer"):
        given = getattr(options.columns, role)
        free = [n for n in usual(table.names, role) if n not in roles.values()]
        name = given or (free[0] if len(free) == 1 else None)
        roles |= {} if name is None else {role: name}
    return roles
