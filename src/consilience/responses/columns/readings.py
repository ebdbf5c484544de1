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

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from consilience.responses.columns import looks
from consilience.responses.columns.names import (
    NAMED,
    OTHER,
    USUAL,
    argument,
    name_prior,
    plain,
    usual,
)
from consilience.responses.columns.roles import APART, STATUS, USUALLY, Roles
from consilience.responses.draft import is_yes_or_no
from consilience.responses.options import Kind

_ALIKE = 0.1  # agreement beyond chance that answers about one item mostly have
_ALWAYS = 0.98  # that which annotators do not reach
# Points, here and where readings are graded: judgement, with the simulated tables of
# the tests in view. For answers that are given twice, and need not be; for labels that
# are the same in all rows of an item or an annotator.
REPEATED, SAYS = 2.0, 4.0
_MANY = 50  # labels of which answers are seldom one
_OFTEN = 0.9  # share of questions asked once, below which answers have several labels
LEAST = 2  # columns whose names bear a reading out


class Use(NamedTuple):
    """The columns that a reading uses, by what they are."""

    kind: Kind
    item: tuple[str, ...]
    asked: str | None
    person: str | None
    value: str

    @property
    def group(self) -> tuple[str, ...]:
        """The columns that name a question."""
        return self.item if self.asked is None else (*self.item, self.asked)


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


class Readings(Roles):
    """The ways in which a table of one row per answer may be read."""

    def best(self) -> list[Reading]:
        """Return them, best first, each once."""
        kept: list[Reading] = []

        def rank(each: Reading) -> tuple[bool, float]:
            return self.few and each.named < 0, -each.score

        for each in sorted(self._every(), key=rank):
            if not any(each.means(other) for other in kept):
                kept.append(each)
        return kept

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
        plain_reading = self._graded(Use(kind, item, None, person, value))
        if number is not None and plain_reading.by_chance:
            named = plain_reading.named + 2  # each label of an item stands once
            plain_reading = replace(plain_reading, named=named)
        less = SAYS * self.weight * says
        plain_reading = replace(plain_reading, score=plain_reading.score - less)
        less = REPEATED * self.weight * (again and number is None)
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
        if len(item) > 1 or says:
            return
        for asked in self._may_be_asked(item, person, value):
            alone = seen.apart((asked, *who)) >= APART or self._says_of((asked,), value)
            pair = tuple(sorted((*item, asked), key=list(seen.columns).index))
            numbered = seen.numbers_within((asked, *who), item[0])
            if seen.number((value,)) > 1:
                numbered |= any(seen.numbers_within((n, *who), value) for n in pair)
            if not alone and not numbered and "object" not in more:
                yield self._graded(Use("choice", pair, None, person, value))

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
                    use = Use("contains", item, asked, person, answer)
                    reading = self._graded(use)
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

    def _graded(self, use: Use) -> Reading:
        kind, item, asked, person, value = use
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
        group, seen = use.group, self.seen
        of_item, error = seen.agreement(group, value), seen.error(group)
        once, prior = not seen.repeats(group), priors[-1]
        shown = self._shown(group, person, value, named=prior >= NAMED)
        score = sum(priors) + self.weight * shown
        score += self._beside(use)
        by_chance = self.weight == 1.0 and not once and of_item <= 2 * error
        by_chance &= prior < USUALLY
        named = sum(prior >= NAMED for prior in priors) - 9 * (min(priors) < 0)
        named -= 2 * by_chance
        if kind != "contains" and value not in self.taken:
            rest = [n for n in self.twins if n not in {*item, person, value}]
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

    def _beside(self, use: Use) -> float:
        """Return points for what a reading uses, and what it leaves out."""
        kind, item, asked, person, value = use
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


def _plainer(text: str) -> str:
    return text.removesuffix(".0").casefold()
