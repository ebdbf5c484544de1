"""The table `annotators`: which group each belongs to, and who is a sample of whom.

Several samples of one language model are not several annotators: given the truth, their
answers are nearly alike. They count as repeats of one annotator, and of its answers to
one question the most frequent counts, once (self-consistency).

**The table `annotator_prior`: what annotators answered earlier, the truth being
known.** A row says how often an annotator gave an answer to questions of one true
label, or how many of its answers were right. Either becomes single answers to questions
of known truth, which enter the fit beside the new ones.

References
----------
Wang et al. (2023), Self-consistency improves chain of thought reasoning in language
models.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.errors import ColumnError, DataError, OptionError
from consilience.fitting.inputs import Table
from consilience.responses import ReadOptions, Responses
from consilience.responses.columns.names import listing
from consilience.responses.side_columns import roles_in
from consilience.responses.side_tables import check_filled, side_table, text_frame
from consilience.truth import ChoiceSpace
from consilience.truth.coding import with_earlier_answers
from consilience.truth.space import Groups, Space

NO_GROUP = "(no group)"  # of annotators that the table does not have
WHAT = "annotator_prior"
_CONFUSION, _SCORE = ("true_label", "given_label"), ("right", "accuracy")
_NUMBERS = ("n", "probability", *_SCORE)
MOST = 10_000_000  # earlier answers: each is a unit of its own
TURN = (5**0.5 - 1) / 2  # of a circle: the steps of a sequence that is spread evenly
type Coded = Sequence[Int[np.ndarray, " E"]]  # annotators, true labels and answers


@dataclass(frozen=True, slots=True, eq=False)
class AnnotatorTable:
    """What is known of annotators."""

    group: Mapping[str, str] = field(default_factory=dict)
    repeat_of: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, given: Table | None) -> "AnnotatorTable":
        """Read a table."""
        if given is None:
            return cls()
        table = side_table(given, ReadOptions(), "annotators")
        columns = [name for name in ("group", "repeat_of") if name in table.names]
        who = roles_in(table, {}, roles=("annotator",))
        if not columns:
            raise ColumnError(
                "annotators: there is no column 'group'; found "
                f"{listing(table.names)}; the table has the columns annotator and "
                "group, repeat_of or both"
            )
        check_filled(table, who)
        frame = text_frame(table, who | {name: name for name in columns})
        twice = frame["annotator"].duplicated()
        if twice.any():
            raise OptionError(
                f"annotators: {frame['annotator'][twice].iloc[0]!r} has several rows; "
                "give one row for each annotator"
            )
        whole = frame.set_index("annotator").reindex(columns=["group", "repeat_of"])
        group, repeat_of = (
            {str(one): str(of) for one, of in whole[name].dropna().items()}
            for name in whole
        )
        repeat_of = {one: other for one, other in repeat_of.items() if one != other}
        return cls(_of_samples(group, repeat_of), repeat_of)

    def merged(self, responses: Responses) -> Responses:
        """Return responses in which samples of an annotator are that annotator."""
        who = responses.table["annotator"]
        samples = who.isin(list(self.repeat_of))
        if not samples.any():
            return responses
        old = who.cat.categories.astype("str")
        names = pd.Index([self.repeat_of.get(name, name) for name in old], dtype="str")
        new = names.unique()
        code = np.append(new.get_indexer(names), -1)[who.cat.codes.to_numpy()]
        merged = responses.table.assign(
            annotator=pd.Categorical.from_codes(code, categories=new)
        )
        number, ones = int(who[samples].nunique()), set(self.repeat_of.values())
        sentence = (
            f"annotators that count as samples of another (`repeat_of`): {number:,}"
        )
        if responses.kinds != ("objects",):
            of_ones = merged["annotator"].isin(list(ones))
            merged, repeated = _most_frequent(merged, of_ones)
            sentence += (
                f"; of several answers to one question ({repeated:,} answers), the "
                "most frequent counts, once, and of equally frequent ones the first"
            )
        assumptions = (*responses.assumptions, sentence)
        return replace(responses, table=merged, assumptions=assumptions)

    def of_space[S: Space](self, space: S) -> S:
        """Return the space with the groups of its annotators."""
        if not self.group:
            return space
        given = pd.Series(space.annotators).astype(str).map(dict(self.group))
        given = given.where(space.identified)
        names = sorted(given.dropna().unique())
        if not names:
            raise OptionError(_others_answered("annotators", list(self.group), space))
        remarks, rest = [], given.isna().sum()
        if rest:
            names.append(NO_GROUP)
            remarks = [f"{rest:,} annotators are in no group of the table"]
        code = pd.Index(names).get_indexer(given.fillna(NO_GROUP)).astype(np.int32)
        groups = Groups(code, np.array(names, object))
        return replace(
            space, annotator_groups=groups, assumptions=(*space.assumptions, *remarks)
        )


def _others_answered(what: str, names: list[str], space: Space) -> str:
    answered = list(map(str, space.annotators))
    return (
        f"{what}: the table names none of those who answered; it has "
        f"{listing(names, 3)}, the answers have {listing(answered, 3)}"
    )


def _of_samples(
    group: Mapping[str, str], repeat_of: Mapping[str, str]
) -> dict[str, str]:
    """Return the groups with those of annotators that only their samples name."""
    whole = {name: of for name, of in group.items() if name not in repeat_of}
    for one, other in repeat_of.items():
        if other in repeat_of:
            raise OptionError(
                f"annotators: {one!r} is a sample of {other!r}, which is itself a "
                f"sample of {repeat_of[other]!r}; name that one in `repeat_of`"
            )
        theirs = group.get(one, whole.get(other))
        if theirs is None:
            continue
        if whole.setdefault(other, theirs) != theirs:
            raise OptionError(
                f"annotators: {other!r} is in the groups {whole[other]!r} and "
                f"{theirs!r}, the second by its sample {one!r}; give samples of one "
                "annotator one group"
            )
    return whole


def _most_frequent(table: pd.DataFrame, some: pd.Series) -> tuple[pd.DataFrame, int]:
    """Keep one answer of some annotators to each question; say of how many."""
    question = ["kind", "item", "annotator"]
    rows = table[some]
    contains, label = rows["kind"] == "contains", rows["label"].cat.codes
    value = rows["answer"].cat.codes.where(contains, label)
    asked = label.where(contains, -1)
    coded = pd.DataFrame({name: rows[name].cat.codes for name in question}).assign(
        asked=asked, value=value, n=rows["n"]
    )
    coded = coded[(rows["kind"] != "objects") & (coded["value"] >= 0)]
    keys = [*question, "asked"]
    size = coded.groupby(keys, sort=False)["n"].transform("sum")
    votes = coded.groupby([*keys, "value"], sort=False)["n"].transform("sum")
    # A stable sort: among equals, the answer that was given first.
    order = coded.assign(votes=-votes).sort_values("votes", kind="stable")
    first = order[~order.duplicated(keys)].index
    lost = coded.index.difference(first)
    kept = table.drop(index=lost)
    kept.loc[first, "n"] = 1
    return kept.reset_index(drop=True), int(coded["n"][size > 1].sum())


def read_annotator_prior(given: Table | None) -> pd.DataFrame | None:
    """Read the table, numbers as such."""
    if given is None:
        return None
    table = side_table(given, ReadOptions(), WHAT)
    names = {name: name for name in table.names}
    if "label" in names and "given_label" not in names:
        names["given_label"] = names.pop("label")
    _check_columns(names, table.names)
    texts = [name for name in ("annotator", *_CONFUSION) if name in names]
    check_filled(table, {name: names[name] for name in texts})
    numbers = [name for name in _NUMBERS if name in names]
    frame = text_frame(table, {name: names[name] for name in (*texts, *numbers)})
    for name in numbers:
        frame[name] = _number(frame[name], name)
    return frame


def _check_columns(names: dict[str, str], there: list[str]) -> None:
    needed = ["annotator"]
    if not any(name in names for name in _SCORE):
        needed += _CONFUSION
    if len(needed) == 1 or "probability" in names:
        needed += ["n"]
    lacking = [name for name in needed if name not in names]
    if lacking:
        raise ColumnError(
            f"{WHAT}: there is no column {lacking[0]!r}; found {listing(there)}; the "
            "table has the columns annotator, true_label and given_label, and n (how "
            "often) or probability and n; or annotator, right (or accuracy) and n"
        )


def _number(column: pd.Series, name: str) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce")
    highest = 1.0 if name in ("probability", "accuracy") else np.inf
    bad = ~(np.isfinite(numbers) & (numbers >= 0) & (numbers <= highest))
    if bad.any():
        row = int(bad.to_numpy().argmax())
        expected = "from 0 to 1" if highest == 1 else "that is not negative"
        raise DataError(
            f"{WHAT}, row {row + 1}: {name} is {column.iloc[row]!r}; give a number "
            f"{expected}"
        )
    return numbers.astype(float)


def with_earlier(
    table: pd.DataFrame, space: ChoiceSpace
) -> tuple[ChoiceSpace, tuple[str, ...]]:
    """Return the space with the answers of a table behind its own, and remarks."""
    if space.covariates.names:
        raise OptionError(
            f"{WHAT} cannot be used with candidates whose columns are weighed; give "
            "their log-odds as the column log_odds, or leave one of the two out"
        )
    names = pd.Index(space.annotators).astype(str).where(space.identified, None)
    annotator = names.get_indexer(pd.Index(table["annotator"]))
    here = annotator >= 0
    if not here.any():
        named = table["annotator"].unique().tolist()
        raise OptionError(_others_answered(WHAT, named, space))
    table, annotator = table[here], annotator[here]
    total = table["n"].sum() if "n" in table else len(table)
    if total > MOST:
        raise OptionError(
            f"{WHAT}: {total:,.0f} earlier answers are more than the {MOST:,} that are "
            "used; they settle what annotators are like: divide n by ten or a hundred"
        )
    by_label = {*_CONFUSION} <= {*table}
    coded = (_of_confusions if by_label else _of_scores)(table, annotator, space)
    people, answers = len(np.unique(coded[0])), len(coded[0])
    remark = (
        f"{answers:,} earlier answers of {people:,} annotators to questions of known "
        "truth (`annotator_prior=`) are the prior of what they are like"
    )
    if not here.all():
        lost = np.count_nonzero(~here)
        remark += f"; {lost:,} rows of annotators without responses are unused"
    spread = (
        "of earlier scores the true labels are not known; they are taken to be as "
        "frequent as labels are among the answers"
    )
    remarks = (remark,) if by_label else (remark, spread)
    return with_earlier_answers(space, *coded), remarks


def _of_confusions(
    table: pd.DataFrame, annotator: Int[np.ndarray, " R"], space: ChoiceSpace
) -> Coded:
    """Return whole answers; where numbers are not whole, those of a true label are."""
    labels, codes = pd.Index(space.states), [annotator]
    for name in _CONFUSION:
        code = labels.get_indexer(pd.Index(table[name]))
        if (code < 0).any():
            label = table[name].iloc[int((code < 0).argmax())]
            raise OptionError(
                f"{WHAT}: the {name} {label!r} is not among the {len(labels)} labels "
                "of the responses; correct it or add it to `labels=`"
            )
        codes.append(code)
    weight = np.ones(len(table)) if "n" not in table else table["n"].to_numpy()
    if "probability" in table:
        weight = weight * table["probability"].to_numpy()
    order = np.lexsort(codes[::-1])
    row = annotator * len(labels) + codes[1]
    number = np.empty(len(table), int)
    number[order] = _whole(weight[order], row[order])
    return [np.repeat(code, number) for code in codes]


def _whole(
    weight: Float[np.ndarray, " R"], row: Int[np.ndarray, " R"]
) -> Int[np.ndarray, " R"]:
    """Round so that the sums of rows are rounded, by the largest remainders."""
    number = np.floor(weight + 1e-9).astype(int)
    rest = weight - number
    _, start, place = np.unique(row, return_index=True, return_inverse=True)
    lacking = np.rint(np.add.reduceat(rest, start)).astype(int)[place]
    order = np.lexsort((-rest, place))
    rank = np.empty(len(row), int)
    rank[order] = np.arange(len(row)) - start[place[order]]
    return number + (rank < lacking)


def _of_scores(
    table: pd.DataFrame, annotator: Int[np.ndarray, " R"], space: ChoiceSpace
) -> Coded:
    """Return right and wrong answers to questions whose true labels are spread."""
    number = np.rint(table["n"].to_numpy()).astype(int)
    share = table["accuracy"].to_numpy() if "accuracy" in table else None
    right = table["right"].to_numpy() if share is None else share * table["n"]
    right = np.rint(right).astype(int)
    if (right > number).any():
        row = int((right > number).argmax())
        raise OptionError(
            f"{WHAT}: {table['annotator'].iloc[row]!r} has {right[row]:,} right of "
            f"{number[row]:,} answers; give as `n` how many were judged"
        )
    frequent = np.bincount(space.answer, space.n, len(space.states))
    frequent = frequent / frequent.sum()
    parts = []
    counts = zip(annotator.tolist(), right.tolist(), number.tolist(), strict=True)
    for who, ok, n in counts:
        truth = np.concatenate([_spread(frequent, ok), _spread(frequent, n - ok)])
        given = truth.copy()
        given[ok:] = _another(frequent, truth[ok:])
        parts.append((np.full(n, who), truth, given))
    return [np.concatenate(each) for each in zip(*parts, strict=True)]


def _spread(share: Float[np.ndarray, " K"], number: int) -> Int[np.ndarray, " n"]:
    """Return so many codes, as often as their shares as nearly as whole numbers can."""
    middle = (np.arange(number) + 0.5) / max(number, 1)
    code: Int[np.ndarray, " n"] = np.searchsorted(np.cumsum(share), middle)
    return np.minimum(code, len(share) - 1)


def _another(
    share: Float[np.ndarray, " K"], code: Int[np.ndarray, " n"]
) -> Int[np.ndarray, " n"]:
    """Return other codes than these, about as often as their shares."""
    above = np.cumsum(share)
    point = (np.arange(len(code)) * TURN + 0.5) % 1 * (1 - share[code])
    # What lies behind the code's own part of the line is moved behind it.
    point += np.where(point >= above[code] - share[code], share[code], 0.0)
    other = np.minimum(np.searchsorted(above, point, side="right"), len(share) - 1)
    return np.where(other == code, (code + 1) % len(share), other)
