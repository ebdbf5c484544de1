"""What each column of a table of answers is: content decides, and names are a prior.

Readings are enumerated: which column names the item, or which two do together, which
the annotator, the label, the label that was asked about and the answer to it. Each has
a score. **What the data say is strong**: of one item different annotators may say
different things, and say the same more often than chance; a column that is the same for
all rows of an item or of an annotator says something of it, and is no answer; item and
annotator, or what else names a question, seldom stand together twice. **What names say
is a prior**: a usual name counts more than a likely one, and one of another thing (a
time, a remark, a guess of a model) counts against.

A table is read unasked where one reading is ahead and names bear it out. Else a
question names what was seen, and the calls of the two best readings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from jaxtyping import Int

from consilience.errors import ColumnError, ConsilienceError, SourceError
from consilience.responses.columns import looks
from consilience.responses.columns.beside import kind_column
from consilience.responses.columns.cells import (
    as_lists,
    columns_of_counts,
    propose_one_hot,
)
from consilience.responses.columns.matrix import as_matrix, matrix_of
from consilience.responses.columns.names import (
    OTHER,
    PRESENCE,
    USUAL,
    argument,
    find,
    listing,
    name_prior,
    plain,
    usual,
)
from consilience.responses.columns.wide import named_unlike
from consilience.responses.draft import YES, codes_of_words, is_yes_or_no
from consilience.responses.options import TOGETHER, Kind, ReadOptions
from consilience.responses.text import Coded, TextTable

type Codes = Int[np.ndarray, " N"]

_ROWS = 30_000  # that are looked at
_LOOKED = 60  # columns that are looked at, and as many of those that are named
_MOST = 9  # columns of which roles are proposed
_APART = 0.95  # share of the questions that an annotator is asked once
_ALIKE = 0.1  # agreement beyond chance that answers about one item mostly have
_ALWAYS = 0.98  # that which annotators do not reach
_CLEARLY = 1.0  # points between the best reading and the next
# Prior of a name that bears a role out, of one that is usual, and of one that is given.
NAMED, USUALLY, GIVEN = 1.0, 2.0, 3.0
REPEATED = 2.0  # points for answers that are given twice, and need not be
_MANY = 50  # labels of which answers are seldom one
_BY_NAMES = 0.4  # share of that where content says next to nothing
_OFTEN = 0.9  # share of questions asked once, below which answers have several labels
_LEAST = 2  # columns whose names bear a reading out
_FEW = 12  # values that a rating with points has at most
_ENOUGH = 40  # rows whose content is fully believed
_RARE = 1e-3  # chance of a dependence that is none
_STATUS = re.compile(
    r"gold|taint|approv|accept|reject|skip|cancel|draft|spam|valid|verif|review|submit"
    r"|complete|done|train|test|trust|bann|activ|delet|hidden|archiv|flag|missed|star"
    r"|bookmark|lucky|sandbox|live|public|email"
)
_NEVER_ITEMS = {looks.EMPTY, looks.STRUCTURES, looks.DATES, looks.YES_NO, looks.FLAGS}
_NEVER_ITEMS |= {looks.FRACTIONS, looks.CONSTANT}
_NEVER_PEOPLE = _NEVER_ITEMS | {looks.LINKS, looks.TEXTS}
_NEEDED = ("item", "annotator", "label")
_FURTHER = ("n", "object", "main", "response_id", "selected", "gold")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One way to read a table: which column is what, and how good a reading that is."""

    kind: Kind
    roles: Mapping[str, tuple[str, ...]]
    score: float
    named: int
    once: bool
    by_chance: bool = False
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def annotator(self) -> str:
        """The column of annotators; empty for none."""
        return "".join(self.roles.get("annotator", ()))

    @property
    def columns(self) -> dict[str, str | tuple[str, ...]]:
        """Return the options that name the columns."""
        roles = {r: names for r, names in self.roles.items() if names}
        shown = {r: n[0] if len(n) == 1 else n for r, n in roles.items()}
        if "asked" in shown:
            shown["label"] = shown.pop("asked")
        return {**shown, **self.more}

    @property
    def call(self) -> str:
        """Return the options as a caller writes them."""
        parts = [argument(role, name) for role, name in self.columns.items()]
        if self.kind == "objects":
            parts.append('`kind="objects"`')
        elif not self.annotator and "n" not in self.more:
            parts.append('`format="long"`')
        return " ".join(parts)

    def means(self, other: Reading) -> bool:
        """Return whether another reading gives the same answers."""
        return (self.kind, self.roles) == (other.kind, other.roles)


class Seen:
    """What the columns of a table show, one by one and together."""

    def __init__(self, table: TextTable) -> None:
        rows = np.arange(min(table.num_rows, _ROWS))
        self.num_rows = len(rows)
        some = [n for n in table.columns if _is_called(n)] if len(
            table.columns
        ) > _LOOKED else []
        names = dict.fromkeys([*list(table.columns)[:_LOOKED], *some[:_LOOKED]])
        self.columns = {n: table.columns[n].take(rows).used() for n in names}
        for name, cells in table.lists.items():
            texts = map(str, cells.slice(0, self.num_rows).to_pylist())
            self.columns[name] = Coded.of(texts)
        self.lists = frozenset(table.lists)
        self._joint: dict[tuple[str, ...], Codes] = {}
        self._follows: dict[tuple[tuple[str, ...], str], bool] = {}

    @cached_property
    def look(self) -> dict[str, str]:
        """What each column seems to hold."""
        return {name: looks.look(column) for name, column in self.columns.items()}

    def joint(self, names: tuple[str, ...]) -> Codes:
        """Return one code for the values of several columns; -1 where one is empty."""
        if names not in self._joint:
            first = self.columns[names[0]].codes.astype(np.int64)
            for name in names[1:]:
                column = self.columns[name]
                both = first * len(column.values) + column.codes
                missing = (first < 0) | (column.codes < 0)
                both[missing] = -1
                first = np.unique(both, return_inverse=True)[1] - missing.any()
            self._joint[names] = first
        return self._joint[names]

    def number(self, names: tuple[str, ...]) -> int:
        """Count the values of several columns together."""
        return int(self.joint(names).max(initial=-1)) + 1

    def filled(self, names: tuple[str, ...]) -> int:
        """Count the rows in which none of them is empty."""
        return int((self.joint(names) >= 0).sum())

    def repeats(self, names: tuple[str, ...]) -> bool:
        """Return whether values come back."""
        return self.number(names) < self.filled(names)

    def apart(self, names: tuple[str, ...]) -> float:
        """Return the share of the rows that differ in these columns."""
        filled = self.filled(names)
        return self.number(names) / filled if filled else 0.0

    def follows(self, names: tuple[str, ...], of: str) -> bool:
        """Return whether a column is the same wherever others are, beyond chance."""
        if (names, of) not in self._follows:
            self._follows[names, of] = self._is_same(names, of)
        return self._follows[names, of]

    def _is_same(self, names: tuple[str, ...], of: str) -> bool:
        one, other = self.joint(names), self.columns[of].codes
        both = (one >= 0) & (other >= 0)
        if not both.any():
            return False
        pair = one[both].astype(np.int64) * len(self.columns[of].values) + other[both]
        values = len(np.unique(one[both]))
        if len(np.unique(pair)) > values:
            return False
        share = np.bincount(other[both]) / both.sum()
        again = int(both.sum()) - values
        return bool(again * np.log(max((share**2).sum(), 1e-9)) < np.log(_RARE))

    def same(self, one: str, other: str) -> bool:
        """Return whether two columns name the same things, each in its way."""
        if not looks.are_one_to_one(self.columns[one], self.columns[other]):
            return False
        longer = {self.look[one], self.look[other]} & {*looks.LONGER}
        return bool(longer) or self.follows((one,), other)

    def error(self, group: tuple[str, ...]) -> float:
        """Return the standard error of an agreement by chance, of two labels or more."""
        each = np.bincount(self.joint(group) + 1)[1:].astype(float)
        return float(1 / np.sqrt(max((each * (each - 1)).sum() / 2, 1.0)))

    def numbers_within(self, group: tuple[str, ...], name: str) -> bool:
        """Return whether a column numbers the rows of each group: 1, 2 and so on."""
        column = self.columns[name]
        values = column.values.to_pylist()
        if not all(text.isdigit() for text in values):
            return False
        least = np.array([*map(int, values), -1])[column.codes]
        firsts = int((least == min(map(int, values))).sum())
        once = self.number((*group, name)) == self.filled((*group, name))
        return once and firsts == self.number(group) and min(map(int, values)) < 2

    def numbers_rows(self, name: str) -> bool:
        """Return whether a column counts the rows."""
        column = self.columns[name]
        values = [*column.values.to_pylist(), ""]
        texts = [values[code] for code in column.codes]
        if len(texts) < 2 or not all(map(str.isdigit, texts)):
            return False
        return bool((np.diff(np.array(texts, float)) == 1).all())

    def agreement(self, group: tuple[str, ...], label: str) -> float:
        """Return how often labels of one group agree, beyond chance."""
        return looks.agreement(self.joint(group), self.columns[label].codes)


def readings(table: TextTable, options: ReadOptions) -> list[Reading]:
    """Return the ways in which a table of one row per answer may be read, best first.

    What the caller named is as it was named.
    """
    return _Readings(table, options).best()


class _Readings:
    """The readings of a table, enumerated."""

    def __init__(self, table: TextTable, options: ReadOptions) -> None:
        kind = options.kind or kind_column(table)
        self.table, self.seen = table, Seen(table)
        self.options = replace(options, kind=kind)
        named = options.columns
        for role in (*_NEEDED, "answer", *_FURTHER):
            if (given := getattr(named, role)) is not None:
                find(table.names, role, given, table.source, table.unusable)
        self.given = {
            role: tuple([name] if isinstance(name, str) else name)
            for role in (*_NEEDED, "answer")
            if (name := getattr(named, role)) is not None
        }
        for role in set(_NEEDED) - set(self.given):  # two that differ in case
            find(table.names, role, None, table.source, table.unusable)
        others = [getattr(named, role) for role in _FURTHER]
        self.taken = {n for names in self.given.values() for n in names} | {*others}
        if kind_column(table):
            self.taken.add("kind")
        self.twins, self.people = self._twins(), frozenset[str]()
        self._called: dict[tuple[str, str], tuple[str, float]] = {}
        self.weight = min(1.0, self.seen.num_rows / _ENOUGH)
        self.counted = {n for n in self.twins if name_prior(n, "n") >= NAMED}

    def best(self) -> list[Reading]:
        """Return them, best first, each once."""
        kept: list[Reading] = []
        for each in sorted(self._every(), key=lambda each: -each.score):
            if not any(each.means(other) for other in kept):
                kept.append(each)
        return kept

    def _twins(self) -> dict[str, list[str]]:
        """Return the columns that name the same things, by one of them."""
        seen, never = self.seen, {looks.EMPTY, looks.STRUCTURES, looks.DATES}
        twins: dict[str, list[str]] = {}
        for name in seen.columns:
            if name in self.taken or self._lists(name):
                twins[name] = [name]
            elif seen.look[name] not in never or _is_usual(name):
                free = [each for each in twins if each not in self.taken]
                if _is_usual(name):  # and no other way to write another
                    free = [each for each in free if not _is_usual(each)]
                alike = (each for each in free if seen.same(each, name))
                twins.setdefault(next(alike, name), []).append(name)
        return twins

    def _lists(self, name: str) -> bool:
        """Return whether each cell is a list of labels."""
        if name in self.seen.lists:
            return True
        if self.seen.look[name] != looks.STRUCTURES:
            return False
        return (
            as_lists(self.seen.columns[name], replace(self.options, split=None))
            is not None
        )

    def called(self, role: str, column: str) -> tuple[str, float]:
        """Return which of the columns that name the same is called for a role."""
        if (role, column) not in self._called:
            self._called[role, column] = self._best_name(role, column)
        return self._called[role, column]

    def _best_name(self, role: str, column: str) -> tuple[str, float]:
        if (column,) == self.given.get(role):
            return column, GIVEN
        if column in self.given.get(role, ()):
            return column, GIVEN

        def prior(name: str) -> float:  # an id rather than a text, where both are there
            look = self.seen.look[name]
            return name_prior(name, role) - looks.LONGER.get(look, 0.0)

        best = max(self.twins.get(column, [column]), key=prior)
        return best, name_prior(best, role)

    def may_be(self, role: str) -> list[str]:
        """Return the columns that may have a role, the likeliest first."""
        if role in self.given:
            return list(self.given[role])
        named = {n: self.called(role, n)[1] for n in self.twins if n not in self.taken}
        kept = [n for n in named if self._fits(role, n, prior=named[n])]
        return sorted(kept, key=lambda name: -named[name])[:_MOST]

    def _fits(self, role: str, name: str, *, prior: float) -> bool:
        """Return whether a column can have a role, by what it holds."""
        seen, look, named = self.seen, self.seen.look[name], prior >= NAMED
        if prior >= USUALLY or (role == "annotator" and prior < 0):
            return prior > 0
        if name in seen.lists:
            return role == "label" and named
        if look == looks.STRUCTURES:
            return role == "label" and named and self._lists(name)
        again = seen.repeats((name,)) or (named and seen.num_rows < 2 * looks.FEW)
        if role == "item":
            counted = name_prior(name, "n") >= NAMED
            return look not in _NEVER_ITEMS and (again or named) and not counted
        if role == "label":
            few = look != looks.FRACTIONS or seen.number((name,)) <= _FEW
            odd = look in looks.NEVER_LABELS - {looks.DISTINCT}
            return not odd and few and again and (named or look != looks.CONSTANT)
        if name_prior(name, "n") >= NAMED:
            return False
        words = seen.columns[name].values[:9].to_pylist()
        may = look not in _NEVER_PEOPLE or (named and look == looks.CONSTANT)
        return may and again and not is_yes_or_no(words)

    def _every(self) -> Iterator[Reading]:
        people: list[str | None] = [*self.may_be("annotator")]
        named = [n for n in people if n and self.called("annotator", n)[1] >= NAMED]
        self.people = frozenset(named)
        people += [] if "annotator" in self.given or named else [None]
        items = [(name,) for name in self.items()]
        items = [self.given["item"]] if "item" in self.given else items
        values = self.may_be("label")
        of_pairs = "answer" in self.given or self.options.kind == "contains"
        if of_pairs and self.options.kind not in {"choice", "objects"}:
            values = []
        for item in items:
            for person in people:
                if person in item:
                    continue
                who = () if person is None else (person,)
                if person is not None and self._tied(item, person):
                    continue
                for value in values:
                    if value not in {*item, person}:
                        yield from self._choices(item, person, value)
                yield from self._pairs(item, person)

    def items(self) -> list[str]:
        """Return the columns that may name items, and say nothing of those of another."""
        every, seen = self.may_be("item"), self.seen
        longer = {n: looks.LONGER.get(seen.look[n], 0.0) for n in every}
        prior = {n: self.called("item", n)[1] - longer[n] for n in every}

        def says(one: str, of: str) -> bool:
            more = seen.number((of,)) > seen.number((one,)) and seen.repeats((of,))
            named = prior[of] >= max(NAMED, prior[one])
            return more and named and self._says_of((of,), one)

        return [n for n in every if not any(says(n, other) for other in every)]

    def _tied(self, item: tuple[str, ...], person: str) -> bool:
        """Return whether one says something of the other, and is no name beside it."""
        if len(item) > 1 or not {*item, person} - self.taken:
            return False
        priors = self.called("item", item[0])[1], self.called("annotator", person)[1]
        says = self.seen.repeats(item) and self.seen.follows(item, person)
        of_person = self.seen.follows((person,), item[0])
        return min(priors) < USUALLY and (says or of_person)

    def _says_of(self, names: tuple[str, ...], other: str) -> bool:
        """Return whether a column is the same wherever others are."""
        return other not in self.taken and self.seen.follows(names, other)

    def _choices(
        self, item: tuple[str, ...], person: str | None, value: str
    ) -> Iterator[Reading]:
        seen, who = self.seen, () if person is None else (person,)
        says = self._says_of(item, value) or bool(who and self._says_of(who, value))
        if says and self.called("label", value)[1] < NAMED:
            return
        again = bool(who) and seen.apart((*item, *who)) < _APART
        number = self._number(item, person, value)
        lists = self.options.split is not None or self._lists(value)
        wanted = self.options.kind
        several = wanted == "objects" or (lists and wanted != "choice")
        kind: Kind = "objects" if several else "choice"
        plain_reading = self._graded(kind, item, None, person, value)
        if number is not None and plain_reading.by_chance:
            named = plain_reading.named + 2  # each label of an item stands once
            plain_reading = replace(plain_reading, named=named)
        less = (REPEATED * self.weight if again and number is None else 0.0) + 1.5 * self.weight * says
        if number is not None:
            plain_reading = replace(plain_reading, more={"n": number})
            less -= 3.0  # it explains one more column
        yield replace(plain_reading, score=plain_reading.score - less)
        if not again or "answer" in self.given:
            return
        more = self._of_response(item, person, value)
        objects = replace(plain_reading, kind="objects", more=more)
        often = seen.apart((*item, *who)) < _OFTEN and self.weight == 1.0
        often &= seen.repeats((value,))
        if more or (often and seen.apart((*item, *who, value)) >= _APART):
            yield replace(objects, score=objects.score + (1.5 * len(more) or -1.5))
        if len(item) > 1:
            return
        for asked in self._may_be_asked(item, person, value):
            alone = seen.apart((asked, *who)) >= _APART or self._says_of(
                (asked,), value
            )
            pair = tuple(sorted((*item, asked), key=list(seen.columns).index))
            if not alone and "object" not in more:
                yield self._graded("choice", pair, None, person, value)

    def _pairs(self, item: tuple[str, ...], person: str | None) -> Iterator[Reading]:
        """Give the readings in which somebody says yes or no to a label of an item."""
        seen, who = self.seen, () if person is None else (person,)
        if self.options.kind in {"choice", "objects"}:
            return
        answers = list(self.given.get("answer", ())) or [
            name
            for name in self.twins
            if name not in {*item, person, *self.taken}
            and (seen.look[name] in {looks.YES_NO, looks.FLAGS} or plain(name) == "answer")
            and not _STATUS.search(plain(name))
            and plain(name) not in USUAL["main"]
        ]
        for answer in answers:
            if "label" in self.given:
                every = list(self.given["label"])
            else:
                every = self._may_be_asked(item, person, answer)
            for asked in every:
                named = self.called("asked", asked)[1]
                if asked != answer and named >= 0:
                    needed = bool(who) and seen.apart((*item, *who)) < _APART
                    reading = self._graded("contains", item, asked, person, answer)
                    query = plain(self.called("asked", asked)[0]) in OTHER["asked"]
                    sure = needed or query or (self._telling(answer) and named >= NAMED)
                    sure |= "answer" in self.given or self.options.kind == "contains"
                    if not sure:  # a yes or a no may be about anything
                        score, named = reading.score - 2.5, reading.named - 2
                        reading = replace(reading, score=score, named=named)
                    yield reading

    def _telling(self, name: str) -> bool:
        """Return whether a column is named for the answer whether a label is there."""
        word = plain(self.called("answer", name)[0])
        return word in USUAL["answer"] or PRESENCE.search(word) is not None

    def _may_be_asked(
        self, item: tuple[str, ...], person: str | None, value: str
    ) -> list[str]:
        """Return the columns that cross the items, and tell questions apart."""
        seen, who = self.seen, () if person is None else (person,)
        kept = []
        for name in self.may_be("asked"):
            usual_name = self.called("asked", name)[1] >= USUALLY
            never = seen.look[name] in _NEVER_PEOPLE and not usual_name
            if name in {*item, person, value} or never:
                continue
            of_item = seen.follows(item, name) or seen.follows((name,), item[0])
            words = seen.look[value] in {looks.YES_NO, looks.FLAGS}
            words |= plain(value) == "answer" or self.options.kind == "contains"
            of_item &= not (words and self.called("asked", name)[1] >= NAMED)
            of_person = who and (
                seen.follows(who, name) or seen.follows((name,), who[0])
            )
            least = (0.5 if usual_name else _APART) if who else 0.0
            apart = seen.apart((*item, name, *who)) >= least
            if apart and not of_item and not of_person:
                kept.append(name)
        return kept

    def _leaves_words(self, used: set[str | None]) -> bool:
        """Return whether a column of yes and no is left that says nothing of others."""
        return any(
            self.seen.look[name] == looks.YES_NO
            and not _STATUS.search(plain(name))
            and not any(self.seen.follows((one,), name) for one in used if one)
            for name in self.twins
            if name not in used
        )

    def _number(
        self, item: tuple[str, ...], person: str | None, value: str
    ) -> str | None:
        """Return the column that says how many gave an answer."""
        seen = self.seen
        for name in seen.columns:
            if name in self.taken or name in {*item, person, value}:
                continue
            if name_prior(name, "n") < NAMED or (person and plain(name) != "n"):
                continue
            values = seen.columns[name].values.to_pylist()
            number = sum(bool(re.fullmatch(r"\d+(?:\.0)?", text)) for text in values)
            exact = plain(name) in USUAL["n"] and not person
            whole = 2 * number >= len(values) if exact else number == len(values)
            again = seen.repeats((name,)) or (exact and not seen.numbers_rows(name))
            counted = whole and again
            if counted and (person or seen.apart((*item, value)) >= _APART):
                return name
        return None

    def _of_response(
        self, item: tuple[str, ...], person: str | None, value: str
    ) -> dict[str, str]:
        """Return the columns that tell responses, or the objects of one, apart."""
        seen, who = self.seen, () if person is None else (person,)
        more: dict[str, str] = {}
        for name in seen.columns:
            if name in {*item, person, value, *self.taken} or not seen.repeats((name,)):
                continue
            one = (name,)
            of_both = seen.follows(one, item[0]) and (
                not who or seen.follows(one, who[0])
            )
            wider = seen.number(one) >= seen.number((*item, *who))
            if of_both and wider and not seen.follows(one, value):
                more.setdefault("response_id", name)
            if who and seen.numbers_within((*item, *who), name):
                more.setdefault("object", name)
        return more

    def further(self, reading: Reading) -> dict[str, str]:
        """Return columns of gold, objects and responses that go with a reading."""
        used = {name for names in reading.roles.values() for name in names}
        more: dict[str, str] = {}
        for role in ("gold", "object", "main", "response_id"):
            names = [
                n for n in usual(self.table.names, role) if n not in used | self.taken
            ]
            if len(names) == 1 and self._goes_with(role, names[0], reading):
                more[role] = names[0]
        return more

    def _goes_with(self, role: str, name: str, reading: Reading) -> bool:
        """Return whether what a column holds is what its name says."""
        column = self.seen.columns.get(name)
        if column is None or not len(column.values):
            return False
        values = column.values.to_pylist()
        if role == "main":
            return is_yes_or_no(values, both=False)
        if role == "object":
            return all(text.removesuffix(".0").isdigit() for text in values)
        if role == "gold" and reading.kind == "choice":
            labels = self.seen.columns.get(reading.roles["label"][0])
            known = (
                set() if labels is None else {*map(_plainer, labels.values.to_pylist())}
            )
            return not known or any(_plainer(text) in known for text in values)
        return True

    def _graded(
        self,
        kind: Kind,
        item: tuple[str, ...],
        asked: str | None,
        person: str | None,
        value: str,
    ) -> Reading:
        seen, role = self.seen, "answer" if kind == "contains" else "label"
        leads = [self.called("item", name) for name in item]
        roles = {"item": tuple(name for name, _ in leads)}
        priors = [max(prior for _, prior in leads)]
        if len(item) > 1:  # one is named for what was asked about it, mostly
            others = [self.called("asked", name)[1] for name in item]
            priors = [(priors[0] + max(*others, *(p for _, p in leads))) / 2]
        for what, name in (("asked", asked), ("annotator", person), (role, value)):
            if name is not None:
                chosen, prior = self.called(what, name)
                roles[what] = (chosen,)
                priors.append(prior)
        group = item if asked is None else (*item, asked)
        of_item, once = seen.agreement(group, value), not seen.repeats(group)
        look, number, items = (
            seen.look[value],
            seen.number((value,)),
            seen.number(group),
        )
        beyond = of_item - 2 * seen.error(group)
        alike = 2.0 if min(of_item - _ALIKE, beyond) > 0 else 1.0 if beyond > 0 else -1.0
        alike += beyond <= 0 and seen.error(group) > _ALIKE  # too few to tell
        shown = -0.5 if once else alike
        shown -= of_item > _ALWAYS and priors[-1] < NAMED  # it says what items are
        shown += 0.5 if number < items and number <= _MANY else -0.5
        if person is not None:
            of_person = seen.agreement((person,), value)
            shown -= 3 * max(0.0, of_person - max(of_item, 0.0) - 0.05)
        score = sum(priors) + (1.0 if person is not None else -1.0)
        score += self.weight * shown
        if asked is not None:
            telling = self._telling(value)
            score += 1.5 if look == looks.YES_NO else 0.5 if telling else -1.0
            ahead = seen.number(item) - seen.number((asked,))
            score += 0.75 * np.sign(ahead)
        elif len(item) > 1:
            score -= {looks.YES_NO: 1.5, looks.FLAGS: 1.0}.get(look, 0.5)
        elif look == looks.YES_NO:
            score -= 0.5
        if person is None and self.counted and value not in self.counted:
            score -= 1.0  # made up for where the counts are used
        if any(name != person for name in self.people):
            score -= 1.5  # somebody is named whom it leaves out
        if kind != "contains" and self._leaves_words({*item, person, value}):
            score -= 1.0
        named = sum(prior >= NAMED for prior in priors) - 9 * (min(priors) < 0)
        little = self.weight == 1.0 and not once and beyond <= 0
        by_chance = little and priors[-1] < USUALLY
        named -= 2 * by_chance
        if kind != "contains":  # another column is called a label, and rather so
            used = {*item, person, value}
            rest = [n for n in self.twins if n not in used and not self._says_of(item, n)]
            better = any(name_prior(n, "label") > priors[-1] + 0.2 for n in rest)
            named -= 2 * (better and value not in self.taken)
        nobody = person is not None and self.called("annotator", person)[1] < NAMED
        named -= 9 * nobody
        return Reading(
            kind=kind,
            roles=roles,
            score=float(score),
            named=named,
            once=once,
            by_chance=by_chance,
        )


def _is_called(name: str) -> bool:
    return any(name_prior(name, role) >= NAMED for role in (*_NEEDED, "answer", "n"))


def _is_usual(name: str) -> bool:
    return any(name_prior(name, role) >= USUALLY for role in _NEEDED)


def _plainer(text: str) -> str:
    return text.removesuffix(".0").casefold()


# What is read unasked, and what is asked


def understand(
    table: TextTable, options: ReadOptions, assumed: list[str]
) -> tuple[str, ReadOptions]:
    """Return the format of a table and the options that read it, or ask."""
    counted = _pair_counts(table, options, assumed)
    if counted is not None:
        return "counts", counted
    shown = _Readings(table, options)
    best = shown.best()
    flags = _one_hot(shown, best, assumed)
    if flags is not None:
        return "long", flags
    first = best[0] if best else None
    clear = first is not None and _enough(first) and not first.once
    matrix = None if clear else matrix_of(table, options)
    if matrix is not None:
        understood = as_matrix(table, options, matrix, assumed)
        if understood is not None:
            return understood
    return "long", _decided(shown, best, assumed)


def _pair_counts(
    table: TextTable, options: ReadOptions, assumed: list[str]
) -> ReadOptions | None:
    """Return the options of a table of how many said yes, maybe and no to each pair."""
    counted = columns_of_counts(table)
    asked = {"yes", "no"} <= set(counted) or {"yes", "shown"} <= set(counted)
    if not asked or options.columns.annotator or options.columns.answer:
        return None
    rest = {n: c for n, c in table.columns.items() if n not in counted.values()}
    shown = _Readings(replace(table, columns=rest, lists={}), options)
    pairs = []
    items = shown.given.get("item") or tuple(shown.items())
    for item in items:
        for asked_name in shown.given.get("label") or shown.may_be("asked"):
            both = (item, asked_name)
            if item == asked_name or shown.seen.apart(both) < _APART:
                continue
            if shown.seen.follows((item,), asked_name):
                continue
            priors = [
                shown.called("item", item)[1],
                shown.called("asked", asked_name)[1],
            ]
            ahead = shown.seen.number((item,)) - shown.seen.number((asked_name,))
            roles = {"item": (item,), "asked": (asked_name,)}
            score = sum(priors) + 0.75 * float(np.sign(ahead))
            named = sum(prior >= NAMED for prior in priors)
            pairs.append(
                Reading(
                    kind="contains", roles=roles, score=score, named=named, once=False
                )
            )
    pairs.sort(key=lambda each: -each.score)
    if not pairs:
        return None
    first = pairs[0]
    if first.named < _LEAST or any(
        first.score - e.score < _CLEARLY for e in pairs[1:2]
    ):
        raise _question(table, pairs[:2], 'format="counts"')
    columns = replace(options.columns, **first.columns)  # type: ignore[arg-type]
    names = listing(list(counted.values()))
    assumed.append(
        f"Columns {names} count the answers to each {first.columns['label']!r}."
    )
    return replace(options, columns=columns)


def _one_hot(
    shown: _Readings, best: Sequence[Reading], assumed: list[str]
) -> ReadOptions | None:
    """Return the options of a table with a column of yes and no for each label."""
    table, options, seen = shown.table, shown.options, shown.seen
    if (
        not best
        or options.one_hot
        or (options.kind == "choice" and shown.given.get("label"))
    ):
        return None
    item, person = best[0].roles["item"], best[0].annotator
    value = best[0].roles.get("label", ("",))[0]
    named = [shown.called("item", n)[1] >= NAMED for n in item]
    if not person or not all(named) or shown.called("annotator", person)[1] < NAMED:
        return None
    flags = [
        name
        for name in table.columns
        if name not in {*item, person, *shown.taken}
        and is_yes_or_no(seen.columns[name].values.to_pylist(), both=False)
        and name_prior(name, "label") > -1
        and max(name_prior(name, role) for role in ("label", "answer")) < NAMED
        and not seen.follows((person,), name)
        and not _STATUS.search(plain(name))
    ]
    of_item = [name for name in flags if seen.follows(item, name)]
    if (
        value not in flags
        or len(flags) < 3
        or of_item
        or seen.apart((*item, person)) < _APART
    ):
        return None
    picked = np.zeros(seen.num_rows, int)
    for name in flags:
        column = seen.columns[name]
        meant = np.array([*codes_of_words(column.values.to_pylist()), -1])
        picked += meant[column.codes] == YES
    once = bool((picked == 1).all())
    assumed.append(
        f"Each of the columns {listing(flags, 6)} says whether a label was given"
        + (", and each row has one of them." if once else ".")
    )
    columns = replace(options.columns, item=item[0], annotator=person)
    kind: Kind | None = options.kind or ("choice" if once else None)
    return replace(options, columns=columns, one_hot=tuple(flags), kind=kind)


def settled(table: TextTable, options: ReadOptions, assumed: list[str]) -> ReadOptions:
    """Return the options that read a table of one row per answer, or ask.

    That the caller says that it is one says also that answers may be anonymous.
    """
    shown = _Readings(table, options)
    best = shown.best()
    named = [e for e in best if name_prior(e.annotator, "annotator") >= NAMED]
    given = "annotator" in shown.given
    nobody = [each for each in best if not each.annotator]
    return _decided(shown, best if given else named or nobody or best, assumed)


def _decided(shown: _Readings, best: list[Reading], assumed: list[str]) -> ReadOptions:
    table, options = shown.table, shown.options
    if not best:
        raise _none(shown)
    first = best[0]
    clearly = _CLEARLY * max(_BY_NAMES, shown.weight)
    ahead = all(first.score - each.score >= clearly for each in best[1:2])
    if "answer" not in first.roles:  # a column of yes and no may be the answer
        others = (each for each in best[1:] if "answer" in each.roles)
        ahead &= all(first.score - each.score >= 3 * clearly for each in others)
    if not (_enough(first) and ahead):
        raise _question(table, best[:2])
    told = {first.annotator, options.columns.response_id} - {"", None}
    asked = options.kind is None and options.split is None
    if first.kind == "objects" and asked and not told:
        label = first.roles["label"][0]
        lead = argument("item", first.columns["item"])
        raise SourceError(
            f"{table.source}: column {label!r} holds several labels per row; if each "
            f"is the answer of a person who is not named, read it with {lead} "
            f'{argument("label", label)} `kind="choice"`; if one answer names several, '
            'with `kind="objects"`'
        )
    columns = first.columns | shown.further(first)
    new = {n: c for n, c in columns.items() if getattr(options.columns, n) is None}
    unusual = {
        role: name
        for role, name in new.items()
        if isinstance(name, tuple) or plain(name) not in USUAL[role]
    }
    if unusual:
        assumed.append(_sentence(unusual))
    kind = "objects" if first.kind == "objects" else options.kind
    several = () if isinstance(item := columns["item"], str) else item
    if several:
        new["item"] = TOGETHER.join(several)
    named = replace(options.columns, **new)  # type: ignore[arg-type]
    return replace(
        options,
        columns=named,
        kind=kind,
        item_columns=several or options.item_columns,
        given=options.columns,
        planned=True,
    )


def _enough(reading: Reading) -> bool:
    """Return whether names bear a reading out."""
    number = len(reading.roles)
    return reading.named >= min(max(_LEAST, number - 1), number)


def _sentence(roles: Mapping[str, str | tuple[str, ...]]) -> str:
    parts = [
        f"{name!r} holds the {role}"
        if isinstance(name, str)
        else f"{' and '.join(map(repr, name))} together name the {role}"
        for role, name in roles.items()
    ]
    return f"By its name and what it holds, column {', '.join(parts)}."


def _question(table: TextTable, best: Sequence[Reading], also: str = "") -> SourceError:
    """Ask for what names and content leave open, with the calls that would read it."""
    more = f" `{also}`" if also else ""
    calls = " or ".join(each.call + more for each in best)
    return SourceError(
        f"{table.source}: which column is which does not show from the names "
        f"{listing(table.names, 9)}; by what they hold, it may be read with {calls}"
    )


def _none(shown: _Readings) -> ConsilienceError:
    """Return the error where no columns are an item and a label of it."""
    table = shown.table
    names, source = table.names, table.source
    propose_one_hot(table, [name for name in names if name not in shown.taken])
    columns = {role: next(iter(shown.may_be(role)), None) for role in ("item", "label")}
    unlike = named_unlike(names)
    if unlike and len(unlike) <= 2:
        lead = argument("item", columns["item"] or names[0])
        return SourceError(
            f"{source}: no column looks like the label; the columns "
            f"{listing(names, 6)} look like one for each annotator: if they are, read "
            f'it with `format="wide"` {lead}'
        )
    called = {r: n for r, n in columns.items() if n and name_prior(n, r) >= NAMED}
    if len(called) == 1:
        (name,), lacking = called.values(), "label" if "item" in called else "item"
        return ColumnError(
            f"{source}: there is a column {name!r} but none for {lacking} among "
            f"{listing(names)}; name it (`{lacking}=NAME`)"
        )
    free = iter(name for name in names if name not in called.values())
    roles = _NEEDED if len(names) > 2 else ("item", "label")
    guess = " ".join(argument(r, called.get(r) or next(free, "NAME")) for r in roles)
    return SourceError(
        f"{source}: which column is which does not show from the names "
        f"{listing(names, 6)}; name them, such as {guess}, or read it with "
        '`format="wide"` if all columns but the item\'s are annotators'
    )
