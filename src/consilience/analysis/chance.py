"""Agreement by chance and beyond: coefficients that depend on counts, and Conger's.

Each is (agreed - by chance) / (1 - by chance), both in units of similarity W, with pi
the mean over questions of the shares of answers:

- Percent: by chance nothing.
- Brennan and Prediger: sum W / K^2.
- Gwet's AC1 (nominal) and AC2: sum W / (K (K - 1)) * sum_k pi_k (1 - pi_k).
- Scott and Fleiss: pi' W pi.
- Krippendorff: nu' W nu, nu the shares of all answers to questions with two or more,
  which also count by their answers; agreement is corrected for small samples.
- Conger: the mean of p_g' W p_h over all pairs of annotators, whether or not they met,
  p_g being the shares of the answers of annotator g. For two it is Cohen's kappa.

A question answered once counts for the shares (not for Krippendorff's), not for the
agreement. Krippendorff's ordinal distance is that between the mid-ranks of all answers,
so his alpha has a similarity of its own there.

References
----------
Conger (1980), Integration and generalization of kappas for multiple raters. Gwet
(2014), Handbook of inter-rater reliability, 4th edition, chapters 2, 3 and 5:
coefficients, missing answers, variances. Krippendorff (2019), Content analysis, 4th
edition, chapter 12.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array

from consilience.analysis.ratings import (
    Counts,
    Ratings,
    Table,
    table_of_sums,
    weighted_sums,
)
from consilience.analysis.similarity import Similarity, pairs_within, starts

NAN = float("nan")
# Pairs of answers of one annotator that are held: some 400 MiB.
MAX_PAIRS = 2**24


@dataclass(frozen=True, slots=True)
class Estimate:
    """A coefficient in each resample, from what was observed and what chance gives."""

    observed: Float[np.ndarray, " R"]
    expected: Float[np.ndarray, " R"]
    value: Float[np.ndarray, " R"]


def beyond_chance(
    observed: Float[np.ndarray, " R"], expected: Float[np.ndarray, " R"]
) -> Estimate:
    """(observed - expected) / (1 - expected); NaN where chance alone gives 1."""
    left = 1 - expected
    value = np.full_like(left, np.nan)
    np.divide(observed - expected, left, out=value, where=left > 1e-12)
    return Estimate(observed, expected, value)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Sums:
    """Sums by group of items."""

    facts: Table
    shares: Table
    answers: Table
    coincident: tuple[Table, np.ndarray, np.ndarray] | None
    similarity: Similarity

    @property
    def widest(self) -> int:
        """Columns of the widest table."""
        pairs = 0 if self.coincident is None else len(self.coincident[1])
        return max(int(self.shares.shape[1]), pairs)


def sum_counts(
    ratings: Ratings,
    counts: Counts,
    similarity: Similarity,
    group: Int[np.ndarray, " Q"],
    *,
    by_rank: bool,
) -> Sums:
    """Sum what the coefficients need by group of items."""
    num_groups, paired = int(group.max()) + 1, counts.paired
    facts = np.stack(
        [
            np.bincount(group, fact, num_groups)
            for fact in (
                np.ones(len(paired)),
                paired,
                counts.over_pairs(counts.agreed),
                paired * counts.raters,
                counts.over_pairs(counts.agreed) * counts.raters,
            )
        ],
        axis=1,
    )
    shape = (num_groups, similarity.size)
    cell_group = group[counts.question]
    shares = counts.count / counts.raters[counts.question]
    answers = counts.count * paired[counts.question]
    return Sums(
        facts=facts,
        shares=table_of_sums(cell_group, counts.answer, shares, shape),
        answers=table_of_sums(cell_group, counts.answer, answers, shape),
        coincident=_coincidences(ratings, counts, group) if by_rank else None,
        similarity=similarity,
    )


def estimate(sums: Sums, weights: Float[np.ndarray, "R G"]) -> Mapping[str, Estimate]:
    """Estimate every coefficient with each set of weights of the groups."""
    questions, paired, agreed, answers, weighed = weighted_sums(weights, sums.facts).T
    similarity, size = sums.similarity, sums.similarity.size
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = agreed / paired
        shares = weighted_sums(weights, sums.shares) / questions[:, None]
        coefficients = {"percent": beyond_chance(observed, np.zeros_like(observed))}
        by_fleiss = similarity.expected(shares)
        coefficients["fleiss"] = beyond_chance(observed, by_fleiss)
        if size > 1:
            uniform = similarity.total / size**2
            even = beyond_chance(observed, np.full_like(observed, uniform))
            spread = (shares * (1 - shares)).sum(axis=1) / (size * (size - 1))
            coefficients["brennan_prediger"] = even
            coefficients["gwet"] = beyond_chance(observed, similarity.total * spread)
        of_all = weighted_sums(weights, sums.answers) / answers[:, None]
        if sums.coincident is None:
            by_answers = (1 - 1 / answers) * weighed / answers + 1 / answers
            by_chance = similarity.expected(of_all)
            coefficients["krippendorff"] = beyond_chance(by_answers, by_chance)
        else:
            coefficients["krippendorff"] = _ordinal_alpha(
                sums, weights, of_all, answers
            )
    return coefficients


def influences(
    counts: Counts, similarity: Similarity, values: Mapping[str, Estimate]
) -> Mapping[str, Float[np.ndarray, " Q"]]:
    """Return what questions add to linearised coefficients, as Gwet (2014), 5."""
    questions, paired = len(counts.raters), counts.paired
    observed = counts.over_pairs(counts.agreed) * questions / max(paired.sum(), 1)
    on = paired * questions / max(paired.sum(), 1)
    shares = counts.count / counts.raters[counts.question]
    pi = np.bincount(counts.answer, shares, similarity.size) / questions
    size = similarity.size
    even = similarity.total / max(size * (size - 1), 1)
    by_chance = {
        "fleiss": similarity.times(pi[None])[0],
        "gwet": even * (1 - pi),
    }
    parts = {}
    for name in ("percent", "fleiss", "brennan_prediger", "gwet"):
        if name in values:
            value, chance = (
                float(values[name].value[0]),
                float(values[name].expected[0]),
            )
            parts[name] = (observed - chance * on) / (1 - chance) - value
        if name in values and name in by_chance:
            chance_of = counts.by_question(shares * by_chance[name][counts.answer])
            parts[name] -= 2 * (1 - value) * (chance_of - chance) / (1 - chance)
    parts = {name: part / questions for name, part in parts.items()}
    parts["krippendorff"] = _krippendorff_parts(
        counts, similarity, values["krippendorff"]
    )
    return parts


def _krippendorff_parts(
    counts: Counts, similarity: Similarity, value: Estimate
) -> Float[np.ndarray, " Q"]:
    """As the others, with questions that count by their answers."""
    paired = counts.paired
    num = paired.sum()
    mean = (counts.raters * paired).sum() / num
    given = counts.count * paired[counts.question]
    nu = np.bincount(counts.answer, given, similarity.size) / given.sum()
    agreed = counts.over_pairs(counts.agreed) * counts.raters / mean
    more = (counts.raters - mean) / mean
    observed, chance = float(value.observed[0]), float(value.expected[0])
    plain = (float(agreed.sum()) / num - chance) / (1 - chance)
    likely = similarity.times(nu[None])[0][counts.answer]
    chance_of = counts.by_question(given * likely) / mean - chance * more
    part = (agreed - observed * more - chance) / (1 - chance) - plain
    part -= 2 * (1 - plain) * (chance_of - chance) / (1 - chance)
    influence: np.ndarray = paired * part / num
    return influence


def _coincidences(
    ratings: Ratings, counts: Counts, group: Int[np.ndarray, " Q"]
) -> tuple[Table, np.ndarray, np.ndarray]:
    """Pairs of unlike answers of two annotators, each weighed by 1 / (r - 1)."""
    size = len(ratings.answers)
    factor = counts.over_pairs(counts.raters)
    entries = list(
        _unlike_pairs(
            counts.question, counts.question, counts.answer, counts.count, size
        )
    )
    repeated = (ratings.annotator >= 0) & (ratings.share < 1)
    who = ratings.question * (len(ratings.annotators) + 1) + ratings.annotator
    repeats = _unlike_pairs(
        who[repeated],
        ratings.question[repeated],
        ratings.answer[repeated],
        ratings.share[repeated],
        size,
    )
    entries += [(question, cell, -pairs) for question, cell, pairs in repeats]
    question, cells, pairs = (
        np.concatenate(part) for part in zip(*entries, strict=True)
    )
    kept, column = np.unique(cells, return_inverse=True)
    shape = (int(group.max()) + 1, len(kept))
    table = table_of_sums(group[question], column, pairs * factor[question], shape)
    return table, kept // size, kept % size


def _unlike_pairs(
    within: Int[np.ndarray, " M"],
    question: Int[np.ndarray, " M"],
    answer: Int[np.ndarray, " M"],
    count: Float[np.ndarray, " M"],
    size: int,
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Question, cell and number of ordered pairs of unlike answers."""
    for one, other in pairs_within(within):
        ahead = answer[one] < answer[other]
        first, second = one[ahead], other[ahead]
        cell = answer[first] * size + answer[second]
        yield question[first], cell, 2 * count[first] * count[second]


def _ordinal_alpha(
    sums: Sums,
    weights: Float[np.ndarray, "R G"],
    shares: Float[np.ndarray, "R L"],
    answers: Float[np.ndarray, " R"],
) -> Estimate:
    """Alpha with the squared distance between mid-ranks, which are shares here."""
    if sums.coincident is None:
        msg = "coincidences were not counted"
        raise ValueError(msg)
    table, one, other = sums.coincident
    rank = np.cumsum(shares, axis=1) - shares / 2
    apart = (rank[:, one] - rank[:, other]) ** 2
    unlike = (weighted_sums(weights, table) * apart).sum(axis=1) / answers
    mean = (shares * rank).sum(axis=1)
    # Two different answers of the n: their mean squared distance is that of two drawn
    # with replacement times n / (n - 1).
    chance = 2 * ((shares * rank**2).sum(axis=1) - mean**2)
    chance *= answers / (answers - 1)
    # In units where the ranks' whole range is 1, both are distances in [0, 1].
    return beyond_chance(1 - unlike, 1 - chance)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Margins:
    """Answers by group of items; a cell is an annotator and an answer."""

    table: Table
    cell: Int[np.ndarray, " N"]
    annotator: Int[np.ndarray, " C"]
    answer: Int[np.ndarray, " C"]
    pairs: tuple[np.ndarray, np.ndarray, np.ndarray] | None
    similarity: Similarity

    @property
    def widest(self) -> int:
        """Most columns that are held for each resample."""
        pairs = 0 if self.pairs is None else len(self.pairs[0])
        return max(len(self.annotator), pairs)


def count_margins(
    ratings: Ratings, similarity: Similarity, group: Int[np.ndarray, " Q"]
) -> Margins | None:
    """Count each annotator's answers; None if there are too many pairs of them."""
    size = similarity.size
    codes = ratings.annotator * size + ratings.answer
    key, cell = np.unique(codes, return_inverse=True)
    annotator, answer = key // size, key % size
    pairs = None
    if similarity.matrix is not None:
        answers = np.bincount(annotator).astype(np.float64)
        if (answers**2).sum() > MAX_PAIRS:
            return None
        blocks = [
            (one, other, similarity.at(answer[one], answer[other]))
            for one, other in pairs_within(annotator)
        ]
        one, other, alike = (np.concatenate(part) for part in zip(*blocks, strict=True))
        similar = alike > 0
        pairs = one[similar], other[similar], alike[similar]
    shape = (int(group.max()) + 1, len(key))
    return Margins(
        table=table_of_sums(group[ratings.question], cell, ratings.share, shape),
        cell=cell,
        annotator=annotator,
        answer=answer,
        pairs=pairs,
        similarity=similarity,
    )


def estimate_conger(
    margins: Margins,
    weights: Float[np.ndarray, "R G"],
    observed: Float[np.ndarray, " R"],
) -> Estimate:
    """Estimate the coefficient; annotators without an answer in a resample drop out."""
    share, number = _margin_shares(margins, weights)
    total = _sum_by_answer(margins, share)
    within_annotator = (share * _weighted_agreement(margins, share)).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = (margins.similarity.expected(total) - within_annotator) / (
            number * (number - 1)
        )
    return beyond_chance(observed, chance)


def conger_influence(
    margins: Margins, ratings: Ratings, counts: Counts, value: Estimate
) -> Float[np.ndarray, " Q"]:
    """Return what each question adds to the linearised kappa; Gwet (2014), 5."""
    questions = len(counts.raters)
    cell_counts = np.bincount(margins.cell, ratings.share)
    begin = starts(margins.annotator)
    given = np.add.reduceat(cell_counts, begin)[margins.annotator]
    share = cell_counts / given
    expected = margins.similarity.times(_sum_by_answer(margins, share[None]))[0]
    # How far each cell's answer is like those of the other annotators, all together.
    others = expected[margins.answer] - _weighted_agreement(margins, share[None])[0]
    mean = np.add.reduceat(share * others, begin)[margins.annotator]
    number = len(begin)
    gain = questions / given * (others - mean) / (number * (number - 1))
    chance, kappa = float(value.expected[0]), float(value.value[0])
    gains = ratings.share * gain[margins.cell]
    chance_of = np.bincount(ratings.question, gains, questions)
    paired = counts.paired
    observed = counts.over_pairs(counts.agreed) - chance * paired
    part = observed * questions / paired.sum() / (1 - chance) - kappa
    part -= 2 * (1 - kappa) * chance_of / (1 - chance)
    by_question: np.ndarray = part / questions
    return by_question


def _margin_shares(
    margins: Margins, weights: Float[np.ndarray, "R G"]
) -> tuple[Float[np.ndarray, "R C"], Float[np.ndarray, " R"]]:
    """P of each cell, and how many annotators answered at all."""
    cell_counts = weighted_sums(weights, margins.table)
    given = np.add.reduceat(cell_counts, starts(margins.annotator), axis=1)
    place = np.cumsum(np.diff(margins.annotator, prepend=margins.annotator[0]) > 0)
    every = given[:, place]
    share = np.divide(
        cell_counts, every, out=np.zeros_like(cell_counts), where=every > 0
    )
    return share, (given > 0).sum(axis=1).astype(np.float64)


def _sum_by_answer(
    margins: Margins, share: Float[np.ndarray, "R C"]
) -> Float[np.ndarray, "R L"]:
    """Sum over annotators."""
    num = len(margins.answer)
    shape = (num, margins.similarity.size)
    places = np.arange(num), margins.answer
    total: np.ndarray = share @ csr_array((np.ones(num), places), shape=shape)
    return total


def _weighted_agreement(
    margins: Margins, share: Float[np.ndarray, "R C"]
) -> Float[np.ndarray, "R C"]:
    """W p_g at each cell of annotator g."""
    if margins.pairs is None:
        return share
    one, other, alike = margins.pairs
    shape = (share.shape[1], share.shape[1])
    product: np.ndarray = share @ csr_array((alike, (other, one)), shape=shape)
    return product
