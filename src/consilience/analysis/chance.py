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

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array

from consilience.analysis.ratings import (
    Counts,
    Ratings,
    Similarity,
    Table,
    Weights,
    pairs_within,
    starts,
    table_of_sums,
    weighted_sums,
)

NAN = float("nan")
# Pairs of answers of one annotator that are held: some 400 MiB.
MAX_PAIRS = 2**24


class Estimate(NamedTuple):
    """A coefficient in each resample, from what was observed and what chance gives."""

    observed: Float[np.ndarray, "*shape"]
    expected: Float[np.ndarray, "*shape"]
    value: Float[np.ndarray, "*shape"]


def beyond_chance(
    observed: Float[np.ndarray, "*shape"], expected: Float[np.ndarray, "*shape"]
) -> Estimate:
    """(observed - expected) / (1 - expected); NaN where chance alone gives 1."""
    left = 1 - expected
    value = np.full_like(left, np.nan)
    np.divide(observed - expected, left, out=value, where=left > 1e-12)
    return Estimate(observed, expected, value)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Margins:
    """Answers of each annotator; a cell is an annotator and an answer."""

    cell: Int[np.ndarray, " N"]
    annotator: Int[np.ndarray, " C"]
    answer: Int[np.ndarray, " C"]
    by_answer: csr_array  # cells x answers: which cell is of which answer
    alike: csr_array | None  # cells x cells of one annotator: W; None: equal or not

    @property
    def widest(self) -> int:
        """Most columns that are held for each resample."""
        pairs = 0 if self.alike is None else self.alike.nnz
        return max(len(self.annotator), pairs)

    def weighted(self, share: Float[np.ndarray, "R C"]) -> Float[np.ndarray, "R C"]:
        """W p_g at each cell of annotator g."""
        return share if self.alike is None else share @ self.alike


def lay_out_margins(ratings: Ratings, similarity: Similarity) -> Margins | None:
    """List each annotator's answers; None if there are too many pairs of them."""
    codes = ratings.annotator * similarity.size + ratings.answer
    key, cell = np.unique(codes, return_inverse=True)
    annotator, answer = np.divmod(key, similarity.size)
    alike, cells = None, len(key)
    if similarity.matrix is not None:
        if (np.bincount(annotator).astype(np.float64) ** 2).sum() > MAX_PAIRS:
            return None
        one, other, values = similarity.alike_within(annotator, answer)
        alike = csr_array((values, (other, one)), shape=(cells, cells))
    places = np.arange(cells), answer
    return Margins(
        cell=cell,
        annotator=annotator,
        answer=answer,
        by_answer=csr_array((np.ones(cells), places), shape=(cells, similarity.size)),
        alike=alike,
    )


def count_estimator(
    ratings: Ratings,
    counts: Counts,
    similarity: Similarity,
    group: Int[np.ndarray, " Q"],
    *,
    by_rank: bool,
) -> tuple[Callable[[Weights], dict[str, Estimate]], int]:
    """Return how coefficients follow from weights of groups, and the widest table."""
    shape = int(group.max()) + 1, similarity.size
    paired, agreed_pairs = counts.paired, counts.over_pairs(counts.agreed)
    columns = [np.ones(len(paired)), paired, agreed_pairs]
    columns += [paired * counts.raters, agreed_pairs * counts.raters]
    facts = np.stack([np.bincount(group, each, shape[0]) for each in columns], axis=1)
    place = group[counts.question], counts.answer
    share = counts.count / counts.raters[counts.question]
    share_sums = table_of_sums(*place, share, shape)
    answer_sums = table_of_sums(*place, counts.count * paired[counts.question], shape)
    coincident = _coincidences(ratings, counts, group) if by_rank else None
    size, total = similarity.size, similarity.total

    def estimate(weights: Weights) -> dict[str, Estimate]:
        questions, pairs, agreed, answers, weighed = weighted_sums(weights, facts).T
        with np.errstate(divide="ignore", invalid="ignore"):
            observed = agreed / pairs
            shares = weighted_sums(weights, share_sums) / questions[:, None]
            of_all = weighted_sums(weights, answer_sums) / answers[:, None]
            chances = {
                "percent": np.zeros_like(observed),
                "fleiss": similarity.expected(shares),
            }
            if size > 1:
                spread = (shares * (1 - shares)).sum(axis=1) / (size * (size - 1))
                chances["brennan_prediger"] = np.full_like(observed, total / size**2)
                chances["gwet"] = total * spread
            results = {
                name: beyond_chance(observed, chance)
                for name, chance in chances.items()
            }
            if coincident is None:
                by_answers = (1 - 1 / answers) * weighed / answers + 1 / answers
                alpha = beyond_chance(by_answers, similarity.expected(of_all))
            else:
                alpha = _ordinal_alpha(coincident, weights, of_all, answers)
        return results | {"krippendorff": alpha}

    return estimate, max(size, 0 if coincident is None else len(coincident[1]))


def influences(
    counts: Counts, similarity: Similarity, values: Mapping[str, Estimate]
) -> dict[str, Float[np.ndarray, " Q"]]:
    """Return what questions add to linearised coefficients, as Gwet (2014), 5."""
    questions, size = len(counts.raters), similarity.size
    shares = counts.count / counts.raters[counts.question]
    pi = np.bincount(counts.answer, shares, size) / questions
    even = similarity.total / max(size * (size - 1), 1)
    by_chance = {"fleiss": similarity.times(pi[None])[0], "gwet": even * (1 - pi)}
    parts = {"krippendorff": _krippendorff_parts(counts, similarity, values)}
    for name in ("percent", "fleiss", "brennan_prediger", "gwet"):
        if name in values:
            chance_of = values[name].expected
            if name in by_chance:
                chance_of = counts.by_question(shares * by_chance[name][counts.answer])
            parts[name] = _by_question(counts, values[name], chance_of)
    return parts


def _by_question(
    counts: Counts, estimate: Estimate, chance_of: Float[np.ndarray, "#Q"]
) -> Float[np.ndarray, " Q"]:
    """Return what each question adds to the linearised coefficient."""
    scale = len(counts.raters) / max(counts.paired.sum(), 1)
    value, chance = float(estimate.value[0]), float(estimate.expected[0])
    observed = scale * (counts.over_pairs(counts.agreed) - chance * counts.paired)
    return _linearised(observed, value, chance, chance_of) / len(counts.raters)


def _linearised(
    beyond: Float[np.ndarray, " Q"],
    value: float,
    chance: float,
    chance_of: Float[np.ndarray, "#Q"],
) -> Float[np.ndarray, " Q"]:
    """Linearise (agreed - by chance) / (1 - by chance), by chance being squared."""
    apart = beyond - 2 * (1 - value) * (chance_of - chance)
    return apart / (1 - chance) - value


def _krippendorff_parts(
    counts: Counts, similarity: Similarity, values: Mapping[str, Estimate]
) -> Float[np.ndarray, " Q"]:
    """As the others, with questions that count by their answers."""
    value, paired = values["krippendorff"], counts.paired
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
    return paired * part / num


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
    repeats = _unlike_pairs(*ratings.repeats(), size)
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
    coincident: tuple[Table, np.ndarray, np.ndarray],
    weights: Weights,
    shares: Float[np.ndarray, "R L"],
    answers: Float[np.ndarray, " R"],
) -> Estimate:
    """Alpha with the squared distance between mid-ranks, which are shares here."""
    table, one, other = coincident
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


def conger_estimator(
    margins: Margins,
    ratings: Ratings,
    similarity: Similarity,
    group: Int[np.ndarray, " Q"],
) -> Callable[[Weights, Float[np.ndarray, " R"]], Estimate]:
    """Return how kappa follows from weights of groups and the observed agreement.

    Annotators without an answer in a resample drop out.
    """
    shape = int(group.max()) + 1, len(margins.annotator)
    table = table_of_sums(group[ratings.question], margins.cell, ratings.share, shape)
    begin = starts(margins.annotator)
    length = np.diff(begin, append=shape[1])

    def estimate(weights: Weights, observed: Float[np.ndarray, " R"]) -> Estimate:
        counted = weighted_sums(weights, table)
        given = np.add.reduceat(counted, begin, axis=1)
        every = np.repeat(given, length, axis=1)
        share = np.divide(counted, every, out=np.zeros_like(counted), where=every > 0)
        number = (given > 0).sum(axis=1).astype(np.float64)
        alike = similarity.expected(share @ margins.by_answer)
        alike -= (share * margins.weighted(share)).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return beyond_chance(observed, alike / (number * (number - 1)))

    return estimate


def conger_influence(
    margins: Margins,
    ratings: Ratings,
    counts: Counts,
    similarity: Similarity,
    value: Estimate,
) -> Float[np.ndarray, " Q"]:
    """Return what each question adds to the linearised kappa; Gwet (2014), 5."""
    questions = len(counts.raters)
    cell_counts = np.bincount(margins.cell, ratings.share)
    begin = starts(margins.annotator)
    given = np.add.reduceat(cell_counts, begin)[margins.annotator]
    share = cell_counts / given
    expected = similarity.times(share[None] @ margins.by_answer)[0]
    # How far each cell's answer is like those of the other annotators, all together.
    others = expected[margins.answer] - margins.weighted(share[None])[0]
    mean = np.add.reduceat(share * others, begin)[margins.annotator]
    number = len(begin)
    gain = questions / given * (others - mean) / (number * (number - 1))
    gains = ratings.share * gain[margins.cell]
    chance_of = value.expected + np.bincount(ratings.question, gains, questions)
    return _by_question(counts, value, chance_of)
