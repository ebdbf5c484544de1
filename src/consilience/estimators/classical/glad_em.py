"""EM for abilities of annotators and ease of items, by conjugate gradients.

References
----------
Whitehill et al. (2009), Whose vote should count more: optimal integration of labels
from labelers of unknown expertise, section 3.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize
from scipy.special import expit, log_expit, log_softmax

from consilience.estimators.columns import Answers

LOG_NORMAL = -0.5 * np.log(2 * np.pi)


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
