"""Arrays of answers, and their similarity, for the coefficients of agreement.

A question is an item (choice, objects) or a pair of item and label (contains). Where an
annotator answered a question more than once, the answers share one vote, so that nobody
is compared with himself; an anonymous answer is an annotator of its own.

**Counts of each answer to each question, and the agreement of its answers.** With x_g
the vote of annotator g on a question and c = sum_g x_g its counts, the pairs of
different annotators agree by sum_{g != h} x_g' W x_h = c' W c - sum_g x_g' W x_g, W
being the similarity of answers. Without repeated answers the last sum is r, the number
of annotators, as in Gwet (2014), chapter 2.

**Sums over groups of items, all that a bootstrap needs to see.** Items are resampled
whole, with all answers to all their questions. Every coefficient is a function of sums
over items, so resampling weights times sums per item is all there is to do. Above 4,096
items they are first dealt at random into so many groups of equal size, and the groups
are resampled: the variance of a sum stays the same in expectation, within some sqrt(2 /
4096), two per cent, while the work no longer grows with items.

**Similarity of two answers: 1 for equal ones, 0 for the most different.** A distance d
gives the similarity 1 - d / max d. *Nominal*: equal or not. *Ordinal*: 1 - C(|k - l| +
1, 2) / C(K, 2) for the k-th and l-th of K labels. *Interval*: from (x - y)^2. *Ratio*:
from ((x - y) / (x + y))^2. Of sets, *Jaccard*: the share of labels in both among those
in either; *MASI*: that, times 1 for equal sets, 2/3 where one holds the other, 1/3
where they merely overlap.

References
----------
Efron and Tibshirani (1993), An introduction to the bootstrap, chapters 6 and 13.
Wolter (2007), Introduction to variance estimation, chapter 2 (random groups).
Gwet (2014), Handbook of inter-rater reliability, chapter 3 (ordinal, quadratic, ratio).
Krippendorff (2019), Content analysis, chapter 12 (interval, ratio).
Passonneau (2006), Measuring agreement on set-valued items (MASI).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from scipy.sparse import csr_array

from consilience.errors import FitError, OptionError, SourceError
from consilience.responses import Responses
from consilience.responses.options import ANSWERS

type Distance = Literal["nominal", "ordinal", "interval", "ratio", "jaccard", "masi"]
# A table of so many answers squared takes 128 MiB.
_MAX_ANSWERS = 4096
# So many pairs of sets that share a label take about 1 GiB while they are compared.
_MAX_PAIRS = 2**25
BLOCK = 2**21


@dataclass(frozen=True, slots=True, eq=False)
class Similarity:
    """Similarity of all pairs of answers."""

    size: int
    matrix: np.ndarray | csr_array | None = None

    def at(
        self, first: Int[np.ndarray, " P"], second: Int[np.ndarray, " P"]
    ) -> Float[np.ndarray, " P"]:
        """Similarity of pairs of answers given by their codes."""
        same = first == second if self.matrix is None else self.matrix[first, second]
        return np.asarray(same, np.float64).ravel()

    def times(self, shares: Float[np.ndarray, "R L"]) -> Float[np.ndarray, "R L"]:
        """Each answer's mean similarity to answers drawn with these shares."""
        if self.matrix is None:
            return shares
        return (self.matrix @ shares.T).T

    def expected(self, shares: Float[np.ndarray, "R L"]) -> Float[np.ndarray, " R"]:
        """Mean similarity of two answers drawn with these shares."""
        return np.einsum("rl,rl->r", self.times(shares), shares)

    def alike_within(
        self, group: Int[np.ndarray, " C"], answer: Int[np.ndarray, " C"]
    ) -> tuple[Int[np.ndarray, " P"], Int[np.ndarray, " P"], Float[np.ndarray, " P"]]:
        """Places of answers of one group that are alike at all, and how much."""
        if self.matrix is None:
            every = np.arange(len(group))
            return every, every, np.ones(len(group))
        blocks = []
        for one, other in pairs_within(group):
            alike = self.at(answer[one], answer[other])
            similar = alike > 0
            blocks.append((one[similar], other[similar], alike[similar]))
        one, other, alike = (np.concatenate(part) for part in zip(*blocks, strict=True))
        return one, other, alike

    @property
    def total(self) -> float:
        """Sum of the whole table."""
        return float(self.size if self.matrix is None else self.matrix.sum())


def ordinal(size: int) -> Similarity:
    """By how many labels lie between."""
    _check_size(size)
    apart = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    most = max(size * (size - 1) / 2, 1.0)
    return Similarity(size, 1 - apart * (apart + 1) / 2 / most)


def numeric(
    numbers: Float[np.ndarray, " L"], distance: Literal["interval", "ratio"]
) -> Similarity:
    """By the numbers that the labels are."""
    _check_size(len(numbers))
    far = np.subtract.outer(numbers, numbers) ** 2
    if distance == "ratio":
        if (numbers < 0).any():
            raise OptionError(
                f"distance 'ratio': {numbers.min():g} is below zero, where a ratio "
                "scale begins; choose interval"
            )
        both = np.add.outer(numbers, numbers) ** 2
        far = np.divide(far, both, out=np.zeros_like(far), where=both > 0)
    return Similarity(len(numbers), 1 - far / max(far.max(initial=0), 1e-300))


def set_similarity(
    members: csr_array, distance: Literal["jaccard", "masi"]
) -> Similarity:
    """By the labels that two sets share; only pairs that share one are held."""
    holders = np.asarray(members.sum(axis=0)).ravel()
    if (holders**2).sum() > _MAX_PAIRS:
        raise FitError(
            f"{members.shape[0]:,} different sets share labels in too many pairs to be "
            f"compared by distance {distance!r}; choose nominal, or merge labels"
        )
    shared = (members @ members.T).tocoo()
    size = np.asarray(members.sum(axis=1)).ravel()
    one, other = size[shared.row], size[shared.col]
    alike = shared.data / (one + other - shared.data)
    if distance == "masi":
        smaller, larger = np.minimum(one, other), np.maximum(one, other)
        alike *= np.select(
            [shared.data == larger, shared.data == smaller], [1, 2 / 3], 1 / 3
        )
    matrix = csr_array((alike, (shared.row, shared.col)), shape=shared.shape)
    return Similarity(members.shape[0], matrix)


def _check_size(size: int) -> None:
    if size > _MAX_ANSWERS:
        raise FitError(
            f"{size:,} different answers are too many for a table of their distances "
            f"(at most {_MAX_ANSWERS:,}); choose nominal, or merge labels"
        )


def pairs_within(
    group: Int[np.ndarray, " M"], block: int = BLOCK
) -> Iterator[tuple[Int[np.ndarray, " P"], Int[np.ndarray, " P"]]]:
    """Yield the places of both members of pairs, each member with itself too."""
    if not len(group):
        return
    start = starts(group)
    length = np.diff(start, append=len(group))
    own_start, own_length = np.repeat(start, length), np.repeat(length, length)
    end = np.cumsum(own_length)
    at = 0
    while at < len(group):
        done = end[at - 1] if at else 0
        stop = max(int(np.searchsorted(end, done + block, side="right")), at + 1)
        times = own_length[at:stop]
        first = np.repeat(np.arange(at, stop), times)
        begin = np.repeat(np.cumsum(times) - times, times)
        second = np.repeat(own_start[at:stop], times) + np.arange(len(first)) - begin
        yield first, second
        at = stop


def starts(key: Int[np.ndarray, " M"]) -> Int[np.ndarray, " G"]:
    """Where each run of equal keys begins."""
    return np.flatnonzero(np.diff(key, prepend=key[:1] - 1))


MAX_GROUPS = 4096
# Sums are held as a full table up to 64 MiB.
_DENSE = 2**23
type Table = np.ndarray | csr_array
type Weights = Float[np.ndarray, "R G"]  # of groups of items, by resample


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Ratings:
    """Votes, sorted by question, then annotator, then answer."""

    question: Int[np.ndarray, " N"]
    annotator: Int[np.ndarray, " N"]
    answer: Int[np.ndarray, " N"]
    share: Float[np.ndarray, " N"]
    item: Int[np.ndarray, " Q"]
    question_label: Int[np.ndarray, " Q"] | None
    labels: tuple[str, ...]
    answers: tuple[str, ...]
    sets: csr_array | None
    annotators: tuple[str, ...]
    repeated: int
    anonymous: int

    def identified(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Question, annotator, answer and share of votes of annotators with an id."""
        kept = np.flatnonzero(self.annotator >= 0)
        question, annotator = self.question[kept], self.annotator[kept]
        return question, annotator, self.answer[kept], self.share[kept]

    def repeats(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Who and question, question, answer and share of answers that share a vote."""
        kept = np.flatnonzero((self.annotator >= 0) & (self.share < 1))
        question = self.question[kept]
        who = question * (len(self.annotators) + 1) + self.annotator[kept]
        return who, question, self.answer[kept], self.share[kept]


def lay_out(responses: Responses) -> Ratings:
    """Lay out the answers of responses of one kind; skipped questions are left out."""
    table = responses.table
    item, annotator, label = (_codes(table, n) for n in ("item", "annotator", "label"))
    labels = tuple(map(str, responses.labels["label"]))
    question, answer, names = item, label, labels
    if responses.kind == "contains":
        question = item * max(len(labels), 1) + label
        answer, names = _codes(table, "answer"), ANSWERS
        # Whether maybe was on offer can be seen only from its use.
        if not (answer == 1).any():
            answer, names = np.where(answer == 2, 1, answer), ("no", "yes")
    rows = np.flatnonzero(answer >= 0)
    if not len(rows):
        raise SourceError("no answer is left to compare: every question was skipped")
    sets = None
    if responses.kind == "objects":
        response = _codes(table, "response_id")
        first, picked, sets, names = _sets(
            item[rows], annotator[rows], response[rows], label[rows], labels
        )
        rows = rows[first]
        answer = np.zeros_like(label)
        answer[rows] = picked
    codes, example = encode(question[rows])
    annotator, answer = annotator[rows], answer[rows]
    who = codes * (int(annotator.max(initial=0)) + 2) + annotator + 1
    key = who * len(names) + answer
    order = np.argsort(key, kind="stable")
    begin = starts(key[order])
    count = table["n"].to_numpy().astype(np.float64)[rows]
    count, vote = np.add.reduceat(count[order], begin), order[begin]
    # All answers of an annotator to a question share one vote.
    first = starts(who[vote])
    total, length = np.add.reduceat(count, first), np.diff(first, append=len(vote))
    has_id = annotator[vote] >= 0
    return Ratings(
        question=codes[vote],
        annotator=annotator[vote],
        answer=answer[vote],
        share=np.where(has_id, count / np.repeat(total, length), count),
        item=encode(item[rows][example])[0],
        question_label=label[rows][example] if responses.kind == "contains" else None,
        labels=labels,
        answers=names,
        sets=sets,
        annotators=tuple(map(str, table["annotator"].cat.categories)),
        repeated=int((total[has_id[first]] > 1).sum()),
        anonymous=int(count[~has_id].sum()),
    )


def _codes(table: pd.DataFrame, column: str) -> Int[np.ndarray, " N"]:
    return table[column].cat.codes.to_numpy().astype(np.int64)


def _sets(
    item: Int[np.ndarray, " N"],
    annotator: Int[np.ndarray, " N"],
    response: Int[np.ndarray, " N"],
    label: Int[np.ndarray, " N"],
    labels: tuple[str, ...],
) -> tuple[np.ndarray, np.ndarray, csr_array, tuple[str, ...]]:
    """Return each response's first row, code of its set, sets x labels, and names."""
    if ((annotator < 0) & (response < 0)).any():
        raise OptionError(
            "some objects have neither an annotator nor a response_id, so it is "
            "unknown which belong together; name the column with `response_id=`"
        )
    frame = pd.DataFrame({"item": item, "annotator": annotator, "response": response})
    code = frame.groupby(list(frame), sort=False).ngroup().to_numpy()
    _, first = np.unique(code, return_index=True)
    member = csr_array(
        (np.ones(len(code)), (code, label)), shape=(len(first), len(labels))
    )
    member.data[:] = 1  # two objects of one label are one label
    # Equal sets have equal sums of random numbers: 2 x 62 bits tell all others apart.
    mark = np.random.default_rng(0).integers(2**62, size=(len(labels), 2))
    cell = np.repeat(np.arange(len(first)), np.diff(member.indptr))
    sums = np.zeros((len(first), 2), np.int64)
    np.add.at(sums, cell, mark[member.indices])
    _, example, answer = np.unique(sums, axis=0, return_index=True, return_inverse=True)
    sets = member[example]
    names = tuple(
        ", ".join(labels[k] for k in sets.indices[sets.indptr[i] : sets.indptr[i + 1]])
        for i in range(sets.shape[0])
    )
    return first, answer.ravel(), sets, names


def encode(keys: Int[np.ndarray, " N"]) -> tuple[np.ndarray, np.ndarray]:
    """Codes from 0 in the order in which keys occur, and the first place of each."""
    return pd.factorize(keys)[0], np.flatnonzero(~pd.Series(keys).duplicated())


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Counts:
    """Counts by question and answer, those of none left out."""

    question: Int[np.ndarray, " M"]
    answer: Int[np.ndarray, " M"]
    count: Float[np.ndarray, " M"]
    raters: Float[np.ndarray, " Q"]
    agreed: Float[np.ndarray, " Q"]

    @property
    def paired(self) -> Float[np.ndarray, " Q"]:
        """1 for questions that at least two annotators answered, else 0."""
        return (self.raters > 1).astype(np.float64)

    def over_pairs(self, sums: Float[np.ndarray, " Q"]) -> Float[np.ndarray, " Q"]:
        """Divide by the ordered pairs of each question; 0 where there are none."""
        pairs = self.raters * (self.raters - 1)
        mean = np.zeros_like(sums)
        np.divide(sums, pairs, out=mean, where=pairs > 0)
        return mean

    def by_question(self, values: Float[np.ndarray, " M"]) -> Float[np.ndarray, " Q"]:
        """Sum over the answers of each question."""
        return np.bincount(self.question, values, len(self.raters))


def count_answers(ratings: Ratings, similarity: Similarity) -> Counts:
    """Count the answers to each question."""
    key = ratings.question * len(ratings.answers) + ratings.answer
    order = np.argsort(key, kind="stable")
    begin = starts(key[order])
    has_id = ratings.annotator >= 0
    squared = np.where(has_id, ratings.share**2, ratings.share)
    question = ratings.question[order[begin]]
    answer = ratings.answer[order[begin]]
    count = np.add.reduceat(ratings.share[order], begin)
    within_annotator = np.add.reduceat(squared[order], begin)
    num = len(ratings.item)
    raters = np.rint(np.bincount(ratings.question, ratings.share, num))
    if similarity.matrix is None:
        agreed = np.bincount(question, count**2 - within_annotator, num)
    else:
        agreed = -raters - _within_annotator(ratings, similarity)
        for one, other in pairs_within(question):
            alike = similarity.at(answer[one], answer[other])
            agreed += np.bincount(question[one], count[one] * count[other] * alike, num)
    return Counts(
        question=question, answer=answer, count=count, raters=raters, agreed=agreed
    )


def _within_annotator(
    ratings: Ratings, similarity: Similarity
) -> Float[np.ndarray, " Q"]:
    """Return sum_g x_g' W x_g less the number of annotators; at most 0."""
    num = len(ratings.item)
    below = np.zeros(num)
    who, question, answer, share = ratings.repeats()
    for one, other in pairs_within(who):
        unlike = similarity.at(answer[one], answer[other]) - 1
        below += np.bincount(question[one], share[one] * share[other] * unlike, num)
    return below


def assign_groups(
    item: Int[np.ndarray, " Q"], generator: np.random.Generator, most: int = MAX_GROUPS
) -> Int[np.ndarray, " Q"]:
    """Group of each question: its item, or a random group of items."""
    num = int(item.max(initial=-1)) + 1
    if num <= most:
        return item
    return generator.permutation(np.arange(num) % most)[item]


def table_of_sums(
    group: Int[np.ndarray, " M"],
    column: Int[np.ndarray, " M"],
    value: Float[np.ndarray, " M"],
    shape: tuple[int, int],
) -> Table:
    """Sum values by group and column."""
    if shape[0] * shape[1] <= _DENSE:
        flat = np.bincount(group * shape[1] + column, value, shape[0] * shape[1])
        return flat.reshape(shape)
    return csr_array((value, (group, column)), shape=shape)


def weighted_sums(weights: Weights, table: Table) -> Float[np.ndarray, "R C"]:
    """Add up the groups with the weights of each resample."""
    if isinstance(table, np.ndarray):
        return weights @ table
    return (table.T @ weights.T).T
