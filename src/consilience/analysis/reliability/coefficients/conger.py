"""Conger's kappa: chance agreement from each annotator's own shares of answers.

Agreement is expected between annotators g != h who answer by chance with their own
shares p_g and p_h: the mean of p_g' W p_h over all pairs of annotators, whether or not
they met, each annotator counting once. For two it is Cohen's kappa.

References
----------
Conger (1980), Integration and generalization of kappas for multiple raters. Gwet
(2014), Handbook of inter-rater reliability, 4th edition, chapters 2 and 5 (missing
answers, variance).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array

from consilience.analysis.reliability.coefficients.chance import Estimate, beyond_chance
from consilience.analysis.reliability.ratings.arrays import (
    Counts,
    Ratings,
    Table,
    table_of_sums,
    weighted_sums,
)
from consilience.analysis.reliability.ratings.similarity import (
    Similarity,
    pairs_within,
    starts,
)

# Pairs of answers of one annotator that are held: some 400 MiB.
MAX_PAIRS = 2**24


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


def margins(
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


def estimate(
    margins: Margins,
    weights: Float[np.ndarray, "R G"],
    observed: Float[np.ndarray, " R"],
) -> Estimate:
    """Estimate the coefficient; annotators without an answer in a resample drop out."""
    share, number = _shares(margins, weights)
    total = _sum_by_answer(margins, share)
    within_annotator = (share * _weighted_agreement(margins, share)).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = (margins.similarity.expected(total) - within_annotator) / (
            number * (number - 1)
        )
    return beyond_chance(observed, chance)


def influence(
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


def _shares(
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
