"""Reasons why a coefficient is undefined, and further remarks, as sentences."""

from collections.abc import Mapping

import numpy as np

from consilience.analysis.reliability.coefficients.pairs import (
    NOBODY_MEETS,
    nobody_meets,
    too_many,
)
from consilience.analysis.reliability.ratings.arrays import Ratings
from consilience.analysis.reliability.ratings.counts import Counts


def reasons(ratings: Ratings, counts: Counts) -> Mapping[str, str]:
    """Say which coefficients are undefined for these answers, and why.

    The reason of all but the percent agreement stands under ``all``.
    """
    if not counts.paired.any():
        why = "no question was answered by two annotators"
        return {"percent": why, "all": why, "cohen": why, "conger": why}
    undefined = {}
    num = len(np.unique(ratings.annotator[ratings.annotator >= 0]))
    if ratings.anonymous:
        who = f"{ratings.anonymous:,} answers have" if num else "the answers have"
        undefined = dict.fromkeys(
            ("cohen", "conger", "scott"), f"{who} no annotator's id"
        )
    elif num != 2:
        undefined["scott"] = f"is for two annotators, here are {num:,}: see Fleiss"
    if too_many(ratings):
        undefined.setdefault("cohen", "too many pairs of annotators: see Conger")
    elif nobody_meets(ratings):
        undefined.setdefault("cohen", NOBODY_MEETS)
    if ratings.sets is not None:
        why = "needs the list of all possible answers; sets have none"
        undefined |= {"brennan_prediger": why, "gwet": why}
    given = np.unique(ratings.answer)
    if len(given) == 1:
        undefined["all"] = (
            f"everybody answered {ratings.answers[given[0]]!r}: nothing shows that "
            "they can tell answers apart"
        )
    return undefined


def notes(ratings: Ratings, counts: Counts, *, few: bool) -> tuple[str, ...]:
    """Return further remarks."""
    remarks = []
    if ratings.repeated:
        remarks.append(
            f"{ratings.repeated:,} times an annotator answered a question more than "
            "once; these answers share one vote"
        )
    whole = counts.over_pairs(counts.agreed)
    if counts.paired.any() and np.allclose(whole, counts.paired):
        remarks.append("no two annotators disagree, so there is no interval")
    alone = int((counts.raters < 2).sum())
    if alone:
        remarks.append(
            f"{alone:,} questions have one annotator only: they inform the "
            "frequencies of answers, not the agreement"
        )
    if few:
        remarks.append(
            "most pairs of annotators share fewer than thirty questions, too few for "
            "a kappa of each pair: use Conger's kappa, not the mean of Cohen's"
        )
    if ratings.anonymous:
        remarks.append(
            f"{ratings.anonymous:,} answers without an id count as an annotator each"
        )
    return tuple(remarks)
