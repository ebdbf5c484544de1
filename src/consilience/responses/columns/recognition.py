"""What a table is whose names of columns do not say it: seen from what it holds.

A wrong reading is worse than a question. What names and content show together is read,
and results say what was assumed; what only the content shows is proposed, as the call
that reads it; what neither shows is asked.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations

import numpy as np

from consilience.errors import ConsilienceError, UnknownFormatError
from consilience.responses.columns.looks import (
    CONSTANT,
    DATES,
    DISTINCT,
    EMPTY,
    FRACTIONS,
    LINKS,
    NEVER_LABELS,
    STRUCTURES,
    TEXTS,
    look,
    yes_or_no,
)
from consilience.responses.columns.names import EXTRAS, find, listing, plain
from consilience.responses.columns.vocabulary import are_people, is_likely
from consilience.responses.columns.wide_columns import (
    made_of_others,
    named_unlike,
    numbered_stem,
    wide_columns,
)
from consilience.responses.draft import is_yes_or_no
from consilience.responses.options import Kind, ReadOptions
from consilience.responses.sources.nested import singular
from consilience.responses.tables.coding import Coded, concatenate, drop_unused
from consilience.responses.tables.text_table import TextTable

_MOST_COLUMNS = 12  # of which roles are proposed
_LOOKED = 60  # that may be the annotator
_ROWS = 100_000  # that are looked at
_PAIRED = 0.95  # share of the pairs of item and annotator that stand once
_SHARED = 0.8  # share of the cells whose label another column has too
_ALIKE = 0.1  # agreement beyond chance that labels of one item have at least
_ALWAYS = 0.98  # agreement that annotators do not reach
_CLEARLY = 0.5  # points of `_fit` between the best guess and the next
_SURE = 0.4  # that which no other columns have


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """How a table is to be read."""

    format: str
    columns: dict[str, str] = field(default_factory=dict)
    kind: Kind | None = None
    assumptions: tuple[str, ...] = ()

    def applied(self, options: ReadOptions) -> ReadOptions:
        """Return the options with these columns."""
        columns = replace(options.columns, **self.columns)
        return replace(options, columns=columns, kind=options.kind or self.kind)


def understand(table: TextTable, options: ReadOptions) -> Understood | None:
    """Say how a table is to be read; None: it does not show."""
    roles = _named(table, options)
    answered = "label" in roles or "answer" in roles
    if "item" in roles and "annotator" in roles and answered:
        return Understood(format="long")
    lists = [name for name in table.lists if is_likely(singular(name), "label")]
    if not answered and len(lists) == 1:
        raise _ask_list(table, lists[0], roles)
    wide = _wide(table, options, roles)
    if wide is not None:
        return wide
    if "item" in roles and answered:
        return _with_annotator(table, roles)
    return _long(table, roles)


def _named(table: TextTable, options: ReadOptions) -> dict[str, str]:
    """Return columns by role, where their names are usual or the caller named them."""
    roles: dict[str, str] = {}
    for role in ("item", "annotator", "label", "answer"):
        free = [name for name in table.names if name not in roles.values()]
        given = getattr(options.columns, role)
        name = find(free, role, given, table.source, table.unusable)
        if name is not None:
            roles[role] = name
    return roles


def _ask_list(table: TextTable, name: str, roles: dict[str, str]) -> UnknownFormatError:
    item = "" if "item" in roles else f"{_argument('item', table.names[0])} "
    msg = (
        f"{table.source}: column {name!r} holds several labels per row; if each is the "
        f"answer of a person who is not named, read it with {item}"
        f'{_argument("label", name)} `kind="choice"`; if one answer names several, '
        'with `kind="objects"`'
    )
    return UnknownFormatError(msg)


# A matrix of items by annotators


@dataclass(frozen=True, slots=True, kw_only=True)
class _Matrix:
    """A table of which several columns hold labels."""

    lead: str | None
    columns: list[str]
    stem: str | None
    shared: float
    alike: float
    values: list[str]

    @property
    def named_for_annotators(self) -> bool:
        """Whether the columns are named for annotators."""
        if self.stem is not None and is_likely(self.stem, "annotator"):
            return True
        return all(is_likely(_bare(name), "annotator") for name in self.columns)

    @property
    def named_for_items(self) -> bool:
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
        if self.named_for_annotators or are_people(self.columns):
            return True
        if self.flags or self.named_for_items:
            return False
        if self.stem is not None and self.alike >= _ALIKE:
            return True
        return self.alike >= _SURE and not self.numbers and self.lead is not None

    def rows_are_annotators(self, table: TextTable) -> bool:
        """Whether each row holds the answers of one annotator."""
        if self.lead is None or self.named_for_annotators:
            return False
        named = is_likely(self.lead, "annotator")
        if not named and is_likely(self.lead, "item"):
            return False
        few = table.num_rows < len(self.columns)
        clear = self.named_for_items or self.alike >= _ALIKE or few
        return clear and (named or _are_annotators(table.columns[self.lead]))


def _wide(
    table: TextTable, options: ReadOptions, roles: dict[str, str]
) -> Understood | None:
    matrix = _matrix(table, options, roles)
    if matrix is None:
        return None
    lead, columns = matrix.lead, listing(matrix.columns, 4)
    if lead is not None and matrix.rows_are_annotators(table):
        sentence = (
            f"Each row holds the answers of one annotator, named by {lead!r}, and each "
            f"of the columns {columns} is an item."
        )
        named = {"annotator": lead}
        return Understood(format="wide", columns=named, assumptions=(sentence,))
    if not matrix.sure:
        if matrix.shared < _SHARED or "label" in roles:
            return None
        raise _ask_wide(table, matrix)
    odd = [] if matrix.named_for_annotators else _odd(table, matrix.columns)
    if odd:
        raise _ask_of(table, lead, odd[0])
    item = roles.get("item", lead)
    sentence = (
        f"Each of the {len(matrix.columns):,} columns {columns} holds the labels of "
        "one annotator, and each row is an item "
        f"({'row numbers' if item is None else f'named by {item!r}'})."
    )
    named = {} if lead is None or "item" in roles else {"item": lead}
    return Understood(format="wide", columns=named, assumptions=(sentence,))


def _matrix(
    table: TextTable, options: ReadOptions, roles: dict[str, str]
) -> _Matrix | None:
    """Return the columns of labels, if there are several that hold the same ones."""
    named = options.columns
    if any((named.annotator, named.label, named.answer, named.n)) or options.split:
        return None
    if "annotator" in roles and not _is_key(table, roles["annotator"]):
        return None
    lead = _lead(table, roles)
    names = [name for name in table.columns if name != lead]
    try:
        columns = wide_columns(replace(table, lists={}), names, options).annotators
    except ConsilienceError:
        return None
    if len(columns) < 2 or table.num_rows < 2:
        return None
    shared, alike, values = _agreement([table.columns[name] for name in columns])
    matrix = _Matrix(
        lead=lead,
        columns=columns,
        stem=numbered_stem([n for n in columns if n not in named_unlike(columns)]),
        shared=shared,
        alike=alike,
        values=values,
    )
    return matrix if shared or (matrix.named_for_annotators and values) else None


def _lead(table: TextTable, roles: dict[str, str]) -> str | None:
    """Return the column that names the rows, each differently."""
    names = list(table.columns)
    candidates = [roles[role] for role in ("item", "annotator") if role in roles]
    candidates += [name for name in names if is_likely(name, "item")]
    candidates += names[:1]
    return next((name for name in candidates if _is_key(table, name)), None)


def _is_key(table: TextTable, name: str) -> bool:
    column = table.columns.get(name)
    if column is None or (column.codes < 0).any():
        return False
    return len(drop_unused(column).values) == table.num_rows


def _agreement(columns: Sequence[Coded]) -> tuple[float, float, list[str]]:
    """Compare the cells of rows."""
    stacked = drop_unused(concatenate(columns))
    number = len(stacked.values)
    values = [value for value in stacked.values.to_pylist() if value != "-1"]
    codes = stacked.codes.reshape(len(columns), -1)
    filled = codes >= 0
    count = int(filled.sum())
    if not number or count < 2 * number:
        return 0.0, 0.0, values
    pairs = np.unique(
        np.stack([codes[filled], np.nonzero(filled)[0]]), axis=1
    )  # which label stands in which column
    in_columns = np.bincount(pairs[0], minlength=number)
    shared = float((in_columns[codes[filled]] > 1).mean())
    row = np.nonzero(filled)[1]
    cells = np.unique(row.astype(np.int64) * number + codes[filled], return_counts=True)
    each = np.bincount(row)
    total = float((each * (each - 1)).sum())
    if not total:
        return shared, 0.0, values
    same = float((cells[1] * (cells[1] - 1)).sum()) / total
    share = np.bincount(codes[filled], minlength=number) / count
    chance = float((share**2).sum())
    return shared, (same - chance) / max(1 - chance, 1e-9), values


def _bare(name: str) -> str:
    return re.sub(r"[\W_]*\d+$", "", name)


def _are_annotators(column: Coded) -> bool:
    names = drop_unused(column).values.to_pylist()
    stem = numbered_stem(names)
    return are_people(names) or (stem is not None and is_likely(stem, "annotator"))


def _odd(table: TextTable, names: list[str]) -> list[str]:
    """Columns that may be the truth: alone without gaps, or as most others say."""
    consensus = made_of_others(table, names)
    if consensus:
        return [name for name in names if f"column {name!r} holds" in consensus[0]]
    filled = {
        name: float((table.columns[name].codes >= 0).mean())
        for name in names
        if not are_people([name])
    }
    whole = [name for name, share in filled.items() if share == 1.0]
    rest = [table.columns[name].codes >= 0 for name in names if name not in whole]
    gaps = len(rest) > 1 and all(each.mean() < 0.9 for each in rest)
    return whole if len(whole) == 1 and gaps else []


def _ask_of(table: TextTable, lead: str | None, name: str) -> UnknownFormatError:
    item = f" {_argument('item', lead)}" if lead else ""
    msg = (
        f"{table.source}: the columns look like one for each annotator, but {name!r} "
        f"is filled unlike the others: if it is the truth, name it "
        f"({_argument('gold_column', name)}); if it was made of the others, leave it "
        f'out (`exclude={name}`); if it is an annotator, add `format="wide"`{item}'
    )
    return UnknownFormatError(msg)


def _ask_wide(table: TextTable, matrix: _Matrix) -> UnknownFormatError:
    lead, columns = matrix.lead, matrix.columns
    item = f" {_argument('item', lead)}" if lead else ""
    ways = [f'one annotator\'s, read it with `format="wide"`{item}']
    if matrix.flags:
        ways.append(f"a label, with `one_hot={','.join(columns)}`")
    elif matrix.numbers:
        ways.append(f'the count of a label, with `format="counts"`{item}')
    if lead and (matrix.named_for_items or not is_likely(lead, "item")):
        ways.append(f'an item, with `format="wide"` {_argument("annotator", lead)}')
    msg = (
        f"{table.source}: no column looks like the label; the columns "
        f"{listing(columns, 6)} hold the same labels: if each is "
        f"{'; if each is '.join(ways)}"
    )
    return UnknownFormatError(msg)


# One row for each answer


def _with_annotator(table: TextTable, roles: dict[str, str]) -> Understood | None:
    """Look for the annotator where item and label are named."""
    label = roles.get("label", roles.get("answer", ""))
    item = table.columns.get(roles["item"])
    if item is None or label not in table.columns:
        return None
    free = [
        name
        for name in list(table.columns)[:_LOOKED]
        if name not in roles.values()
        and plain(name) not in EXTRAS
        and _may_be_annotator(table.columns[name])
        and _paired(item, table.columns[name]) >= _PAIRED
        and _repeats(item)
        and _repeats(table.columns[name])
    ]
    by_name = [name for name in free if is_likely(name, "annotator")]
    first = table.columns[by_name[0]] if by_name else None
    if first and all(_one_to_one(first, table.columns[n]) for n in by_name[1:]):
        roles = roles | {"annotator": by_name[0]}
        return Understood(
            format="long",
            columns={"annotator": by_name[0]},
            assumptions=(_sentence({"annotator": by_name[0]}),),
        )
    if not free or "n" in map(plain, table.names):
        return None
    msg = (
        f"{table.source}: no column looks like the annotator, and {listing(free, 4)} "
        f"tells the answers of an item apart: if it is one, name it "
        f"({_argument('annotator', free[0])}); if the answers are anonymous, add "
        '`format="long"`'
    )
    raise UnknownFormatError(msg)


def _long(table: TextTable, roles: dict[str, str]) -> Understood | None:
    """Find roles by names and content together; propose them by content alone."""
    named = dict(roles)
    if "answer" in named and "label" not in named:
        named["label"] = named.pop("answer")
    free = [name for name in table.columns if name not in named.values()]
    if "label" not in named and len(yes_or_no(table, free)) > 1:
        return None  # they may be one for each label
    guesses = _guesses(table, named)
    if not guesses:
        return None
    (score, best), *others = guesses
    by_name = {role for role in best if is_likely(best[role], role) or role in named}
    # One of item and label may be seen from the content alone, where no other column
    # can be it, and labels of one item agree.
    clear = not others or score - others[0][0] >= _CLEARLY
    clear &= not any(_is_rival(guess, best) for _, guess in others)
    if "label" not in by_name:
        clear = clear and "item" in by_name and _agree(table, best)
    if clear and "annotator" in by_name and _consistent(table, best):
        new = {role: name for role, name in best.items() if role not in roles}
        if "answer" in roles and roles["answer"] == best["label"]:
            new.pop("label")
        kind: Kind | None = None
        if "answer" not in roles:
            kind = "choice"  # each annotator names one label of an item
        sentence = _sentence(new)
        return Understood(
            format="long", columns=new, kind=kind, assumptions=(sentence,)
        )
    how = " ".join(_argument(role, name) for role, name in best.items())
    msg = (
        f"{table.source}: which column is which does not show from the names "
        f"{listing(table.names, 6)}; by what they hold, it may be read with {how}"
    )
    raise UnknownFormatError(msg)


def _consistent(table: TextTable, roles: dict[str, str]) -> bool:
    """Whether columns hold what their roles need."""
    if any(roles[role] not in table.columns for role in ("item", "annotator", "label")):
        return False
    item, annotator, label = (
        table.columns[roles[role]] for role in ("item", "annotator", "label")
    )
    return (
        _may_be_annotator(annotator)
        and _may_be_label(label)
        and _repeats(annotator)
        and (_repeats(item) or table.num_rows < 10)
        and _paired(item, annotator) >= _PAIRED
        and _within(item, label) > _within(annotator, label) - 0.05
    )


def _is_rival(guess: dict[str, str], best: dict[str, str]) -> bool:
    """Say whether another column may be the label, by its name as much as the best."""
    labels = guess["label"], best["label"]
    same = all(guess[role] == best[role] for role in ("item", "annotator"))
    return same and is_likely(labels[0], "label") == is_likely(labels[1], "label")


def _agree(table: TextTable, roles: dict[str, str]) -> bool:
    """Say whether labels agree by item, as those of annotators do."""
    item, label = (table.columns[roles[role]] for role in ("item", "label"))
    return _within(item, label) >= _ALIKE


def _guesses(
    table: TextTable, roles: dict[str, str]
) -> list[tuple[float, dict[str, str]]]:
    """Return what the roles can be by what columns hold, the best guess first.

    Columns that name the same things one to one are one guess.
    """
    columns = {
        name: column.take(np.arange(min(len(column), _ROWS)))
        for name, column in table.columns.items()
    }
    free = [n for n in columns if n not in roles.values() and plain(n) not in EXTRAS]
    free = [n for n in free if look(columns[n]) not in {EMPTY, DATES, STRUCTURES}]
    lacking = [role for role in ("item", "annotator", "label") if role not in roles]
    guesses: list[tuple[float, dict[str, str]]] = []
    for names in permutations(free[:_MOST_COLUMNS], len(lacking)):
        guess = roles | dict(zip(lacking, names, strict=True))
        guess = {role: guess[role] for role in ("item", "annotator", "label")}
        score = _fit(columns, guess)
        if score > 0 and not any(_same(columns, guess, other) for _, other in guesses):
            guesses.append((score, guess))
    finest = [
        each
        for each in guesses
        if not any(_finer(columns, g, each[1]) for _, g in guesses)
    ]
    return sorted(finest, key=lambda each: -each[0])


def _same(
    columns: dict[str, Coded], guess: dict[str, str], other: dict[str, str]
) -> bool:
    """Say whether guesses differ in nothing but columns that are one to one."""
    return all(
        name == other[role]
        or (
            is_likely(name, role) == is_likely(other[role], role)
            and _one_to_one(columns[name], columns[other[role]])
        )
        for role, name in guess.items()
    )


def _finer(
    columns: dict[str, Coded], one: dict[str, str], other: dict[str, str]
) -> bool:
    """Say whether a guess differs in the item alone, and tells more items apart."""
    if any(one[role] != other[role] for role in ("annotator", "label")):
        return False
    if is_likely(one["item"], "item") < is_likely(other["item"], "item"):
        return False
    codes = columns[one["item"]].codes, columns[other["item"]].codes
    pairs = set(zip(*(each.tolist() for each in codes), strict=True))
    return len(pairs) == len(set(codes[0].tolist())) > len(set(codes[1].tolist()))


def _one_to_one(one: Coded, other: Coded) -> bool:
    pairs = set(zip(one.codes.tolist(), other.codes.tolist(), strict=True))
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def _fit(columns: dict[str, Coded], roles: dict[str, str]) -> float:
    """Grade roles; 0: they cannot be."""
    if any(name not in columns for name in roles.values()):
        return 0.0
    item, annotator, label = (
        columns[roles[role]] for role in ("item", "annotator", "label")
    )
    if not (_may_be_annotator(annotator) and _may_be_label(label)):
        return 0.0
    if not (_repeats(item) and _repeats(annotator) and _repeats(label)):
        return 0.0
    if _paired(item, annotator) < _PAIRED:
        return 0.0
    if _within(item, label) > _ALWAYS and not is_likely(roles["label"], "label"):
        return 0.0  # it says something of the item
    by_name = sum(is_likely(name, role) for role, name in roles.items())
    few = len(drop_unused(label).values) < len(drop_unused(item).values)
    return 1.0 + by_name + few + 3 * (_within(item, label) - _within(annotator, label))


def _may_be_annotator(column: Coded) -> bool:
    content = look(column)
    never = {EMPTY, STRUCTURES, LINKS, DATES, TEXTS, DISTINCT, FRACTIONS, CONSTANT}
    return content not in never and not is_yes_or_no(
        drop_unused(column).values[:9].to_pylist()
    )


def _may_be_label(column: Coded) -> bool:
    return look(column) not in {*NEVER_LABELS, FRACTIONS}


def _repeats(column: Coded) -> bool:
    """Whether values come back."""
    filled = int((column.codes >= 0).sum())
    return len(drop_unused(column).values) < filled


def _paired(item: Coded, annotator: Coded) -> float:
    """Share of the rows whose item and annotator stand together nowhere else."""
    filled = (item.codes >= 0) & (annotator.codes >= 0)
    if not filled.any():
        return 0.0
    pairs = item.codes[filled].astype(np.int64) * len(annotator.values)
    pairs += annotator.codes[filled]
    return len(np.unique(pairs)) / int(filled.sum())


def _within(group: Coded, label: Coded) -> float:
    """Agreement of labels in groups, beyond chance."""
    filled = (group.codes >= 0) & (label.codes >= 0)
    codes, groups = label.codes[filled].astype(np.int64), group.codes[filled]
    number = len(label.values)
    each = np.bincount(groups)
    total = float((each * (each - 1.0)).sum())
    if not total:
        return 0.0
    cells = np.unique(groups * np.int64(number) + codes, return_counts=True)[1]
    share = np.bincount(codes, minlength=number) / len(codes)
    chance = float((share**2).sum())
    same = float((cells * (cells - 1.0)).sum()) / total
    return (same - chance) / max(1 - chance, 1e-9)


def _sentence(roles: dict[str, str]) -> str:
    parts = [f"{name!r} holds the {role}" for role, name in roles.items()]
    return f"By its name and what it holds, column {', '.join(parts)}."


def _argument(role: str, name: str | None) -> str:
    return f'`{role}="{name}"`'
