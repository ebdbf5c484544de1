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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from consilience.responses.columns import looks
from consilience.responses.columns.beside import kind_column
from consilience.responses.columns.cells import as_lists, separated, split_labels
from consilience.responses.columns.names import (
    OTHER,
    PRESENCE,
    USUAL,
    argument,
    find,
    name_prior,
    plain,
    usual,
)
from consilience.responses.columns.seen import Seen
from consilience.responses.draft import is_yes_or_no
from consilience.responses.options import Kind, ReadOptions
from consilience.responses.text import Coded, TextTable

_MOST = 9  # columns of which roles are proposed
APART = 0.95  # share of the questions that an annotator is asked once
_ALIKE = 0.1  # agreement beyond chance that answers about one item mostly have
_ALWAYS = 0.98  # that which annotators do not reach
# Prior of a name that bears a role out, of one that is usual, and of one that is given.
NAMED, USUALLY, GIVEN = 1.0, 2.0, 3.0
REPEATED = 2.0  # points for answers that are given twice, and need not be
_MANY = 50  # labels of which answers are seldom one
_OFTEN = 0.9  # share of questions asked once, below which answers have several labels
_FEW = 12  # values that a rating with points has at most
LEAST = 2  # columns whose names bear a reading out
_BY_CONTENT = 0.25  # weight of content below which names go first
_ENOUGH = 40  # rows whose content is fully believed
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


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One way to read a table: which column is what, and how good a reading that is."""

    kind: Kind
    roles: Mapping[str, tuple[str, ...]]
    score: float
    named: int
    once: bool
    by_chance: bool = False
    split: str | None = None
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
        if self.split is not None:
            parts.append(f"`split={self.split!r}`")
        elif self.kind == "objects":
            parts.append('`kind="objects"`')
        elif not self.annotator and "n" not in self.more:
            parts.append('`format="long"`')
        return " ".join(parts)

    @property
    def borne_out(self) -> bool:
        """Whether names bear the reading out."""
        number = len(self.roles)
        return self.named >= min(max(LEAST, number - 1), number)

    def means(self, other: Reading) -> bool:
        """Return whether another reading gives the same answers."""
        return (self.kind, self.roles) == (other.kind, other.roles)


class Readings:
    """The ways in which a table of one row per answer may be read.

    What the caller named is as it was named.
    """

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

    def best(self) -> list[Reading]:
        """Return them, best first, each once."""
        kept: list[Reading] = []

        def rank(each: Reading) -> tuple[bool, float]:
            return self.few and each.named < 0, -each.score

        for each in sorted(self._every(), key=rank):
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
                if person is not None and self._tied(item, person):
                    continue
                for value in values:
                    if value not in {*item, person}:
                        yield from self._choices(item, person, value)
                yield from self._pairs(item, person)

    def items(self) -> list[str]:
        """Return the columns that may name items, not what says something of them."""
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
        again = bool(who) and seen.apart((*item, *who)) < APART
        number = self._number(item, person, value)
        lists = self.options.split is not None or self._lists(value)
        wanted = self.options.kind
        several = wanted == "objects" or (lists and wanted != "choice")
        kind: Kind = "objects" if several else "choice"
        plain_reading = self._graded(kind, item, None, person, value)
        if number is not None and plain_reading.by_chance:
            named = plain_reading.named + 2  # each label of an item stands once
            plain_reading = replace(plain_reading, named=named)
        less = (
            REPEATED * self.weight if again and number is None else 0.0
        ) + 4.0 * self.weight * says
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
        if more or (often and seen.apart((*item, *who, value)) >= APART):
            yield replace(objects, score=objects.score + (1.5 * len(more) or -1.5))
        if len(item) > 1:
            return
        for asked in self._may_be_asked(item, person, value):
            alone = seen.apart((asked, *who)) >= APART or self._says_of((asked,), value)
            pair = tuple(sorted((*item, asked), key=list(seen.columns).index))
            numbered = seen.numbers_within((asked, *who), item[0])
            if seen.number((value,)) > 1:
                numbered |= any(seen.numbers_within((n, *who), value) for n in pair)
            if not alone and not numbered and "object" not in more:
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
            and (
                seen.look[name] in {looks.YES_NO, looks.FLAGS}
                or plain(name) == "answer"
            )
            and not STATUS.search(plain(name))
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
                    needed = bool(who) and seen.apart((*item, *who)) < APART
                    reading = self._graded("contains", item, asked, person, answer)
                    number = self._number((*item, asked), person, answer)
                    if number is not None:
                        reading = replace(reading, more={"n": number})
                    query = plain(self.called("asked", asked)[0]) in OTHER["asked"]
                    sure = needed or query or (self._telling(answer) and named >= NAMED)
                    sure |= "answer" in self.given or self.options.kind == "contains"
                    whose = person is None and plain(asked) == "name"
                    sure &= not whose or "label" in self.given
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
            texts = (
                set() if labels is None else {*map(_plainer, labels.values.to_pylist())}
            )
            return not texts or any(_plainer(text) in texts for text in values)
        return True

    def _graded(
        self,
        kind: Kind,
        item: tuple[str, ...],
        asked: str | None,
        person: str | None,
        value: str,
    ) -> Reading:
        role = "answer" if kind == "contains" else "label"
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
        group, seen = item if asked is None else (*item, asked), self.seen
        of_item, error = seen.agreement(group, value), seen.error(group)
        once, prior = not seen.repeats(group), priors[-1]
        shown = self._shown(group, person, value, named=prior >= NAMED)
        score = sum(priors) + self.weight * shown
        score += self._beside(kind, item, asked, person, value)
        by_chance = self.weight == 1.0 and not once and of_item <= 2 * error
        by_chance &= prior < USUALLY
        named = sum(prior >= NAMED for prior in priors) - 9 * (min(priors) < 0)
        named -= 2 * by_chance
        if kind != "contains" and value not in self.taken:
            used = {*item, person, value}
            rest = [n for n in self.twins if n not in used]
            rest = [n for n in rest if not self._says_of(item, n)]
            # Another column is called a label, and rather so.
            named -= 2 * any(name_prior(n, "label") > prior + 0.2 for n in rest)
        if person is not None and self.called("annotator", person)[1] < NAMED:
            named -= 9
            others = [self.called(role, person)[1] for role in ("item", "label")]
            score -= 1.5 * (max(others) >= USUALLY)  # which is called something else
        return Reading(
            kind=kind,
            roles=roles,
            score=float(score),
            named=named,
            once=once,
            by_chance=by_chance,
            split=self.separator.get(value) if kind == "objects" else None,
        )

    def _shown(
        self, group: tuple[str, ...], person: str | None, value: str, *, named: bool
    ) -> float:
        """Return points for what a column says of a group, as answers to it."""
        seen = self.seen
        of_item, error = seen.agreement(group, value), seen.error(group)
        beyond = of_item - 2 * error
        shown = 2.0 if min(of_item - _ALIKE, beyond) > 0 else np.sign(beyond) or -1.0
        shown += beyond <= 0 and error > _ALIKE  # too few to tell
        if not seen.repeats(group):
            shown = -0.5
        shown -= of_item > _ALWAYS and not named  # it says what items are
        number = seen.number((value,))
        shown += 0.5 if number < seen.number(group) and number <= _MANY else -0.5
        if person is not None:
            of_person = seen.agreement((person,), value)
            shown -= 3 * max(0.0, of_person - max(of_item, 0.0) - 0.05)
        return float(shown)

    def _beside(
        self,
        kind: Kind,
        item: tuple[str, ...],
        asked: str | None,
        person: str | None,
        value: str,
    ) -> float:
        """Return points for what a reading uses, and what it leaves out."""
        seen, look = self.seen, self.seen.look[value]
        score = 1.0 if person is not None else -1.0
        if asked is not None:
            telling = 0.5 if self._telling(value) else -1.0
            score += 1.5 if look == looks.YES_NO else telling
            score += 0.75 * np.sign(seen.number(item) - seen.number((asked,)))
        elif len(item) > 1:
            score -= {looks.YES_NO: 1.5, looks.FLAGS: 1.0}.get(look, 0.5)
        elif look == looks.YES_NO:
            score -= 0.5
        if person is None and self.counted and value not in self.counted:
            score -= 1.0  # made up for where the counts are used
        if any(name != person for name in self.people):
            score -= 1.5  # somebody is named whom it leaves out
        if kind != "contains":
            score -= self._words_left({*item, person, value})
        return float(score)


def _is_usual(name: str) -> bool:
    return any(name_prior(name, role) >= USUALLY for role in NEEDED)


def _plainer(text: str) -> str:
    return text.removesuffix(".0").casefold()
