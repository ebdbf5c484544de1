"""What a reader hands over: answers coded, but not yet ordered, checked or counted."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from jaxtyping import Int, Int8

from consilience.errors import DataError
from consilience.responses.account import Account
from consilience.responses.columns.names import listing
from consilience.responses.options import MEANINGS, Kind, Offer
from consilience.responses.text import Coded, drop_unused

SKIPPED, NO, MAYBE, YES = -1, 0, 1, 2
_USUAL_WORDS = {
    YES: "yes / y / true / 1 / 1.0 / present",
    NO: "no / n / false / 0 / 0.0 / absent",
    MAYBE: "maybe / perhaps",
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
        msg = (
            f"{where(row if rows is None else int(rows[row]))}: "
            f"{column.text(row)!r} is not yes, no or maybe (nor true, false, 1, 0); "
            f"found {listing([words[k] for k in unknown], 6)}; say what they mean "
            f"(`answers=`: {column.text(row)!r} may be yes), or, if they are labels, "
            'ask for `kind="choice"`'
        )
        raise DataError(msg)
    if account is not None:
        used = sorted(drop_unused(column).values.to_pylist())
        read = {
            name: [word for word in used if code_of[word.casefold()] == code]
            for name, code in _MEANINGS.items()
        }
        if any(w.casefold() != name for name, each in read.items() for w in each):
            parts = [f"{listing(w, 8)} as {name}" for name, w in read.items() if w]
            account.notes.append(f"answers were read by this rule: {'; '.join(parts)}")
    table = [SKIPPED if code is None else code for code in (*codes, None)]
    answers: np.ndarray = np.array(table, np.int8)[column.codes]
    return answers
