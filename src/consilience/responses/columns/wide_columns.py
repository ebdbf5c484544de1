"""Which columns of a wide table are annotators, and what the others are.

An annotator's column holds labels that other columns hold too. Gold by the usual names,
links, free text, dates, numbers beside words and columns with a value of its own in
every row are left out with a remark, as are other columns that share no label
with the rest; the caller may name the annotators instead.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from consilience.errors import MissingColumnError
from consilience.responses.columns.looks import (
    DISTINCT,
    EMPTY,
    FEW,
    FLAGS,
    FRACTIONS,
    NEVER_LABELS,
    NUMBERS,
    look,
)
from consilience.responses.columns.names import EXTRAS, USUAL, find, listing, plain
from consilience.responses.columns.vocabulary import is_truth
from consilience.responses.options import ReadOptions
from consilience.responses.tables.coding import Coded, concatenate, drop_unused
from consilience.responses.tables.text_table import TextTable

_OTHER = re.compile(
    r"confidence|certainty|comment|remark|timestamp|duration|seconds|difficulty"
    r"|^notes?$|^links?$|^urls?$|^date$|^time$|^text$|^title$|^description$"
)
NOT_ASKED = ("-1", "-1.0")
_NAMED = "by its name"
_NAMED_UNLIKE = "is named unlike the others"
_TRUTH = "is named for the truth; if it is gold, name it: `gold_column=`"
_ROWS, _LABELS, _SPLIT = 20_000, 50, 12
_ERRORS = 3
_UNLIKE = "shares no label with the others"
_NUMERIC = {NUMBERS, FRACTIONS, FLAGS, DISTINCT}


@dataclass(frozen=True, slots=True, kw_only=True)
class WideColumns:
    """The columns of a wide table."""

    annotators: list[str]
    gold: str | None
    unused: dict[str, str]
    unclear: Sequence[str] = ()
    warnings: tuple[str, ...] = ()


def wide_columns(
    table: TextTable, names: list[str], options: ReadOptions
) -> WideColumns:
    """Separate the annotators of a wide table from its other columns."""
    source = table.source
    for name in options.annotators:
        find(names, "an annotator", name, source)
    rest = [name for name in names if name not in options.annotators]
    gold = find(rest, "gold", options.columns.gold, source)
    table = replace(
        table, columns={n: _drop_not_asked(table.columns[n]) for n in names}
    )
    looks = {name: look(table.columns[name]) for name in rest if name != gold}
    if options.annotators:
        return WideColumns(annotators=list(options.annotators), gold=gold, unused=looks)
    aside = {
        name: looks.pop(name)
        for name in list(looks)
        if name in options.extras or plain(name) in {*EXTRAS, *USUAL["gold"]}
    }
    truth = _truths(list(looks))
    looks = {name: content for name, content in looks.items() if name not in truth}
    out, doubtful = _left_out(table, looks)
    unlike_names = named_unlike([name for name in looks if name not in out])
    alike = [name for name in looks if name not in {*out, *unlike_names}]
    agree = bool(unlike_names) and _agree(table, unlike_names, alike)
    if not agree:
        out |= dict.fromkeys(unlike_names, _NAMED_UNLIKE)
    doubtful = [name for name in doubtful if name not in out]
    if set(out.values()) == {EMPTY} and len(out) == len(looks):
        out = {}  # nobody answered anything, which is an error of its own
    annotators = [name for name in looks if name not in out]
    out |= truth
    if not annotators:
        listed = _listing(out) or "no other column"
        msg = (
            f"{source}: no column looks like an annotator's; expected annotators "
            f"beside the item, found {listed}; name them (`annotators=`)"
        )
        raise MissingColumnError(msg)
    doubtful = [name for name in doubtful if len(annotators) > 1]
    unlike = {n: why for n, why in out.items() if why not in {EMPTY, _NAMED_UNLIKE}}
    left_out = (
        f"{source}: left out columns that do not look like an annotator's: "
        f"{_listing(unlike)}; if one of them is, name all annotators (`annotators=`)"
    )
    kept = (
        f"{source}: column {listing(doubtful)} shares no label with the others and was "
        "taken for an annotator; if it is not one, exclude it (`exclude=`)"
    )
    taken = (
        f"{source}: the columns {listing(unlike_names)} are named unlike the others, "
        "agree with them and were taken for annotators; if they are none, exclude them "
        "(`exclude=`)"
    )
    return WideColumns(
        annotators=annotators,
        gold=gold,
        unclear=() if agree else unlike_names,
        unused={name: (aside | out)[name] for name in rest if name in aside | out},
        warnings=(
            *((left_out,) if unlike else ()),
            *((kept,) if doubtful else ()),
            *((taken,) if agree else ()),
            *made_of_others(table, annotators),
        ),
    )


def _agree(table: TextTable, names: list[str], others: list[str]) -> bool:
    """Say whether several columns hold labels of others and agree beyond chance.

    The mean share of the others who say the same, and that expected of other rows, must
    differ by `_ERRORS` standard errors. One column alone may as well be the truth.
    """
    stacked = drop_unused(concatenate([table.columns[n] for n in (*others, *names)]))
    number = len(stacked.values)
    if len(names) < 2 or not others or number > _LABELS:
        return False
    codes = stacked.codes.reshape(len(others) + len(names), -1)[:, :_ROWS]
    votes = (codes[: len(others), :, None] == np.arange(number)).sum(axis=0)
    share = votes / np.maximum(votes.sum(axis=1, keepdims=True), 1)
    usual = votes.sum(axis=0) / max(votes.sum(), 1)
    for answer in codes[len(others) :]:
        rows = np.flatnonzero((answer >= 0) & (votes.sum(axis=1) > 0))
        beyond = share[rows, answer[rows]] - usual[answer[rows]]
        if len(rows) < FEW or not usual[answer[answer >= 0]].all():
            return False
        if beyond.mean() <= _ERRORS * beyond.std() / np.sqrt(len(rows)):
            return False
    return True


def numbered_stem(names: Sequence[str]) -> str | None:
    """Return what names share that differ in a number or a letter; None: nothing."""
    stems = {_stem(name) for name in names}
    if len(stems) > 1 or len(names) < 2:
        return None
    return re.sub(r"[\W_]+", " ", stems.pop().replace("#", " ")).strip()


def _stem(name: str) -> str:
    if re.search(r"\d", name):
        return re.sub(r"\d+", "#", name)
    return re.sub(r"(?<=[a-z])[A-Z]$|(?<![^\W_])[A-Za-z](?![^\W_])", "#", name)


def named_unlike(names: Sequence[str]) -> list[str]:
    """Return the columns beside those that have names of one form, such as rater_1."""
    for form in (_stem, _first_word, _last_word):
        forms = Counter(form(name) for name in names)
        common, count = forms.most_common(1)[0] if forms else ("", 0)
        least = 3 if common == "#" else 2
        if common and count >= max(least, len(names) / 2):
            return [name for name in names if form(name) != common]
    return []


def _first_word(name: str) -> str:
    first, _, rest = name.replace("_", " ").replace("-", " ").partition(" ")
    return first if rest else ""


def _last_word(name: str) -> str:
    rest, _, last = name.replace("_", " ").replace("-", " ").rpartition(" ")
    return last if rest and not last.isdecimal() else ""


def _truths(names: list[str]) -> dict[str, str]:
    """Return columns named for the truth, where others can be the annotators'."""
    truth = [name for name in names if is_truth(name)]
    return dict.fromkeys(truth, _TRUTH) if len(names) - len(truth) > 1 else {}


def made_of_others(table: TextTable, names: list[str]) -> tuple[str, ...]:
    """Warn of a column that always holds what most others hold: a consensus."""
    if len(names) < 4:
        return ()
    stacked = drop_unused(concatenate([table.columns[name] for name in names]))
    codes = stacked.codes.reshape(len(names), -1)[:, :_ROWS]
    number = len(stacked.values)
    if not 2 <= number <= _LABELS:
        return ()
    votes = (codes[:, :, None] == np.arange(number)).astype(np.int32)
    for place, name in enumerate(names):
        others = votes.sum(axis=0) - votes[place]
        order = np.sort(others, axis=1)
        filled = codes[place] >= 0
        clear = filled & (order[:, -1] > order[:, -2])
        split = clear & (order[:, -1] < order.sum(axis=1))
        same = codes[place] == others.argmax(axis=1)
        if split.sum() >= _SPLIT and same[clear].all():
            sentence = (
                f"{table.source}: column {name!r} holds what most others hold in all "
                f"{int(clear.sum()):,} rows where there is a majority; if it was made "
                f"of them, exclude it (`exclude={name}`)"
            )
            return (sentence,)
    return ()


def _left_out(
    table: TextTable, looks: dict[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Columns that do not hold labels, and why; and those that may not."""
    values = {
        name: set(drop_unused(table.columns[name]).values.to_pylist()) for name in looks
    }
    out = {
        name: content or _NAMED
        for name, content in looks.items()
        if content in NEVER_LABELS - {DISTINCT} or _OTHER.search(plain(name))
    }
    left = [name for name in looks if name not in out]
    numbers = [name for name in left if _is_number(looks[name], values[name])]
    words = [name for name in left if name not in numbers]
    whole = [name for name in numbers if looks[name] != FRACTIONS]
    groups = [group for group in (words, whole, numbers) if group]
    labels = next((g for g in groups if _core(g, values)), groups[0] if groups else [])
    core = _core(labels, values)
    doubtful = []
    candidates = set(labels)
    columns = Counter(value for name in labels for value in values[name])
    for name in left:
        of_itself = name in candidates
        if any(columns[value] > of_itself for value in values[name]):
            continue
        filled = int((table.columns[name].codes >= 0).sum())
        unlike = name not in labels or looks[name] == DISTINCT
        if core and filled >= FEW and unlike:
            out[name] = looks[name] or _UNLIKE
        elif unlike or filled >= FEW:
            doubtful.append(name)
    return out, doubtful


def _drop_not_asked(column: Coded) -> Coded:
    """Return the column without the cells that may mean that nobody was asked."""
    was_asked = ~pc.is_in(column.values, value_set=pa.array(NOT_ASKED)).to_numpy(
        zero_copy_only=False
    )
    codes = np.where(np.append(was_asked, False)[column.codes], column.codes, -1)
    return replace(column, codes=codes.astype(np.int32))


def _is_number(looks: str, values: set[str]) -> bool:
    return looks in _NUMERIC and all(re.fullmatch(r"[-+.\deE]+", v) for v in values)


def _core(names: Iterable[str], values: dict[str, set[str]]) -> bool:
    """Whether two of the columns share a value."""
    seen: set[str] = set()
    for name in names:
        if seen & values[name]:
            return True
        seen |= values[name]
    return False


def _listing(looks: dict[str, str]) -> str:
    return ", ".join(
        f"{name!r} ({content})" for name, content in list(looks.items())[:12]
    )
