"""Which columns of a wide table are annotators: by what they hold, and their names."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from consilience.errors import ColumnError
from consilience.responses.columns.looks import (
    CONSTANT,
    DISTINCT,
    EMPTY,
    FEW,
    FLAGS,
    FRACTIONS,
    NEVER_LABELS,
    NUMBERS,
    look,
)
from consilience.responses.columns.names import (
    EXTRAS,
    USUAL,
    are_people,
    find,
    is_aside,
    is_truth,
    listing,
    plain,
)
from consilience.responses.options import ReadOptions
from consilience.responses.text import Coded, TextTable, concatenate, recode, text_array

_OTHER = re.compile(
    r"confidence|certainty|comment|remark|timestamp|duration|seconds|difficulty"
    r"|^notes?$|^links?$|^urls?$|^date$|^time$|^text$|^title$|^description$"
)
_NUMBER = re.compile(r"[-+.\deE]+")
_NUMERIC = {NUMBERS, FRACTIONS, FLAGS, DISTINCT}
_ASIDE = frozenset({*EXTRAS, *USUAL["gold"]})
_ROWS, _LABELS = 20_000, 50  # that are looked at; that answers may have
_SPLIT, _ERRORS = 12, 3  # rows without a unanimous answer; standard errors
_GAPS = 0.9  # share of the cells that a column with gaps fills at most
BY_NAME = "by its name"
_TRUTH = "is named for the truth; if it is gold, name it: `gold_column=`"


def drop_not_asked(label: Coded) -> Coded:
    """Take ``-1`` for missing, where it is the only negative number."""
    values = label.values.to_pylist()
    negative = {value for value in values if value.startswith("-")}
    if {value.removesuffix(".0") for value in negative} != {"-1"}:
        return label
    kept = text_array(None if value in negative else value for value in values)
    return recode(label.codes, kept)


# The columns of annotators


@dataclass(frozen=True, slots=True, kw_only=True)
class WideColumns:
    """The columns of a wide table: of labels, of gold, and others with their looks."""

    annotators: list[str]
    gold: str | None
    unused: dict[str, str]
    unclear: Sequence[str] = ()
    warnings: tuple[str, ...] = ()


def wide_columns(
    table: TextTable, names: Sequence[str], options: ReadOptions
) -> WideColumns:
    """Separate the annotators of a wide table from its other columns."""
    source = table.source
    for name in options.annotator_columns:
        find(names, "an annotator", name, source)
    rest = [name for name in names if name not in options.annotator_columns]
    gold = find(rest, "gold", options.columns.gold, source)
    columns = {name: drop_not_asked(table.columns[name]) for name in names}
    looks = {name: look(columns[name]) for name in rest if name != gold}
    if options.annotator_columns:
        return WideColumns(
            annotators=list(options.annotator_columns), gold=gold, unused=looks
        )
    may_be = [n for n in looks if not (n in options.extras or plain(n) in _ASIDE)]
    truth = [name for name in may_be if is_truth(name)]
    truth = truth if len(may_be) - len(truth) > 1 else []  # others can be annotators'
    may_be = [name for name in may_be if name not in truth]
    asides = [n for n in may_be if is_aside(n) or numbers_rows(columns[n])]
    asides = asides if len(may_be) - len(asides) > 1 else []
    may_be = [name for name in may_be if name not in asides]
    out, doubtful = _left_out(columns, {name: looks[name] for name in may_be})
    unlike = named_unlike([name for name in may_be if name not in out])
    alike = [name for name in may_be if name not in {*out, *unlike}]
    full = {name: float((columns[name].codes >= 0).mean()) for name in may_be}
    usual_gaps = min(_GAPS, max((full[name] for name in alike), default=0.0))
    unlike = [name for name in unlike if full[name] > usual_gaps]  # as truths are
    agree = bool(unlike) and _agree(columns, unlike, alike)
    named = dict.fromkeys(() if agree else unlike, "is named unlike the others")
    if set(out.values()) == {EMPTY} and len(out) == len(may_be):
        out = {}  # nobody answered anything, which is an error of its own
    annotators = [name for name in may_be if name not in out | named]
    out |= dict.fromkeys(truth, _TRUTH) | {n: looks[n] or BY_NAME for n in asides}
    if not annotators:
        raise ColumnError(
            f"{source}: no column looks like an annotator's; expected annotators "
            f"beside the item, found {_listing(out | named) or 'no other column'}; "
            "name them (`annotator_columns=`)"
        )
    doubtful = [n for n in doubtful if n not in named and len(annotators) > 1]
    strange = {name: why for name, why in out.items() if why != EMPTY}
    made, number = made_of_others(columns, annotators) or ("", 0)
    sentences = {
        f"left out columns that do not look like an annotator's: {_listing(strange)}; "
        "if one of them is, name all annotators (`annotator_columns=`)": bool(strange),
        f"column {listing(doubtful)} shares no label with the others and was taken for "
        "an annotator; if it is not one, exclude it (`exclude=`)": bool(doubtful),
        f"the columns {listing(unlike)} are named unlike the others, agree with them "
        "and were taken for annotators; if they are none, exclude them "
        "(`exclude=`)": agree,
        f"column {made!r} holds what most others hold in all {number:,} rows where "
        "there is a majority; if it was made of them, exclude it "
        f"(`exclude={made}`)": bool(made),
    }
    out = looks | out | named
    return WideColumns(
        annotators=annotators,
        gold=gold,
        unclear=list(named),
        unused={name: out[name] for name in looks if name not in annotators},
        warnings=tuple(f"{source}: {each}" for each, true in sentences.items() if true),
    )


def _listing(looks: Mapping[str, str]) -> str:
    return ", ".join(f"{name!r} ({seen})" for name, seen in list(looks.items())[:12])


def _agree(
    columns: Mapping[str, Coded], names: Sequence[str], others: Sequence[str]
) -> bool:
    """Say whether several columns hold labels of others and agree beyond chance."""
    # The mean share of the others who say the same, and that expected of other rows,
    # differ by `_ERRORS` standard errors; one column alone may as well be the truth.
    stacked = concatenate([columns[n] for n in (*others, *names)]).used()
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
    stems = set(map(_stem, names))
    if len(stems) > 1 or len(names) < 2:
        return None
    return re.sub(r"[\W_]+", " ", stems.pop().replace("#", " ")).strip()


def named_unlike(names: Sequence[str]) -> list[str]:
    """Return the columns beside those, most of all, that differ in a number alone."""
    endings = {re.sub(r"^[^\W_]+", "", name) for name in names}
    if len(endings) == 1 and endings != {""}:
        return []  # each is a word before the same ending
    people = [name for name in names if are_people([name])]
    if len(people) > max(1, len(names) / 2):
        return [name for name in names if name not in people]
    stems = Counter(map(_stem, names))
    common, count = stems.most_common(1)[0] if stems else ("", 0)
    least = 3 if common == "#" else 2
    if "#" not in common or count < max(least, len(names) / 2):
        return []
    return [name for name in names if _stem(name) != common]


def _stem(name: str) -> str:
    if re.search(r"\d", name):
        return re.sub(r"\d+", "#", name)
    return re.sub(r"(?<=[a-z])[A-Z]$|(?<![^\W_])[A-Za-z](?![^\W_])", "#", name)


def numbers_rows(column: Coded) -> bool:
    """Say whether a column counts the rows."""
    values = column.values.to_pylist()
    if (
        len(values) < FEW
        or len(values) != len(column)
        or not all(map(str.isdigit, values))
    ):
        return False
    numbers = sorted(map(int, values))
    return numbers[0] < 2 and numbers[-1] - numbers[0] == len(numbers) - 1


def made_of_others(
    columns: Mapping[str, Coded], names: Sequence[str]
) -> tuple[str, int] | None:
    """Return a column that always holds what most others hold, and in how many rows."""
    if len(names) < 4:
        return None
    stacked = concatenate([columns[name] for name in names]).used()
    codes = stacked.codes.reshape(len(names), -1)[:, :_ROWS]
    if not 2 <= len(stacked.values) <= _LABELS:
        return None
    votes = (codes[:, :, None] == np.arange(len(stacked.values))).astype(np.int32)
    for place, name in enumerate(names):
        others = votes.sum(axis=0) - votes[place]
        order = np.sort(others, axis=1)
        clear = (codes[place] >= 0) & (order[:, -1] > order[:, -2])
        split = clear & (order[:, -1] < order.sum(axis=1))
        same = codes[place] == others.argmax(axis=1)
        if split.sum() >= _SPLIT and same[clear].all():
            return name, int(clear.sum())
    return None


def _left_out(
    columns: Mapping[str, Coded], looks: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Columns that do not hold labels, and why; and those that may not."""
    values = {n: set(columns[n].used().values.to_pylist()) for n in looks}
    out = {
        name: seen or BY_NAME
        for name, seen in looks.items()
        if seen in NEVER_LABELS - {DISTINCT} or _OTHER.search(plain(name))
    }
    left = [name for name in looks if name not in out]
    numeric = [name for name in left if looks[name] in _NUMERIC]
    numbers = [n for n in numeric if all(map(_NUMBER.fullmatch, values[n]))]
    words = [name for name in left if name not in numbers]
    whole = [name for name in numbers if looks[name] != FRACTIONS]

    def shared(group: Sequence[str]) -> Counter[str]:
        return Counter(value for name in group for value in values[name])

    groups = [group for group in (words, whole, numbers) if group]
    with_core = [g for g in groups if max(shared(g).values(), default=0) > 1]
    labels = next(iter(with_core or groups), [])
    number, doubtful = shared(labels), list[str]()
    unlike_others = named_unlike(left)
    for name in left:
        if any(number[value] > (name in labels) for value in values[name]):
            continue
        filled = int((columns[name].codes >= 0).sum())
        unlike = name not in labels or looks[name] == DISTINCT
        other = name in unlike_others or looks[name] == CONSTANT
        if with_core and filled >= FEW and (unlike or other):
            out[name] = looks[name] or "shares no label with the others"
        elif unlike or filled >= FEW:
            doubtful.append(name)
    return out, doubtful
