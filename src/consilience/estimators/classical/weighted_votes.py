"""Votes weighted by skills, and skills by agreement with what the votes say."""

import numpy as np
from jaxtyping import Bool, Float, Int

from consilience.estimators.columns import Answers


def weighted_votes(
    answers: Answers, weight: Float[np.ndarray, " N"] | None = None
) -> Float[np.ndarray, "I K"]:
    """Return the sum of the weights of the votes for each label of each item."""
    shape = len(answers.item.values), len(answers.label.values)
    place = answers.item.codes * shape[1] + answers.label.codes
    votes = np.bincount(place, weight, shape[0] * shape[1])
    table: Float[np.ndarray, "I K"] = votes.reshape(shape).astype(float)
    return table


def vote_shares(scores: Float[np.ndarray, "I K"]) -> Float[np.ndarray, "I K"]:
    """Return votes divided by their sum over the labels; all alike if it is zero."""
    total = scores.sum(1, keepdims=True)
    alike = np.full_like(scores, 1 / max(scores.shape[1], 1))
    shares: Float[np.ndarray, "I K"] = np.divide(
        scores, total, out=alike, where=total != 0
    )
    return shares


def agreement_with(
    answers: Answers,
    right: Bool[np.ndarray, " N"],
    counted: Bool[np.ndarray, " N"] | None = None,
) -> Float[np.ndarray, " J"]:
    """Return the share of each annotator's answers that are right; NaN without any.

    An answer that is given twice counts once.
    """
    people = len(answers.annotator.values)
    code = [answers.item.codes, answers.annotator.codes, answers.label.codes]
    once = np.zeros(answers.number, bool)
    once[np.unique(np.stack(code, 1), axis=0, return_index=True)[1]] = True
    if counted is not None:
        once &= counted
    who = answers.annotator.codes[once]
    total = np.bincount(who, minlength=people)
    agreed = np.bincount(who, right[once], people)
    none = np.full(people, np.nan)
    share: Float[np.ndarray, " J"] = np.divide(agreed, total, out=none, where=total > 0)
    return share


def agreement_with_votes(
    answers: Answers, scores: Float[np.ndarray, "I K"]
) -> Float[np.ndarray, " J"]:
    """Return the share of each annotator's answers that got most votes."""
    best = scores.argmax(1)
    return agreement_with(answers, best[answers.item.codes] == answers.label.codes)


def right_by_gold(
    answers: Answers, gold: Int[np.ndarray, "G 2"]
) -> tuple[Bool[np.ndarray, " N"], Bool[np.ndarray, " N"]]:
    """Return which answers are right by known labels, and which these judge."""
    true = np.zeros((len(answers.item.values), len(answers.label.values)), bool)
    true[gold[:, 0], gold[:, 1]] = True
    item = answers.item.codes
    return true[item, answers.label.codes], true.any(1)[item]


def zero_based_skill(
    answers: Answers, rates: Float[np.ndarray, " n_iter"], start: float
) -> Float[np.ndarray, " J"]:
    """Return skills that follow the agreement with the votes that they weigh."""
    skill = np.full(len(answers.annotator.values), start)
    for rate in rates:
        scores = weighted_votes(answers, skill[answers.annotator.codes])
        skill = skill + rate * (agreement_with_votes(answers, scores) - skill)
    return skill
