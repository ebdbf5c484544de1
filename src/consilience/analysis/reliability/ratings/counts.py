"""Counts of each answer to each question, and the agreement of its answers.

With x_g the vote of annotator g on a question and c = sum_g x_g its counts, the pairs
of different annotators agree by sum_{g != h} x_g' W x_h = c' W c - sum_g x_g' W x_g,
W being the similarity of answers. Without repeated answers the last sum is r, the
number of annotators, as in Gwet (2014), chapter 2.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from consilience.analysis.reliability.ratings.arrays import Ratings
from consilience.analysis.reliability.ratings.similarity import Similarity
from consilience.analysis.reliability.ratings.within import pairs_within


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
        sums: np.ndarray = np.bincount(self.question, values, len(self.raters))
        return sums


def count_answers(ratings: Ratings, similarity: Similarity) -> Counts:
    """Count the answers to each question."""
    key = ratings.question * len(ratings.answers) + ratings.answer
    order = np.argsort(key, kind="stable")
    begin = np.flatnonzero(np.diff(key[order], prepend=-1))
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
        question=question,
        answer=answer,
        count=count,
        raters=raters,
        agreed=agreed,
    )


def _within_annotator(
    ratings: Ratings, similarity: Similarity
) -> Float[np.ndarray, " Q"]:
    """Return sum_g x_g' W x_g less the number of annotators; at most 0."""
    num = len(ratings.item)
    below = np.zeros(num)
    if not ratings.repeated:
        return below
    repeated = (ratings.annotator >= 0) & (ratings.share < 1)
    question, answer = ratings.question[repeated], ratings.answer[repeated]
    share = ratings.share[repeated]
    who = question * (len(ratings.annotators) + 1) + ratings.annotator[repeated]
    for one, other in pairs_within(who):
        unlike = similarity.at(answer[one], answer[other]) - 1
        below += np.bincount(question[one], share[one] * share[other] * unlike, num)
    return below
