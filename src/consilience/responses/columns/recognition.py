"""What a table is whose names of columns do not say it: seen from what it holds.

A wrong reading is worse than a question. What names and content show together is read,
and results say what was assumed; what only the content shows is proposed, as the call
that reads it; what neither shows is asked.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np

from consilience.errors import ConsilienceError, SourceError
from consilience.responses.columns import looks, wide
from consilience.responses.columns.cells import long_cells, yes_or_no
from consilience.responses.columns.names import (
    EXTRAS,
    are_people,
    argument,
    find,
    is_likely,
    listing,
    plain,
)
from consilience.responses.draft import is_yes_or_no
from consilience.responses.options import Kind, ReadOptions
from consilience.responses.sources.nested import singular
from consilience.responses.text import Coded, TextTable

_ROLES = ("item", "annotator", "label")
_MOST_COLUMNS = 12  # of which roles are proposed
_LOOKED = 60  # that may be the annotator
_ROWS = 100_000  # that are looked at
_APART = 0.95  # share of the pairs of item and annotator that stand once
_ALIKE = 0.1  # agreement beyond chance that labels of one item have at least
_SURE = 0.4  # that which no other columns have
_SHARED = 0.8  # share of the cells whose label another column has too
_ALWAYS = 0.98  # that which annotators do not reach
_CLEARLY = 0.5  # points between the best guess and the next


type Understood = tuple[str, ReadOptions]  # the format, and the options that read it


def understand(
    table: TextTable, options: ReadOptions, assumed: list[str]
) -> Understood | None:
    """Say how a table is to be read, and what was assumed; None: it does not show."""
    roles = _named(table, options)
    answered = "label" in roles or "answer" in roles
    if answered and {"item", "annotator"} <= set(roles):
        return "long", options
    lists = [name for name in table.lists if is_likely(singular(name), "label")]
    if len(lists) == 1 and not answered:
        lead = "" if "item" in roles else f"{argument('item', table.names[0])} "
        raise SourceError(
            f"{table.source}: column {lists[0]!r} holds several labels per row; if "
            f"each is the answer of a person who is not named, read it with {lead}"
            f'{argument("label", lists[0])} `kind="choice"`; if one answer names '
            'several, with `kind="objects"`'
        )
    matrix = _wide(table, options, roles, assumed)
    if matrix is not None:
        return matrix
    find_roles = _with_annotator if answered and "item" in roles else _long
    return find_roles(table, options, roles, assumed)


def _with_columns(
    options: ReadOptions, columns: Mapping[str, str], kind: Kind | None = None
) -> ReadOptions:
    """Return the options with columns, and a kind where none was given."""
    named = replace(options.columns, **columns)
    return replace(options, columns=named, kind=options.kind or kind)


def _named(table: TextTable, options: ReadOptions) -> dict[str, str]:
    """Return columns by role, where their names are usual or the caller named them."""
    roles: dict[str, str] = {}
    for role in (*_ROLES, "answer"):
        free = [name for name in table.names if name not in roles.values()]
        given = getattr(options.columns, role)
        name = find(free, role, given, table.source, table.unusable)
        roles |= {} if name is None else {role: name}
    return roles


# A matrix of items by annotators


@dataclass(frozen=True, slots=True, kw_only=True)
class _Matrix:
    """A table of which several columns hold labels."""

    lead: str | None
    columns: list[str]
    shared: float
    by_row: float
    values: list[str]

    @property
    def stem(self) -> str | None:
        """What the names of most columns share."""
        unlike = wide.named_unlike(self.columns)
        return wide.numbered_stem([name for name in self.columns if name not in unlike])

    @property
    def of_annotators(self) -> bool:
        """Whether the columns are named for annotators."""
        bare = [re.sub(r"[\W_]*\d+$", "", name) for name in self.columns]
        stem = is_likely(self.stem or "", "annotator")
        return stem or all(is_likely(name, "annotator") for name in bare)

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
    def sure(self) -> bool:
        """Whether each column can only be an annotator's."""
        if self.of_annotators or are_people(self.columns):
            return True
        if self.flags or self.of_items:
            return False
        if self.stem is not None and self.by_row >= _ALIKE:
            return True
        return self.by_row >= _SURE and not self.numbers and self.lead is not None

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
        stem = wide.numbered_stem(names) or ""
        return are_people(names) or is_likely(stem, "annotator")


def _wide(
    table: TextTable, options: ReadOptions, roles: Mapping[str, str], assumed: list[str]
) -> Understood | None:
    matrix = _matrix(table, options, roles)
    if matrix is None:
        return None
    lead, columns = matrix.lead, listing(matrix.columns, 4)
    if lead is not None and matrix.is_turned(table):
        assumed.append(
            f"Each row holds the answers of one annotator, named by {lead!r}, and each "
            f"of the columns {columns} is an item."
        )
        return "wide", _with_columns(options, {"annotator": lead})
    if not matrix.sure:
        if matrix.shared < _SHARED or "label" in roles:
            return None
        raise _ask_wide(table, matrix)
    odd = None if matrix.of_annotators else _odd(table, matrix.columns)
    if odd is not None:
        more = f" {argument('item', lead)}" if lead else ""
        raise SourceError(
            f"{table.source}: the columns look like one for each annotator, but "
            f"{odd!r} is filled unlike the others: if it is the truth, name it "
            f"({argument('gold_column', odd)}); if it was made of the others, leave it "
            f'out (`exclude={odd}`); if it is an annotator, add `format="wide"`{more}'
        )
    item = roles.get("item", lead)
    assumed.append(
        f"Each of the {len(matrix.columns):,} columns {columns} holds the labels of "
        "one annotator, and each row is an item "
        f"({'row numbers' if item is None else f'named by {item!r}'})."
    )
    named = {} if lead is None or "item" in roles else {"item": lead}
    return "wide", _with_columns(options, named)


def _matrix(
    table: TextTable, options: ReadOptions, roles: Mapping[str, str]
) -> _Matrix | None:
    """Return the columns of labels, if there are several that hold the same ones."""
    named = options.columns
    if any((named.annotator, named.label, named.answer, named.n)) or options.split:
        return None
    number = {n: looks.num_values(column) for n, column in table.columns.items()}
    keys = [name for name in number if number[name] == table.num_rows]
    if "annotator" in roles and roles["annotator"] not in keys:
        return None
    names = list(table.columns)
    leads = [roles[role] for role in ("item", "annotator") if role in roles]
    leads += [name for name in names if is_likely(name, "item")] + names[:1]
    lead = next((name for name in leads if name in keys), None)
    rest = [name for name in names if name != lead]
    try:
        columns = wide.wide_columns(replace(table, lists={}), rest, options).annotators
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
    few = 0 < 2 * len(cell.values) <= len(code)  # most labels do not stand just once
    matrix = _Matrix(
        lead=lead,
        columns=columns,
        shared=float(again.mean()) if few else 0.0,
        by_row=looks.agreement(row, code) if few else 0.0,
        values=[value for value in cell.values.to_pylist() if value != "-1"],
    )
    return matrix if matrix.shared or (matrix.of_annotators and matrix.values) else None


def _odd(table: TextTable, names: list[str]) -> str | None:
    """Column that may be the truth: alone without gaps, or what most others say."""
    made = wide.made_of_others(table.columns, names)
    share = {name: float((table.columns[name].codes >= 0).mean()) for name in names}
    whole = [n for n, each in share.items() if each == 1.0 and not are_people([n])]
    rest = [each for each in share.values() if each < 1.0]
    alone = len(whole) == 1 < len(rest) and max(rest) < 0.9
    return made[0] if made else whole[0] if alone else None


def _ask_wide(table: TextTable, matrix: _Matrix) -> SourceError:
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


# One row for each answer


def _with_annotator(
    table: TextTable, options: ReadOptions, roles: Mapping[str, str], assumed: list[str]
) -> Understood | None:
    """Look for the annotator where item and label are named."""
    label = roles.get("label", roles.get("answer", ""))
    item = table.columns.get(roles["item"])
    if item is None or label not in table.columns or not looks.repeats(item):
        return None
    free = [
        name
        for name, column in list(table.columns.items())[:_LOOKED]
        if name not in roles.values()
        and plain(name) not in EXTRAS
        and _may_be_annotator(column)
        and looks.tell_apart(item, column) >= _APART
    ]
    by_name = [name for name in free if is_likely(name, "annotator")]
    first = table.columns[by_name[0]] if by_name else None
    others = [table.columns[name] for name in by_name[1:]]
    if first and all(looks.are_one_to_one(first, other) for other in others):
        named = {"annotator": by_name[0]}
        assumed.append(_sentence(named))
        return "long", _with_columns(options, named)
    if not free or "n" in map(plain, table.names):
        return None
    raise SourceError(
        f"{table.source}: no column looks like the annotator, and {listing(free, 4)} "
        "tells the answers of an item apart: if it is one, name it "
        f"({argument('annotator', free[0])}); if the answers are anonymous, add "
        '`format="long"`'
    )


def _long(
    table: TextTable, options: ReadOptions, roles: Mapping[str, str], assumed: list[str]
) -> Understood | None:
    """Find roles by names and content together; propose them by content alone."""
    named = {("label" if role == "answer" else role): n for role, n in roles.items()}
    named |= {"label": roles["label"]} if "label" in roles else {}
    free = [name for name in table.columns if name not in named.values()]
    if "label" not in named and len(yes_or_no(table, free)) > 1:
        return None  # they may be one for each label
    guesses = _guesses(table, named)
    if not guesses:
        return None
    (score, best), *others = guesses
    by_name = {role for role in best if role in named or is_likely(best[role], role)}
    # One of item and label may be seen from the content alone, where no other column
    # can be it, and labels of one item agree.
    clear = all(score - each >= _CLEARLY for each, _ in others[:1])
    # Nor may another column be the label, by its name as much as the best.
    likely = is_likely(best["label"], "label")
    label = {"label": best["label"]}
    rivals = [guess["label"] for _, guess in others if guess | label == best]
    clear &= not any(is_likely(name, "label") == likely for name in rivals)
    of_item, of_person = _agreements(table.columns, best)
    clear &= bool(_fit(table.columns, best)) and of_item > of_person - 0.05
    seen = "label" in by_name or ("item" in by_name and of_item >= _ALIKE)
    if clear and seen and "annotator" in by_name:
        new = {role: name for role, name in best.items() if name not in roles.values()}
        kind: Kind | None = None if "answer" in roles else "choice"
        assumed.append(_sentence(new))
        return "long", _with_columns(options, new, kind)
    how = " ".join(argument(role, name) for role, name in best.items())
    raise SourceError(
        f"{table.source}: which column is which does not show from the names "
        f"{listing(table.names, 6)}; by what they hold, it may be read with {how}"
    )


def _guesses(
    table: TextTable, roles: Mapping[str, str]
) -> list[tuple[float, dict[str, str]]]:
    """Return what the roles can be by what columns hold, the best guess first."""
    some = np.arange(min(table.num_rows, _ROWS))
    columns = {name: column.take(some) for name, column in table.columns.items()}
    free: list[str] = []
    for name, column in columns.items():
        taken = name in roles.values() or plain(name) in EXTRAS
        if taken or looks.look(column) in {looks.EMPTY, looks.DATES, looks.STRUCTURES}:
            continue
        # Of columns that name the same things, the first has a chance, or the likelier.
        twins = [n for n in free if looks.are_one_to_one(columns[n], column)]
        if not any(_likely(name) <= _likely(twin) for twin in twins):
            free = [n for n in free if n not in twins] + [name]
    lacking = [role for role in _ROLES if role not in roles]
    guesses = []
    for names in permutations(free[:_MOST_COLUMNS], len(lacking)):
        guess = dict(roles) | dict(zip(lacking, names, strict=True))
        guess = {role: guess[role] for role in _ROLES}
        if set(guess.values()) <= set(columns) and (score := _fit(columns, guess)):
            guesses.append((score, guess))
    return sorted(guesses, key=lambda each: -each[0])


def _likely(name: str) -> set[str]:
    return {role for role in _ROLES if is_likely(name, role)}


def _fit(columns: Mapping[str, Coded], roles: Mapping[str, str]) -> float:
    """Grade roles; 0: they cannot be."""
    item, annotator, label = (columns[roles[role]] for role in _ROLES)
    by_name = sum(is_likely(name, role) for role, name in roles.items())
    never = {*looks.NEVER_LABELS, looks.FRACTIONS}
    if looks.look(label) in never or not _may_be_annotator(annotator):
        return 0.0
    if not (looks.repeats(item) and looks.repeats(label)):
        return 0.0
    if looks.tell_apart(item, annotator) < _APART:
        return 0.0
    of_item, of_person = _agreements(columns, roles)
    if of_item > _ALWAYS and not is_likely(roles["label"], "label"):
        return 0.0  # it says something of the item
    few = looks.num_values(label) < looks.num_values(item)
    return 1.0 + by_name + few + 3 * (of_item - of_person)


def _agreements(
    columns: Mapping[str, Coded], roles: Mapping[str, str]
) -> tuple[float, float]:
    """Return how far labels agree by item, and by annotator."""
    item, annotator, label = (columns[roles[role]].codes for role in _ROLES)
    return looks.agreement(item, label), looks.agreement(annotator, label)


def _may_be_annotator(column: Coded) -> bool:
    words = column.used().values[:9].to_pylist()
    never = {*looks.NEVER_LABELS, looks.FRACTIONS, looks.CONSTANT}
    is_label = looks.look(column) not in never and not is_yes_or_no(words)
    return is_label and looks.repeats(column)


def _sentence(roles: Mapping[str, str]) -> str:
    parts = [f"{name!r} holds the {role}" for role, name in roles.items()]
    return f"By its name and what it holds, column {', '.join(parts)}."
