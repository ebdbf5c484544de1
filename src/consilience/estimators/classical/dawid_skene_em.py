"""EM for confusion matrices, from the shares of the votes.

References
----------
Dawid and Skene (1979), Maximum likelihood estimation of observer error-rates using the
EM algorithm, section 3.
Zhang et al. (2016), Spectral methods meet EM: a provably optimal algorithm for
crowdsourcing, on one accuracy for each annotator.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse import csr_array
from scipy.special import entr

from consilience.estimators.classical.weighted_votes import vote_shares, weighted_votes
from consilience.estimators.columns import Answers

LEAST = 1e-10  # a probability, so that its logarithm is finite

type Confusion = Float[np.ndarray, "J L K"]


@dataclass(frozen=True, slots=True, eq=False)
class Estimated:
    """What EM arrives at."""

    probas: Float[np.ndarray, "I K"]
    priors: Float[np.ndarray, " K"]
    errors: Confusion
    history: list[float]


class Counted:
    """The answers as a sparse matrix of items by annotator and label."""

    def __init__(self, answers: Answers) -> None:
        items = len(answers.item.values)
        self.shape = len(answers.annotator.values), len(answers.label.values)
        people, labels = self.shape
        column = answers.annotator.codes * labels + answers.label.codes
        ones = np.ones(answers.number)
        shape = (items, people * labels)
        self.matrix = csr_array((ones, (answers.item.codes, column)), shape=shape)
        self.transposed = self.matrix.T.tocsr()
        self.given: Bool[np.ndarray, "J L"] = (
            np.bincount(column, minlength=people * labels)
            .reshape(self.shape)
            .astype(bool)
        )

    def expected(self, probas: Float[np.ndarray, "I K"]) -> Confusion:
        """Return how often each annotator gave each answer to each truth."""
        table: Confusion = (self.transposed @ probas).reshape(
            *self.shape, self.shape[1]
        )
        return table

    def log_likelihood(self, errors: Confusion) -> Float[np.ndarray, "I K"]:
        """Return log p(answers of the item | truth)."""
        logs = np.log(np.maximum(errors, LEAST)).reshape(-1, self.shape[1])
        scores: Float[np.ndarray, "I K"] = self.matrix @ logs
        return scores


def as_errors(counts: Confusion, given: Bool[np.ndarray, "J L"]) -> Confusion:
    """Return counts as probabilities of the answers that were given."""
    kept = np.where(given[:, :, None], np.maximum(counts, LEAST), 0.0)
    total = kept.sum(1, keepdims=True)
    return np.divide(kept, total, out=kept, where=total > 0)


def one_accuracy(counts: Confusion) -> Float[np.ndarray, " J"]:
    """Return the share of each annotator's answers that are right."""
    right = np.einsum("jkk->j", counts)
    total = counts.sum((1, 2))
    share: Float[np.ndarray, " J"] = right / np.maximum(total, LEAST)
    return share


def by_accuracy(counts: Confusion) -> Confusion:
    """Return confusions of one accuracy each, wrong answers alike."""
    right, labels = one_accuracy(counts)[:, None, None], counts.shape[1]
    wrong = (1 - right) / max(labels - 1, 1)
    square = np.where(np.eye(labels) > 0, right, wrong)
    clipped: Confusion = np.clip(square, LEAST, 1 - LEAST)
    return clipped


def dawid_skene_em(
    answers: Answers,
    maximise: Callable[[Counted, Confusion, bool], Confusion],
    *,
    n_iter: int,
    tol: float,
    gold: Int[np.ndarray, "G 2"],
) -> Estimated:
    """Alternate between the truth and the confusions, from the shares of the votes."""
    counted = Counted(answers)
    probas = _with_gold(vote_shares(weighted_votes(answers)), gold)
    priors = probas.mean(0)
    errors = maximise(counted, counted.expected(probas), True)  # noqa: FBT003
    history: list[float] = []
    before = -np.inf
    for _ in range(n_iter):
        scores = counted.log_likelihood(errors) + np.log(np.maximum(priors, LEAST))
        scores = np.exp(scores - scores.max(1, keepdims=True))
        probas = _with_gold(scores / scores.sum(1, keepdims=True), gold)
        priors = probas.mean(0)
        counts = counted.expected(probas)
        errors = maximise(counted, counts, False)  # noqa: FBT003
        bound = (counts * np.log(np.maximum(errors, LEAST))).sum()
        bound += entr(probas).sum() - len(probas) * entr(priors).sum()
        history.append(float(bound / answers.number))
        if history[-1] - before < tol:
            break
        before = history[-1]
    return Estimated(probas, priors, errors, history)


def _with_gold(
    probas: Float[np.ndarray, "I K"], gold: Int[np.ndarray, "G 2"]
) -> Float[np.ndarray, "I K"]:
    if len(gold):
        probas = probas.copy()
        probas[gold[:, 0]] = 0.0
        probas[gold[:, 0], gold[:, 1]] = 1.0
        probas /= probas.sum(1, keepdims=True)
    return probas
