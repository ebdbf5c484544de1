"""EM for annotators who know the truth or answer by habit, plain or variational.

References
----------
Hovy et al. (2013), Learning whom to trust with MACE, section 2.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.special import digamma, logsumexp

HABIT = 10.0  # imagined answers by habit of each label, where Bayes is variational


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
