"""Cohen's kappa of every pair of annotators, over the questions that both answered.

Agreement expected by chance is a' W b, with a and b the shares of answers that the two
gave to those questions. The mean over pairs weighs each by its number of questions, and
leaves out pairs whose kappa is not defined.

References
----------
Cohen (1960), A coefficient of agreement for nominal scales; Cohen (1968), Weighted
kappa. Fleiss, Cohen and Everitt (1969), Large sample standard errors of kappa and
weighted kappa. Light (1971), Measures of response agreement (the mean of pairs).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from scipy.special import stdtrit

from consilience.analysis.chance import NAN, Estimate, beyond_chance
from consilience.analysis.ratings import (
    Ratings,
    Similarity,
    Weights,
    encode,
    pairs_within,
    starts,
    table_of_sums,
    weighted_sums,
)
from consilience.errors import FitError, OptionError

# Meetings that are held, and pairs of the answers of two annotators: some 600 MiB.
MAX_MEETINGS = 2**23
# Fewer shared questions than this in the middle pair make its kappa a coin toss.
FEW = 30
_MAX_JOINS = 2**24
type Numbers = Float[np.ndarray, " P"] | float
NOBODY_MEETS = "no two annotators with an id answered the same question"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Meetings:
    """Pairs of votes of two annotators on one question."""

    question: Int[np.ndarray, " M"]
    pair: Int[np.ndarray, " M"]
    weight: Float[np.ndarray, " M"]
    alike: Float[np.ndarray, " M"]
    first: Int[np.ndarray, " M"]
    second: Int[np.ndarray, " M"]
    annotators: Int[np.ndarray, "P 2"]
    cell_pair: Int[np.ndarray, " C"]
    joins: tuple[np.ndarray, np.ndarray, np.ndarray]


def find_meetings(ratings: Ratings, similarity: Similarity) -> Meetings | None:
    """Find all meetings; None if there is none, or are too many to be held."""
    if too_many(ratings) or nobody_meets(ratings):
        return None
    question, annotator, answer, share = ratings.identified()
    ordered = []
    for one, other in pairs_within(question):
        ahead = annotator[one] < annotator[other]
        ordered.append((one[ahead], other[ahead]))
    one, other = (np.concatenate(part) for part in zip(*ordered, strict=True))
    num = len(ratings.annotators)
    pair, key = pd.factorize(annotator[one] * num + annotator[other], sort=True)
    pair = pair.astype(np.int64)
    size = similarity.size
    cells = np.concatenate([pair * size + answer[one], pair * size + answer[other]])
    cell, kept = pd.factorize(cells, sort=True)
    cell_pair, cell_answer = kept // size, kept % size
    answers = np.bincount(cell_pair).astype(np.float64)
    if similarity.matrix is not None and (answers**2).sum() > _MAX_JOINS:
        return None
    return Meetings(
        question=question[one],
        pair=pair,
        weight=share[one] * share[other],
        alike=similarity.at(answer[one], answer[other]),
        first=cell[: len(one)],
        second=cell[len(one) :],
        annotators=np.stack([key // num, key % num], axis=1),
        cell_pair=cell_pair,
        joins=similarity.alike_within(cell_pair, cell_answer),
    )


def nobody_meets(ratings: Ratings) -> bool:
    """Whether no two annotators with an id answered the same question."""
    question, annotator, *_ = ratings.identified()
    same = question[1:] == question[:-1]
    return not (same & (annotator[1:] != annotator[:-1])).any()


def too_many(ratings: Ratings) -> bool:
    """Whether there are more meetings than can be held."""
    answers = np.bincount(ratings.identified()[0]).astype(np.float64)
    return bool((answers**2).sum() > 2 * MAX_MEETINGS)


class Kappas(NamedTuple):
    """Of every pair in each resample: questions, agreement, chance agreement, kappa."""

    number: Float[np.ndarray, "R P"]
    observed: Float[np.ndarray, "R P"]
    expected: Float[np.ndarray, "R P"]
    kappa: Float[np.ndarray, "R P"]

    @property
    def weight(self) -> Float[np.ndarray, "R P"]:
        """Questions of pairs whose kappa is defined, else 0."""
        return np.where(np.isnan(self.kappa), 0.0, self.number)

    @property
    def few(self) -> bool:
        """Whether the middle pair shares too few questions for a kappa of its own.

        A resample holds fewer different questions still, so that its mean kappa is
        biased once more: no interval is made of such resamples.
        """
        return self.number.shape[1] > 1 and bool(np.median(self.number[0]) < FEW)

    @property
    def mean(self) -> Estimate:
        """The mean, each pair weighed by its questions; NaN where none is defined."""
        total = self.weight.sum(axis=1)
        share = self.weight / np.maximum(total, 1e-300)[:, None]
        observed, expected, mean = (
            (share * np.nan_to_num(values)).sum(axis=1)
            for values in (self.observed, self.expected, self.kappa)
        )
        return Estimate(observed, expected, np.where(total > 0, mean, NAN))


def kappa_estimator(
    met: Meetings, group: Int[np.ndarray, " Q"]
) -> Callable[[Weights], Kappas]:
    """Return how the kappa of every pair follows from weights of groups of items."""
    meeting_group, num = group[met.question], int(group.max()) + 1
    by_pair, by_cell = (num, len(met.annotators)), (num, len(met.cell_pair))
    tables = [
        table_of_sums(meeting_group, column, weight, shape)
        for column, weight, shape in (
            (met.pair, met.weight, by_pair),
            (met.pair, met.weight * met.alike, by_pair),
            (met.first, met.weight, by_cell),
            (met.second, met.weight, by_cell),
        )
    ]
    one, other, alike = met.joins
    # Every cell is like itself, so each pair has joins, and they are sorted.
    begin = starts(met.cell_pair[one])

    def estimate(weights: Weights) -> Kappas:
        number, agreed, first, second = (
            weighted_sums(weights, each) for each in tables
        )
        products = first[:, one] * second[:, other] * alike
        chance = np.add.reduceat(products, begin, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            observed, expected = agreed / number, chance / number**2
            return Kappas(number, *beyond_chance(observed, expected))

    return estimate


def influence(
    met: Meetings, kappas: Kappas
) -> tuple[Float[np.ndarray, " M"], Float[np.ndarray, " M"]]:
    """Return what each meeting adds to its pair's linearised kappa, and the mean's.

    The derivative of kappa with respect to the table of the two annotators' answers, as
    in Fleiss, Cohen and Everitt (1969); zero where kappa is not defined.
    """
    one, other, alike = met.joins
    number = kappas.number[0][met.cell_pair]
    num = len(number)
    first = np.bincount(met.first, met.weight, num) / number
    second = np.bincount(met.second, met.weight, num) / number
    like_second = np.bincount(one, alike * second[other], num)
    like_first = np.bincount(other, alike * first[one], num)
    observed, chance, kappa = kappas.observed[0], kappas.expected[0], kappas.kappa[0]
    defined = ~np.isnan(kappa)
    left = np.where(defined, 1 - chance, 1.0)
    slope = defined * (1 - observed) / left**2
    level = 2 * slope * chance - defined * observed / left
    part = met.alike * (defined / left)[met.pair] + level[met.pair]
    part -= (slope[met.cell_pair] * like_second)[met.first]
    part -= (slope[met.cell_pair] * like_first)[met.second]
    above = np.nan_to_num(kappa - kappas.mean.value[0]) * defined
    total = max(kappas.weight[0].sum(), 1e-300)
    of_mean = (part + above[met.pair]) * met.weight / total
    return part * met.weight / kappas.number[0][met.pair], of_mean


def pair_table(
    met: Meetings | None, kappas: Kappas | None, ratings: Ratings, prob: float
) -> pd.DataFrame:
    """Return one row per pair of annotators, those of most questions first."""
    if met is None or kappas is None:
        if nobody_meets(ratings):
            raise OptionError(f"by 'pair': {NOBODY_MEETS}; leave it out")
        raise FitError(
            "by 'pair': there are too many pairs of annotators and answers to be "
            "compared; take fewer annotators, or leave it out"
        )
    item = ratings.item[met.question]
    parts = influence(met, kappas)[0]
    both, example = encode(met.pair * (int(item.max()) + 1) + item)
    pair = met.pair[example]
    num = len(met.annotators)
    items = np.bincount(pair, minlength=num).astype(np.float64)
    squared = np.bincount(pair, np.bincount(both, parts) ** 2, num)
    kappa = kappas.kappa[0]
    # Of large samples, as published.
    error = np.sqrt(squared)
    error[np.isnan(kappa) | (items < 2) | (error < 1e-12)] = NAN
    lower, upper = from_error(kappa, error, items, prob)
    names = pd.Index(ratings.annotators, dtype="str")
    table = pd.DataFrame(
        {
            "annotator": names[met.annotators[:, 0]],
            "other_annotator": names[met.annotators[:, 1]],
            "questions": np.rint(kappas.number[0]).astype(np.int64),
            "percent": kappas.observed[0],
            "kappa": kappa,
            "se": error,
            "se_lower": lower,
            "se_upper": upper,
        }
    )
    return table.sort_values(
        "questions", ascending=False, kind="stable", ignore_index=True
    )


def from_error(
    value: Numbers, error: Numbers, items: Numbers, prob: float
) -> tuple[Numbers, Numbers]:
    """Student's intervals with items - 1 degrees of freedom, cut off at 1."""
    reach = stdtrit(np.maximum(items - 1, 1), (1 + prob) / 2) * error
    return value - reach, np.minimum(1.0, value + reach)
