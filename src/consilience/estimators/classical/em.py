"""EM for confusion matrices, from the shares of the votes.

**EM for abilities of annotators and ease of items, by conjugate gradients.** EM for
annotators who know the truth or answer by habit, plain or variational.

References
----------
Dawid and Skene (1979), Maximum likelihood estimation of observer error-rates using the
EM algorithm, section 3.
Zhang et al. (2016), Spectral methods meet EM: a provably optimal algorithm for
crowdsourcing, on one accuracy for each annotator.
Whitehill et al. (2009), Whose vote should count more: optimal integration of labels
from labelers of unknown expertise, section 3.
Hovy et al. (2013), Learning whom to trust with MACE, section 2.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.special import digamma, entr, expit, log_expit, log_softmax, logsumexp

from consilience.estimators.classical.votes import vote_shares, weighted_votes
from consilience.estimators.columns import Answers

LEAST = 1e-10  # a probability, so that its logarithm is finite
type Confusion = Float[np.ndarray, "J L K"]
LOG_NORMAL = -0.5 * np.log(2 * np.pi)
HABIT = 10.0  # imagined answers by habit of each label, where Bayes is variational


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


@dataclass(frozen=True, slots=True, eq=False)
class AbilityAndEase:
    """Where EM of GLAD stands."""

    probas: Float[np.ndarray, "I K"]
    alpha: Float[np.ndarray, " J"]
    beta: Float[np.ndarray, " I"]
    history: list[float]


@dataclass(frozen=True, slots=True, eq=False)
class GladEm:
    """EM of GLAD; settings as of the estimator."""

    answers: Answers
    log_prior: Float[np.ndarray, " K"]
    alpha_mean: Float[np.ndarray, " J"]
    beta_mean: Float[np.ndarray, " I"]

    def run(
        self, n_iter: int, tol: float, m_step_max_iter: int, m_step_tol: float
    ) -> AbilityAndEase:
        """Alternate between the truth, and abilities and ease."""
        people = len(self.alpha_mean)
        point = np.ones(people + len(self.beta_mean))
        probas = self._truth(point)
        history: list[float] = []
        before = self._objective(point, probas)[0]
        number = self.answers.number * len(self.log_prior)
        for _ in range(n_iter):
            probas = self._truth(point)
            point = minimize(
                lambda x, truth: tuple(-each for each in self._objective(x, truth)),
                point,
                args=(probas,),
                jac=True,
                method="CG",
                tol=m_step_tol,
                options={"maxiter": m_step_max_iter},
            ).x
            history.append(self._objective(point, probas)[0] / number)
            if history[-1] - before < tol:
                break
            before = history[-1]
        return AbilityAndEase(probas, point[:people], point[people:], history)

    def _slopes(
        self, point: Float[np.ndarray, " P"]
    ) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
        """Return of each answer the ability, and the ease."""
        alpha, beta = np.split(point, [len(self.alpha_mean)])
        ease = np.exp(beta[self.answers.item.codes])
        return alpha[self.answers.annotator.codes], ease

    def _log_wrong(self, slope: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
        labels = max(len(self.log_prior) - 1, 1)
        wrong: Float[np.ndarray, " N"] = log_expit(-slope) - np.log(labels)
        return wrong

    def _truth(self, point: Float[np.ndarray, " P"]) -> Float[np.ndarray, "I K"]:
        ability, ease = self._slopes(point)
        wrong = self._log_wrong(ability * ease)
        item, (items, labels) = self.answers.item.codes, self._shape
        place = item * labels + self.answers.label.codes
        gain = np.bincount(place, log_expit(ability * ease) - wrong, items * labels)
        scores = gain.reshape(items, labels) + self.log_prior
        scores += np.bincount(item, wrong, items)[:, None]
        probas: Float[np.ndarray, "I K"] = np.exp(log_softmax(scores, axis=1))
        return probas

    def _objective(
        self, point: Float[np.ndarray, " P"], probas: Float[np.ndarray, "I K"]
    ) -> tuple[float, Float[np.ndarray, " P"]]:
        """Return the expected log posterior density, and its gradient."""
        ability, ease = self._slopes(point)
        slope = ability * ease
        item, who = self.answers.item.codes, self.answers.annotator.codes
        right = probas[item, self.answers.label.codes]
        wrong = self._log_wrong(slope)
        away = point - np.concatenate([self.alpha_mean, self.beta_mean])
        value = (right * log_expit(slope) + (1 - right) * wrong).sum()
        value += len(point) * LOG_NORMAL - 0.5 * (away**2).sum()
        bent = (right - expit(slope)) * ease
        gradient = np.concatenate(
            [
                np.bincount(who, bent, len(self.alpha_mean)),
                np.bincount(item, bent * ability, len(self.beta_mean)),
            ]
        )
        return float(value), gradient - away

    @property
    def _shape(self) -> tuple[int, int]:
        return len(self.beta_mean), len(self.log_prior)


class Spamming(NamedTuple):
    """The parameters; of variational Bayes exp(E log p), which sum to less than one."""

    spamming: Float[np.ndarray, "J 2"]
    thetas: Float[np.ndarray, "J K"]


class Explained(NamedTuple):
    """What the answers say, given the parameters."""

    probas: Float[np.ndarray, "I K"]
    log_likelihood: float
    by_kind: Float[np.ndarray, "J 2"]
    by_habit: Float[np.ndarray, "J K"]


@dataclass(frozen=True, slots=True, eq=False)
class MaceEm:
    """EM of MACE; settings as of the estimator."""

    item: Int[np.ndarray, " N"]
    annotator: Int[np.ndarray, " N"]
    label: Int[np.ndarray, " N"]
    shape: tuple[int, int, int]

    def run(
        self,
        *,
        n_restarts: int,
        n_iter: int,
        method: str,
        smoothing: float,
        default_noise: float,
        imagined: tuple[float, float],
        seed: int,
    ) -> tuple[Spamming, Explained]:
        """Start at random several times, and return the best end."""
        ends = []
        for start in range(max(n_restarts, 1)):
            where = self._start(seed + start, default_noise)
            seen = self._explain(where)
            for _ in range(n_iter):
                if method == "vb":
                    where = Spamming(
                        _variational(seen.by_kind + np.array(imagined)),
                        _variational(seen.by_habit + HABIT),
                    )
                else:
                    where = Spamming(
                        _normalised(seen.by_kind + smoothing),
                        _normalised(seen.by_habit + smoothing),
                    )
                seen = self._explain(where)
            ends.append((where, seen))
        return max(ends, key=lambda end: end[1].log_likelihood)

    def _start(self, seed: int, noise: float) -> Spamming:
        _, people, labels = self.shape
        return Spamming(
            *(
                _normalised(1 + (1 + noise) * np.random.RandomState(seed).rand(*shape))
                for shape in ((people, 2), (people, labels))
            )
        )

    def _explain(self, where: Spamming) -> Explained:
        items, people, labels = self.shape
        item, who = self.item, self.annotator
        habit = where.spamming[who, 0] * where.thetas[who, self.label]
        knows = where.spamming[who, 1]
        with np.errstate(divide="ignore"):
            by_habit = np.log(habit)
        gain = np.log1p(np.divide(knows, habit, out=knows * 0, where=habit > 0))
        place = item * labels + self.label
        scores = np.bincount(place, gain, items * labels).reshape(items, labels)
        scores += np.bincount(item, by_habit, items)[:, None] - np.log(labels)
        total = logsumexp(scores, axis=1, keepdims=True)
        probas = np.exp(scores - total)
        informed = probas[item, self.label] * knows / (habit + knows)
        kinds = [np.bincount(who, each, people) for each in (1 - informed, informed)]
        of_labels = np.bincount(
            who * labels + self.label, 1 - informed, people * labels
        )
        return Explained(
            probas,
            float(total.sum()),
            np.stack(kinds, 1),
            of_labels.reshape(people, labels),
        )


def _normalised(counts: Float[np.ndarray, "J X"]) -> Float[np.ndarray, "J X"]:
    shares: Float[np.ndarray, "J X"] = counts / counts.sum(1, keepdims=True)
    return shares


def _variational(counts: Float[np.ndarray, "J X"]) -> Float[np.ndarray, "J X"]:
    mean: Float[np.ndarray, "J X"] = np.exp(
        digamma(counts) - digamma(counts.sum(1, keepdims=True))
    )
    return mean
