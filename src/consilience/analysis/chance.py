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
    questions, size = len(counts.raters), similarity.size
    shares = counts.count / counts.raters[counts.question]
    pi = np.bincount(counts.answer, shares, size) / questions
    even = similarity.total / max(size * (size - 1), 1)
    by_chance = {"fleiss": similarity.times(pi[None])[0], "gwet": even * (1 - pi)}
    parts = {}
    for name in ("percent", "fleiss", "brennan_prediger", "gwet"):
        if name in values:
            chance_of = values[name].expected
            if name in by_chance:
                likely = by_chance[name][counts.answer]
                chance_of = counts.by_question(shares * likely)
            parts[name] = _by_question(counts, values[name], chance_of) / questions
    alpha = values["krippendorff"]
    return parts | {"krippendorff": _krippendorff_parts(counts, similarity, alpha)}


def _by_question(
    counts: Counts, estimate: Estimate, chance_of: Float[np.ndarray, "#Q"]
) -> Float[np.ndarray, " Q"]:
    """Return the linearised coefficient of each question."""
    scale = len(counts.raters) / max(counts.paired.sum(), 1)
    value, chance = float(estimate.value[0]), float(estimate.expected[0])
    observed = scale * (counts.over_pairs(counts.agreed) - chance * counts.paired)
    return _linearised(observed, value, chance, chance_of)


def _linearised(
    beyond: Float[np.ndarray, " Q"],
    value: float,
    chance: float,
    chance_of: Float[np.ndarray, "#Q"],
) -> Float[np.ndarray, " Q"]:
    """Linearise (agreed - by chance) / (1 - by chance), by chance being squared."""
    apart = beyond - 2 * (1 - value) * (chance_of - chance)
    part: Float[np.ndarray, " Q"] = apart / (1 - chance) - value
    return part


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
    beyond = agreed - observed * more - chance
    part = _linearised(beyond, plain, chance, chance_of)
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
    by_answer: csr_array  # cells x answers: which cell is of which answer
    alike: csr_array | None  # cells x cells of one annotator: W; None: equal or not
    similarity: Similarity

    @property
    def widest(self) -> int:
        """Most columns that are held for each resample."""
        pairs = 0 if self.alike is None else self.alike.nnz
        return max(len(self.annotator), pairs)

    def weighted(self, share: Float[np.ndarray, "R C"]) -> Float[np.ndarray, "R C"]:
        """W p_g at each cell of annotator g."""
        return share if self.alike is None else share @ self.alike


def count_margins(
    ratings: Ratings, similarity: Similarity, group: Int[np.ndarray, " Q"]
) -> Margins | None:
    """Count each annotator's answers; None if there are too many pairs of them."""
    size = similarity.size
    codes = ratings.annotator * size + ratings.answer
    key, cell = np.unique(codes, return_inverse=True)
    annotator, answer = key // size, key % size
    alike, cells = None, len(key)
    if similarity.matrix is not None:
        answers = np.bincount(annotator).astype(np.float64)
        if (answers**2).sum() > MAX_PAIRS:
            return None
        one, other, values = similarity.alike_within(annotator, answer)
        alike = csr_array((values, (other, one)), shape=(cells, cells))
    shape = (int(group.max()) + 1, cells)
    places = np.arange(cells), answer
    return Margins(
        table=table_of_sums(group[ratings.question], cell, ratings.share, shape),
        cell=cell,
        annotator=annotator,
        answer=answer,
        by_answer=csr_array((np.ones(cells), places), shape=(cells, size)),
        alike=alike,
        similarity=similarity,
    )


def estimate_conger(
    margins: Margins,
    weights: Float[np.ndarray, "R G"],
    observed: Float[np.ndarray, " R"],
) -> Estimate:
    """Estimate the coefficient; annotators without an answer in a resample drop out."""
    counted, begin = weighted_sums(weights, margins.table), starts(margins.annotator)
    given = np.add.reduceat(counted, begin, axis=1)
    every = np.repeat(given, np.diff(begin, append=counted.shape[1]), axis=1)
    share = np.divide(counted, every, out=np.zeros_like(counted), where=every > 0)
    number = (given > 0).sum(axis=1).astype(np.float64)
    total = share @ margins.by_answer
    within_annotator = (share * margins.weighted(share)).sum(axis=1)
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
    expected = margins.similarity.times(share[None] @ margins.by_answer)[0]
    # How far each cell's answer is like those of the other annotators, all together.
    others = expected[margins.answer] - margins.weighted(share[None])[0]
    mean = np.add.reduceat(share * others, begin)[margins.annotator]
    number = len(begin)
    gain = questions / given * (others - mean) / (number * (number - 1))
    gains = ratings.share * gain[margins.cell]
    chance_of = value.expected + np.bincount(ratings.question, gains, questions)
    by_question: np.ndarray = _by_question(counts, value, chance_of) / questions
    return by_question
