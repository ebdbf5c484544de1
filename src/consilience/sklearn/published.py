"""Published algorithms that aggregate labels, as their papers run them.

**Votes** weighted by skills, and skills by agreement with the result of the votes.

**M-MSR**: of two annotators who err independently, the covariance of being right is the
product of their skills. Skills are alternately set to the mean of the ratios of the
entries to the other skills, the largest and smallest left out (Ma and Olshevsky 2020,
Adversarial crowdsourcing through robust rank-one matrix completion).

**KOS**: messages between items and annotators, of two labels (Karger, Oh and Shah 2014,
Budget-optimal task allocation for reliable crowdsourcing systems, section 2).

**GLAD**: EM for abilities of annotators and ease of items, by conjugate gradients
(Whitehill et al. 2009, Whose vote should count more: optimal integration of labels from
labelers of unknown expertise, section 3).

**MACE**: EM for annotators who know the truth or answer by habit, plain or variational
(Hovy et al. 2013, Learning whom to trust with MACE, section 2).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import minimize
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import eigsh
from scipy.special import digamma, expit, log_expit, log_softmax, logsumexp

from consilience.sklearn.answers import Answers

HABIT = 10.0  # imagined answers by habit of each label, where Bayes is variational

type Square = Float[np.ndarray, "J J"]


def weighted_votes(
    answers: Answers, weight: Float[np.ndarray, " N"] | None = None
) -> Float[np.ndarray, "I K"]:
    """Return the sum of the weights of the votes for each label of each item."""
    shape = len(answers.item.values), len(answers.label.values)
    place = answers.item.codes * shape[1] + answers.label.codes
    votes = np.bincount(place, weight, shape[0] * shape[1])
    return votes.reshape(shape).astype(float)


def vote_shares(scores: Float[np.ndarray, "I K"]) -> Float[np.ndarray, "I K"]:
    """Return votes divided by their sum over the labels; all alike if it is zero."""
    total = scores.sum(1, keepdims=True)
    alike = np.full_like(scores, 1 / max(scores.shape[1], 1))
    return np.divide(scores, total, out=alike, where=total != 0)


def agreement_with(
    answers: Answers,
    right: Bool[np.ndarray, " N"],
    counted: Bool[np.ndarray, " N"] | None = None,
) -> Float[np.ndarray, " J"]:
    """Return the share of each annotator's answers that are right; NaN without any."""
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
    return np.divide(agreed, total, out=none, where=total > 0)


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


def covariance(answers: Answers) -> tuple[Square, Bool[np.ndarray, "J J"]]:
    """Return the covariance of annotators, and of which pairs it was observed."""
    items, people = len(answers.item.values), len(answers.annotator.values)
    labels = len(answers.label.values)
    given = np.full((people, items), -1)
    given[answers.annotator.codes, answers.item.codes] = answers.label.codes
    who, item = np.nonzero(given >= 0)
    ones = np.ones(len(who))
    asked = csr_array((ones, (who, item)), shape=(people, items))
    place = item * labels + given[who, item]
    answered = csr_array((ones, (who, place)), shape=(people, items * labels))
    common, agreed = (each @ each.T for each in (asked, answered))
    common, agreed = common.toarray(), agreed.toarray()
    np.fill_diagonal(common, 0)
    share = np.divide(agreed, common, out=np.zeros_like(agreed), where=common > 0)
    other = max(labels - 1, 1)
    return share * labels / other - 1 / other, common > 0


def rank_one(
    covariances: Square,
    observed: Bool[np.ndarray, "J J"],
    *,
    items: int,
    n_iter: int,
    tol: float,
    seed: int | None,
) -> tuple[Float[np.ndarray, " J"], list[float]]:
    """Return the skills whose products are nearest to the covariances."""
    people = len(covariances)
    size, lowest = np.abs(covariances), 1 / np.sqrt(items)
    trimmed = max(int(observed.sum(0).min(initial=people)) // 2 - 1, 0)
    left, right = (np.random.RandomState(seed).uniform(size=people) for _ in range(2))
    history: list[float] = []
    for _ in range(n_iter):
        before = np.outer(left, right)
        right = _means(size, observed, left, right, trimmed, lowest)
        left = _means(size.T, observed.T, right, left, trimmed, lowest)
        history.append(float(np.linalg.norm(np.outer(left, right) - before)))
        if history[-1] < tol:
            break
    skill = left / np.sqrt(np.linalg.norm(left) / np.linalg.norm(right))
    return skill * _signs(covariances, observed), history


def _means(
    size: Square,
    observed: Bool[np.ndarray, "J J"],
    other: Float[np.ndarray, " J"],
    now: Float[np.ndarray, " J"],
    trimmed: int,
    lowest: float,
) -> Float[np.ndarray, " J"]:
    """Return the mean of what the entries of each column say, without the extremes."""
    says = observed & (other != 0)[:, None]
    ratio = np.divide(size, other[:, None], out=np.full(size.shape, np.nan), where=says)
    rows = np.sort(ratio, axis=0)  # what was not observed stands last
    first = np.minimum((ratio < now).sum(0), trimmed)
    last = says.sum(0) - np.minimum((ratio > now).sum(0), trimmed)
    place = np.arange(len(rows))[:, None]
    kept = (place >= first) & (place < last)
    number = kept.sum(0)
    total = np.where(kept, rows, 0.0).sum(0)
    mean = np.divide(total, number, out=now.copy(), where=number > 0)
    return np.where((number == 1) & (mean == 0), lowest, mean)


def _signs(
    covariances: Square, observed: Bool[np.ndarray, "J J"]
) -> Float[np.ndarray, " J"]:
    """Return who is better than chance, most of them: signs that explain the pairs."""
    people = len(covariances)
    there = observed | np.eye(people, dtype=bool)
    first, second = np.nonzero(np.triu((covariances > 0) & there))
    apart, opposite = np.nonzero((covariances < 0) & there)
    between = people + np.arange(len(first))
    rows = np.concatenate([first, second, between, between, apart])
    columns = np.concatenate([between, between, first, second, opposite])
    nodes = people + len(between)
    graph = csr_array((np.ones(len(rows)), (rows, columns)), shape=(nodes, nodes))
    degree = np.maximum(graph.sum(1), 1)
    scale = diags_array(degree**-0.5)
    walk = scale @ graph @ scale
    if nodes <= 500:
        vector = np.linalg.eigh(walk.toarray())[1][:, 0]
    else:
        vector = eigsh(walk, 1, which="SA", v0=np.ones(nodes))[1][:, 0]
    sign = np.sign(vector[:people])
    return sign if sign.sum() >= 0 else -sign


def message_passing(
    answers: Answers,
    sign: Int[np.ndarray, " N"],
    n_iter: int,
    generator: np.random.RandomState,
) -> Float[np.ndarray, " I"]:
    """Return how far each item is of the label with sign one."""
    item, who = answers.item.codes, answers.annotator.codes
    reliable = generator.normal(1.0, 1.0, answers.number)
    for _ in range(n_iter):
        inferred = _from_others(item, sign * reliable)
        reliable = _from_others(who, sign * inferred)
        largest = np.abs(reliable).max(initial=0.0)
        reliable = reliable / largest if largest > 0 else reliable
    items = len(answers.item.values)
    return np.bincount(item, sign * reliable, items)


def _from_others(
    code: Int[np.ndarray, " N"], message: Float[np.ndarray, " N"]
) -> Float[np.ndarray, " N"]:
    """Return the sum of the messages of the same code, without one's own."""
    return np.bincount(code, message)[code] - message


@dataclass(frozen=True, slots=True, eq=False)
class Glad:
    """Answers, and the priors of labels, abilities and the logarithm of ease."""

    answers: Answers
    log_prior: Float[np.ndarray, " K"]
    ability_mean: Float[np.ndarray, " J"]
    ease_mean: Float[np.ndarray, " I"]

    def em(
        self, n_iter: int, tol: float, m_step_max_iter: int, m_step_tol: float
    ) -> tuple[Float[np.ndarray, "I K"], Float[np.ndarray, " P"], list[float]]:
        """Return the truth, abilities with logarithms of ease, and the course."""
        point = np.ones(len(self.ability_mean) + len(self.ease_mean))
        probas = self.truth(point)
        history: list[float] = []
        before = self.objective(point, probas)[0]
        number = self.answers.number * len(self.log_prior)
        for _ in range(n_iter):
            probas = self.truth(point)
            point = minimize(
                lambda x, truth: tuple(-each for each in self.objective(x, truth)),
                point,
                args=(probas,),
                jac=True,
                method="CG",
                tol=m_step_tol,
                options={"maxiter": m_step_max_iter},
            ).x
            history.append(self.objective(point, probas)[0] / number)
            if history[-1] - before < tol:
                break
            before = history[-1]
        return probas, point, history

    def truth(self, point: Float[np.ndarray, " P"]) -> Float[np.ndarray, "I K"]:
        """Return the probabilities of the labels of each item."""
        ability, ease = self._of_answers(point)
        right, wrong = self._logs(ability * ease)
        scores = self.log_prior + weighted_votes(self.answers, right - wrong)
        scores += np.bincount(self.answers.item.codes, wrong, len(scores))[:, None]
        return np.exp(log_softmax(scores, axis=1))

    def objective(
        self, point: Float[np.ndarray, " P"], probas: Float[np.ndarray, "I K"]
    ) -> tuple[float, Float[np.ndarray, " P"]]:
        """Return the expected log posterior density, and its gradient."""
        item, who = self.answers.item.codes, self.answers.annotator.codes
        chance = probas[item, self.answers.label.codes]
        ability, ease = self._of_answers(point)
        right, wrong = self._logs(ability * ease)
        away = point - np.concatenate([self.ability_mean, self.ease_mean])
        value = (chance * right + (1 - chance) * wrong).sum()
        value -= 0.5 * (away**2 + np.log(2 * np.pi)).sum()
        slope = (chance - expit(ability * ease)) * ease
        of_ability = np.bincount(who, slope, len(self.ability_mean))
        of_ease = np.bincount(item, slope * ability, len(self.ease_mean))
        return float(value), np.concatenate([of_ability, of_ease]) - away

    def _of_answers(
        self, point: Float[np.ndarray, " P"]
    ) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
        """Return the ability and the ease of each answer."""
        ability, ease = np.split(point, [len(self.ability_mean)])
        answers = self.answers
        return ability[answers.annotator.codes], np.exp(ease[answers.item.codes])

    def _logs(
        self, log_odds: Float[np.ndarray, " N"]
    ) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
        """Return the log probability of the right label, and of each wrong one."""
        others = max(len(self.log_prior) - 1, 1)
        return log_expit(log_odds), log_expit(-log_odds) - np.log(others)


class Explained(NamedTuple):
    """Parameters, the truth given them, and expected answers by kind and by habit."""

    spamming: Float[np.ndarray, "J 2"]
    thetas: Float[np.ndarray, "J K"]
    probas: Float[np.ndarray, "I K"]
    log_likelihood: float
    by_kind: Float[np.ndarray, "J 2"]
    by_habit: Float[np.ndarray, "J K"]


@dataclass(frozen=True, slots=True, eq=False)
class Mace:
    """Answers, and the numbers of items, annotators and labels."""

    item: Int[np.ndarray, " N"]
    annotator: Int[np.ndarray, " N"]
    label: Int[np.ndarray, " N"]
    shape: tuple[int, int, int]

    def em(
        self,
        *,
        n_restarts: int,
        n_iter: int,
        smoothing: float,
        default_noise: float,
        imagined: tuple[float, float] | None,
        seed: int,
    ) -> Explained:
        """Return the best of several starts, of variational Bayes if `imagined`."""
        _, people, labels = self.shape
        share = _normalised if imagined is None else _variational
        more = (smoothing,) * 2 if imagined is None else (np.array(imagined), HABIT)
        ends = []
        for start in range(seed, seed + max(n_restarts, 1)):
            noise = [np.random.RandomState(start).rand(people, n) for n in (2, labels)]
            shares = [_normalised(1 + (1 + default_noise) * each) for each in noise]
            end = self._explain(*shares)
            for _ in range(n_iter):
                counts = (end.by_kind + more[0], end.by_habit + more[1])
                end = self._explain(*map(share, counts))
            ends.append(end)
        return max(ends, key=lambda end: end.log_likelihood)

    def _explain(
        self, spamming: Float[np.ndarray, "J 2"], thetas: Float[np.ndarray, "J K"]
    ) -> Explained:
        items, people, labels = self.shape
        item, who = self.item, self.annotator
        habit = spamming[who, 0] * thetas[who, self.label]
        knows = spamming[who, 1]
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
        place = who * labels + self.label
        habits = np.bincount(place, 1 - informed, people * labels)
        return Explained(
            spamming=spamming,
            thetas=thetas,
            probas=probas,
            log_likelihood=float(total.sum()),
            by_kind=np.stack(kinds, 1),
            by_habit=habits.reshape(people, -1),
        )


def _normalised(counts: Float[np.ndarray, "J X"]) -> Float[np.ndarray, "J X"]:
    return counts / counts.sum(1, keepdims=True)


def _variational(counts: Float[np.ndarray, "J X"]) -> Float[np.ndarray, "J X"]:
    total = counts.sum(1, keepdims=True)
    return np.exp(digamma(counts) - digamma(total))
