"""Which columns of a table may have which role, by what they hold and are called."""

from __future__ import annotations

import re
from dataclasses import replace

from consilience.responses.columns import looks
from consilience.responses.columns.beside import kind_column
from consilience.responses.columns.cells import as_lists, separated, split_labels
from consilience.responses.columns.names import (
    NAMED,
    PRESENCE,
    USUAL,
    find,
    name_prior,
    plain,
)
from consilience.responses.columns.seen import Seen
from consilience.responses.draft import is_yes_or_no
from consilience.responses.options import ReadOptions
from consilience.responses.text import Coded, TextTable

_MOST = 9  # columns of which roles are proposed
APART = 0.95  # share of the questions that an annotator is asked once
USUALLY, GIVEN = 2.0, 3.0  # prior of a name that is usual, and of one that is given
_FEW = 12  # values that a rating with points has at most
_BY_CONTENT = 0.25  # weight of content below which names go first
_ENOUGH = 40  # rows whose content is fully believed
_NEARLY = 0.9  # share of the items that names which follow from theirs tell apart
STATUS = re.compile(
    r"gold|taint|approv|accept|reject|skip|cancel|draft|spam|valid|verif|review|submit"
    r"|complete|done|train|test|trust|bann|activ|delet|hidden|archiv|flag|missed|star"
    r"|bookmark|lucky|sandbox|live|public|email"
)
_NEVER_ITEMS = {looks.EMPTY, looks.STRUCTURES, looks.DATES, looks.YES_NO, looks.FLAGS}
_NEVER_ITEMS |= {looks.FRACTIONS, looks.CONSTANT}
_NEVER_PEOPLE = _NEVER_ITEMS | {looks.LINKS, looks.TEXTS}
NEEDED = ("item", "annotator", "label")
_FURTHER = ("n", "object", "main", "response_id", "selected", "gold")


class Roles:
    """The columns of a table of answers, and the roles that they may have."""

    def __init__(self, table: TextTable, options: ReadOptions) -> None:
        kind = options.kind or kind_column(table)
        self.table, self.seen = table, Seen(table)
        self.options = replace(options, kind=kind)
        named = options.columns
        for role in (*NEEDED, "answer", *_FURTHER):
            if (given := getattr(named, role)) is not None:
                find(table.names, role, given, table.source, table.unusable)
        self.given = {
            role: tuple([name] if isinstance(name, str) else name)
            for role in (*NEEDED, "answer")
            if (name := getattr(named, role)) is not None
        }
        for role in set(NEEDED) - set(self.given):  # two that differ in case
            find(table.names, role, None, table.source, table.unusable)
        others = [getattr(named, role) for role in _FURTHER]
        self.taken = {n for names in self.given.values() for n in names} | {*others}
        if kind_column(table):
            self.taken.add("kind")
        self.separator = self._separators()
        self.twins, self.people = self._twins(), frozenset[str]()
        self._called: dict[tuple[str, str], tuple[str, float]] = {}
        self.weight = min(1.0, self.seen.num_rows / _ENOUGH)
        self.counted = {n for n in self.twins if name_prior(n, "n") >= NAMED}

    @property
    def few(self) -> bool:
        """Whether rows are so few that names alone say anything."""
        return self.weight < _BY_CONTENT

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

    def _separators(self) -> dict[str, str]:
        """Return the separators of columns of several labels; see their first label."""
        asked = self.options
        settled = asked.labels is not None or asked.offered is not None or asked.split
        if asked.kind == "choice" or settled or self.seen.num_rows < _ENOUGH:
            return {}
        separators: dict[str, str] = {}
        for name, column in self.seen.columns.items():
            may = self.seen.look[name] not in _NEVER_ITEMS
            may &= name_prior(name, "label") >= NAMED
            cells = separated(column) if may else None
            if cells is not None and cells.sure and cells.uneven:
                separators[name] = cells.separator
                texts = [*column.values.to_pylist(), None]
                parts = (split_labels(t or "", cells.separator) for t in texts)
                first = [min(each, default=None) for each in parts]
                self.seen.columns[name] = Coded.of(first[code] for code in column.codes)
        return separators

    def _lists(self, name: str) -> bool:
        """Return whether each cell is a list of labels."""
        if name in self.seen.lists or name in self.separator:
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

        def prior(name: str) -> tuple[bool, float]:  # a text before a link
            look = self.seen.look[name]
            longer = looks.LONGER.get(look, 0.0)
            return look != looks.LINKS, name_prior(name, role) - longer

        twins = self.twins.get(column, [column])
        best = max(twins, key=prior)
        if role == "item" and self.seen.look[best] in looks.LONGER:
            ids = (n for n in twins if self.seen.look[n] not in looks.LONGER)
            named = [n for n in ids if name_prior(n, role) >= 0]
            return max(named, key=prior, default=best), name_prior(best, role)
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
        if name in seen.lists or look == looks.STRUCTURES:
            return role == "label" and named and self._lists(name)
        again = seen.repeats((name,)) or (named and seen.num_rows < 2 * looks.FEW)
        if role == "label":
            few = look != looks.FRACTIONS or seen.number((name,)) <= _FEW
            may = look not in looks.NEVER_LABELS - {looks.DISTINCT} and few and again
            return may and (named or look != looks.CONSTANT)
        counted = name_prior(name, "n") >= NAMED
        if role == "item":
            return look not in _NEVER_ITEMS and (again or named) and not counted
        words = seen.columns[name].values[:9].to_pylist()
        may = look not in _NEVER_PEOPLE or (named and look == looks.CONSTANT)
        return may and again and not counted and not is_yes_or_no(words)

    def items(self) -> list[str]:
        """Return the columns that may name items, not what says something of them."""
        every, seen = self.may_be("item"), self.seen
        longer = {n: looks.LONGER.get(seen.look[n], 0.0) for n in every}
        prior = {n: self.called("item", n)[1] - longer[n] for n in every}

        def says(one: str, of: str) -> bool:
            more = seen.number((of,)) > seen.number((one,)) and seen.repeats((of,))
            named = prior[of] + longer[of] >= NAMED and prior[of] >= prior[one]
            return more and named and self._says_of((of,), one)

        return [n for n in every if not any(says(n, other) for other in every)]

    def finer(self, item: tuple[str, ...]) -> str | None:
        """Return what names nearly the same as texts or links, and tells more apart."""
        longer = self.seen.look[item[0]] in looks.LONGER
        if len(item) > 1 or "item" in self.given or not longer:
            return None
        seen, number = self.seen, self.seen.number(item)
        for name in self.may_be("item"):
            more = number < seen.number((name,)) <= number / _NEARLY
            if more and seen.repeats((name,)) and self._says_of((name,), item[0]):
                return name
        return None

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
            least = (0.5 if usual_name else APART) if who else 0.0
            apart = seen.apart((*item, name, *who)) >= least
            if apart and not of_item and not of_person:
                kept.append(name)
        return kept

    def _words_left(self, used: set[str | None]) -> float:
        """Return points for a column of yes and no that says nothing of others."""
        left = [
            name
            for name in self.twins
            if self.seen.look[name] == looks.YES_NO
            and name not in used
            and not STATUS.search(plain(name))
            and not any(self.seen.follows((one,), name) for one in used if one)
        ]
        called = any(plain(name) in USUAL["answer"] for name in left)
        return 3.5 if called else 1.0 if left else 0.0

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
            several = exact and seen.repeats((name,))
            apart = seen.apart((*item, value)) >= APART
            if counted and (person or several or apart):
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


def _is_usual(name: str) -> bool:
    return any(name_prior(name, role) >= USUALLY for role in NEEDED)
