"""What a reader hands over: answers coded, but not yet ordered, checked or counted.

Beside them stands the account of the reading: what was read, kept, dropped, noted and
assumed, written down where it is decided.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from jaxtyping import Int, Int8

from consilience.errors import DataError
from consilience.responses.columns.names import listing
from consilience.responses.options import MEANINGS, Kind, Offer
from consilience.responses.text import Coded

_MAX_LISTED = 30  # unused columns that are listed by name


@dataclass(frozen=True, slots=True)
class Dropped:
    """Rows left out for one reason."""

    reason: str
    count: int
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What is written down from a reader's draft to responses, as in `Cleaning`."""

    unit: str = "rows"
    read: int
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    unused: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaning:
    """Report of what was kept and dropped when a source was read.

    Parameters
    ----------
    unit : str
        What the source counts in: rows, assignments, annotations ...
    read : int
        Number of units that were found.
    kept : int
        Number of units that gave at least one answer.
    answers : int
        Number of answers, each counted as often as it was given.
    dropped : tuple of Dropped
        What was left out, by reason.
    notes : tuple of str
        What was noticed and decided, one sentence each.
    columns : mapping of str to str
        Role of each column of the source that was used: item, annotator, label ...
    unused : mapping of str to str
        Columns of the source that were not used, and what each seems to hold.
    warnings : tuple of str
        What looks wrong, one sentence each.

    See Also
    --------
    consilience.read : Returns responses with this report.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> responses = study(0, num_photos=30).responses()
    >>> responses.cleaning.read, responses.cleaning.kept
    (180, 180)
    """

    unit: str = "rows"
    read: int
    kept: int
    answers: int
    dropped: tuple[Dropped, ...] = ()
    notes: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    unused: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Text of the account, one line per fact."""
        lines = self.account()
        if self.columns:
            lines.append(f"read column {self.roles()}")
        if self.unused:
            lines.append(f"not used: {self.rest()}")
        return "\n".join([*lines, *(f"warning: {each}" for each in self.warnings)])

    def roles(self) -> str:
        """Return the columns that were used, and as what."""
        by_role: dict[str, list[str]] = {}
        for name, role in self.columns.items():
            by_role.setdefault(role, []).append(name)
        return ", ".join(f"{listing(each)} as {role}" for role, each in by_role.items())

    def rest(self) -> str:
        """Return the columns that were not used, and what they seem to hold."""
        return listing(self.unused, _MAX_LISTED) if self.unused else ""

    def account(self) -> list[str]:
        """Return what was kept, dropped and decided, a line for each fact."""
        kept = f"read {self.read:,} {self.unit}, kept {self.kept:,}"
        dropped = [
            f"dropped {part.count:,}: {part.reason} (first: {part.example})"
            for part in self.dropped
        ]
        return [f"{kept}: {self.answers:,} answers", *dropped, *self.notes]


SKIPPED, NO, MAYBE, YES = -1, 0, 1, 2
_USUAL_WORDS = {
    YES: "yes / y / true / 1 / 1.0 / present / ja / j / oui / sí / si / sì / sim",
    NO: "no / n / false / 0 / 0.0 / absent / nein / non / não / nao",
    MAYBE: "maybe / perhaps / vielleicht / peut-être / peut être / quizás / quizá / "
    "tal vez / forse / talvez",
    SKIPPED: "unclear / unsure / not sure / skip / skipped / can't tell / cannot "
    "tell / idk / don't know / dont know / do not know / unknown / "
    "undecided / ? / n/a / na / not applicable / no answer",
}
_WORDS = {w: code for code, each in _USUAL_WORDS.items() for w in each.split(" / ")}
_MEANINGS = dict(zip(MEANINGS, (YES, NO, MAYBE, SKIPPED), strict=True))
NO_ANSWER = {word for word, code in _WORDS.items() if code == SKIPPED} | {"none"}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Draft:
    """Answers as read, one row each."""

    account: Account
    kind: Kind
    item: Coded
    annotator: Coded
    label: Coded
    row: Int[np.ndarray, " N"]
    where: Callable[[int], str]
    answer: Int8[np.ndarray, " N"] | None = None
    worded: bool = True
    object: Int[np.ndarray, " N"] | None = None
    main: Int8[np.ndarray, " N"] | None = None
    n: Int[np.ndarray, " N"] | None = None
    response_id: Coded | None = None
    extras: Mapping[str, pd.Series] = field(default_factory=dict)
    offer: Offer | None = None
    offered: pd.DataFrame | None = None
    items: pd.DataFrame | None = None
    labels: pd.DataFrame | None = None
    gold: pd.DataFrame | None = None
    more_items: Sequence[str] = ()
    types: Mapping[str, str | None] = field(default_factory=dict)
    order: Sequence[str] = ()
    ordered: bool = False

    def place(self, answer: int) -> str:
        """Say where the row of an answer stands."""
        return self.where(int(self.row[answer]))


def meaning_of(word: str) -> str | None:
    """Return whether a word means yes, no or maybe; None: neither, or it is skipped."""
    names = {YES: "yes", NO: "no", MAYBE: "maybe"}
    return None if word in {"0", "1", "total"} else names.get(_WORDS.get(word, SKIPPED))


def codes_of_words(words: Iterable[str]) -> list[int]:
    """Return what words mean: `YES`, `NO` and so on, -1 for those that are unknown."""
    return [_WORDS.get(word.casefold(), SKIPPED) for word in words]


def is_yes_or_no(words: Iterable[str], *, both: bool = True) -> bool:
    """Whether words answer yes-or-no questions: all of them are known."""
    meanings = {_WORDS.get(word.casefold()) for word in words}
    there = {YES, NO} & meanings
    return None not in meanings and len(there) >= (2 if both else 1)


def read_answers(
    column: Coded,
    meanings: Mapping[str, str],
    where: Callable[[int], str],
    rows: np.ndarray | None = None,
    account: Account | None = None,
) -> Int8[np.ndarray, " N"]:
    """Read answers as 0 (no), 1 (maybe), 2 (yes) or -1 (skipped); notes the rule."""
    words = column.values.to_pylist()
    code_of = _WORDS | {word.casefold(): _MEANINGS[m] for word, m in meanings.items()}
    codes = [code_of.get(word.casefold()) for word in words]
    unknown = [place for place, code in enumerate(codes) if code is None]
    strange = np.isin(column.codes, unknown)
    if unknown and strange.any():
        row = int(np.argmax(strange))
        raise DataError(
            f"{where(row if rows is None else int(rows[row]))}: "
            f"{column.text(row)!r} is not yes, no or maybe (nor true, false, 1, 0); "
            f"found {listing([words[k] for k in unknown], 6)}; say what they mean "
            f"(`answers=`: {column.text(row)!r} may be yes), or, if they are labels, "
            'ask for `kind="choice"`'
        )
    if account is not None:
        used = sorted(column.used().values.to_pylist())
        read = {
            name: [word for word in used if code_of[word.casefold()] == code]
            for name, code in _MEANINGS.items()
        }
        if any(w.casefold() != name for name, each in read.items() for w in each):
            parts = [f"{listing(w, 8)} as {name}" for name, w in read.items() if w]
            account.notes.append(f"answers were read by this rule: {'; '.join(parts)}")
    table = [SKIPPED if code is None else code for code in (*codes, None)]
    return np.array(table, np.int8)[column.codes]
