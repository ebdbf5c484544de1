r"""The model of comparisons: scores of systems, and how each judge answers.

Judge j of group g compares system a, shown first, with system b. With scores s, the
outcome (a wins, b wins, tie) is drawn with probabilities proportional to

.. math:: (e^{h/2},\; e^{-h/2},\; \nu_j), \qquad
          h = d_j (s_a - s_b) + o_j + x^\top \beta.

This is the model of Bradley and Terry (1952) with the ties of Davidson (1970) and the
effect of the order of Davidson and Beaver (1977). A judge has

- a discrimination d: 0 is at random, and the judges' geometric mean is 1;
- a bias o to the first place, in units of h;
- a rate of ties: of two systems that are as good, the tie has probability nu/(2 + nu).

Judges of a group are alike: with :math:`u_j = (\log d_j, o_j, \log\nu_j)`,

.. math:: u_j \sim N(m_g, \mathrm{diag}(\tau_g^2)), \qquad s_i \sim N(0, \sigma^2),

and scores are reported with mean zero. The scales sigma and tau are learned: with a
usual scale c and a weight w, :math:`w c^2/\sigma^2` is chi-squared with w degrees of
freedom. Covariates x are numeric differences between first and second, such as of
length; their coefficients are standard normal per root mean square of x.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array, diags_array

from consilience.comparisons.record import Comparisons
from consilience.errors import OptionError

TRAITS = ("discrimination", "first_place", "ties")
_GROUP_MEAN = np.array([0.0, 0.0, -1.0])  # prior mean of m
_NONE = 1e-4  # scale of an effect that is left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """Usual scales of scores and judges, and how far they are trusted.

    Attributes
    ----------
    score : float
        Usual standard deviation of the scores of systems.
    discrimination, first_place, ties : float
        Usual standard deviation between judges of a group, of log discrimination, of
        the bias to the first place and of the log rate of ties. 0: all judges of a
        group are alike, and nobody has a bias to the first place.
    weight : float
        Number of systems, or judges, that the usual scale counts as.

    Raises
    ------
    OptionError
        If a value is negative or not finite.

    See Also
    --------
    consilience.comparisons.fit : Rank systems with a prior.

    Examples
    --------
    >>> import consilience as cs
    >>> cs.comparisons.Prior(first_place=0.0).first_place
    0.0
    """

    score: float = 1.0
    discrimination: float = 0.3
    first_place: float = 0.3
    ties: float = 0.5
    weight: float = 2.0

    def __post_init__(self) -> None:
        """Refuse what is no scale."""
        for name in self.__slots__:
            value = getattr(self, name)
            least = 0.0 if name in TRAITS else 1e-6
            if not least <= value < np.inf:
                raise OptionError(f"{name} is {value}; give a finite number above 0")

    @property
    def traits(self) -> Float[np.ndarray, "3"]:
        """Usual scales of the three traits of judges."""
        usual = (self.discrimination, self.first_place, self.ties)
        return np.maximum(usual, _NONE)

    @property
    def group_means(self) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
        """Mean and scale of what is usual in a group."""
        wide = np.array([0.5, 0.5, 2.0])
        if not self.first_place:
            wide[1] = _NONE
        return _GROUP_MEAN, wide


class Scales(NamedTuple):
    """Standard deviations of the scores, and of the traits of judges in each group."""

    score: float
    judge: Float[np.ndarray, "K 3"]


class Parameters(NamedTuple):
    """Parameters by their meaning, with the three traits of `TRAITS`."""

    score: Float[np.ndarray, "*D I"]
    coefficient: Float[np.ndarray, "*D C"]
    group: Float[np.ndarray, "*D K 3"]
    judge: Float[np.ndarray, "*D J 3"]


class Estimate(NamedTuple):
    """Scores and traits of judges, the latter with standard errors, and draws."""

    score: Float[np.ndarray, " I"]
    judge_traits: Float[np.ndarray, "J 3"]
    judge_errors: Float[np.ndarray, "J 3"]
    score_draws: Float[np.ndarray, "D I"]
    group_draws: Float[np.ndarray, "D K 3"]
    coefficient_draws: Float[np.ndarray, "D C"]


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Comparisons counted by judge, ordered pair and outcome, R rows.

    With covariates, each comparison has a row. `row` is that of each comparison. All P
    parameters stand in one vector: G of scores, coefficients and groups, then judges.
    """

    judge: Int[np.ndarray, " R"]
    first: Int[np.ndarray, " R"]
    second: Int[np.ndarray, " R"]
    x: Float[np.ndarray, "R C"]
    outcomes: Float[np.ndarray, "R 3"]
    row: Int[np.ndarray, " N"]
    group_of: Int[np.ndarray, " J"]
    systems: int
    groups: int

    @property
    def shared(self) -> int:
        """Number G of parameters that are of no judge."""
        return self.systems + self.x.shape[1] + 3 * self.groups

    @property
    def means(self) -> Int[np.ndarray, "J 3"]:
        """Places of the parameters of the group of each judge."""
        start = self.systems + self.x.shape[1]
        return start + 3 * self.group_of[:, None] + np.arange(3)

    def parts(self, theta: Float[np.ndarray, "*D P"]) -> Parameters:
        """Return parameters by their meaning; of G alone, there are no judges."""
        ends = np.cumsum([self.systems, self.x.shape[1], 3 * self.groups])
        score, coefficient, group, judge = np.split(theta, ends, axis=-1)
        matrices = (each.reshape(*theta.shape[:-1], -1, 3) for each in (group, judge))
        return Parameters(score, coefficient, *matrices)


def counted(comparisons: Comparisons, x: Float[np.ndarray, "N C"]) -> Counts:
    """Count comparisons with the same probabilities of outcomes."""
    number = len(comparisons.systems)
    judge, first, second = comparisons.judge, comparisons.first, comparisons.second
    row = np.arange(len(comparisons))
    if not x.shape[1]:
        key = (judge.astype(np.int64) * number + first) * number + second
        key, row = np.unique(key, return_inverse=True)
        judge, first, second = key // number**2, key // number % number, key % number
        x = np.zeros((len(key), 0))
    outcomes = np.bincount(row * 3 + comparisons.outcome, minlength=3 * len(judge))
    return Counts(
        *(judge, first, second, x, outcomes.reshape(-1, 3).astype(np.float64), row),
        group_of=comparisons.group_of,
        systems=number,
        groups=len(comparisons.groups),
    )


def log_outcomes(
    h: Float[np.ndarray, "*shape"], log_ties: Float[np.ndarray, "*ties"]
) -> Float[np.ndarray, "*shape 3"]:
    """Return the log probabilities of first, second and tie."""
    # Sums of three arrays: those along an axis of length three are slow.
    logits = h / 2, -h / 2, np.broadcast_to(log_ties, h.shape)
    most = np.maximum(np.abs(h) / 2, log_ties)
    total = most + np.log(sum(np.exp(each - most) for each in logits))
    return np.stack([each - total for each in logits], -1)


def predicted(
    theta: Float[np.ndarray, " P"], counts: Counts
) -> tuple[Float[np.ndarray, " R"], Float[np.ndarray, "R 3"]]:
    """Return the difference of scores that judges see, and log probabilities."""
    score, coefficient, _, judge = counts.parts(theta)
    trait = judge[counts.judge]
    gap = score[counts.first] - score[counts.second]
    seen = np.exp(judge[:, 0])[counts.judge] * gap
    h = seen + trait[:, 1] + counts.x @ coefficient
    return seen, log_outcomes(h, trait[:, 2])


def design(
    theta: Float[np.ndarray, " P"], counts: Counts
) -> tuple[csr_array, csr_array, Float[np.ndarray, "R 3"]]:
    """Return the slopes of h and of the log rate of ties, and log probabilities."""
    seen, log_p = predicted(theta, counts)
    unit, rows = np.exp(theta[counts.shared :: 3])[counts.judge], len(seen)
    place = counts.shared + 3 * counts.judge
    beta = np.broadcast_to(
        counts.systems + np.arange(counts.x.shape[1]), counts.x.shape
    )
    columns = np.column_stack([counts.first, counts.second, beta, place, place + 1])
    values = np.column_stack([unit, -unit, counts.x, seen, np.ones(rows)])
    starts = np.arange(rows + 1)
    shape = (rows, len(theta))
    of_h = (values.ravel(), columns.ravel(), columns.shape[1] * starts)
    of_ties = csr_array((np.ones(rows), place + 2, starts), shape=shape)
    return csr_array(of_h, shape=shape), of_ties, log_p


def standardized(
    counts: Counts, scales: Scales, prior: Prior
) -> tuple[csr_array, Float[np.ndarray, " P"]]:
    """Return a matrix and a vector, in whose difference the prior is standard."""
    mean, wide = prior.group_means
    judge = scales.judge[counts.group_of].ravel() ** -1.0
    weights = [
        np.full(counts.systems, scales.score**-1.0),
        np.ones(counts.x.shape[1]),
        np.tile(1 / wide, counts.groups),
        judge,
    ]
    size = counts.shared + len(judge)
    centre = np.zeros(size)
    start = counts.systems + counts.x.shape[1]
    centre[start : counts.shared] = np.tile(mean / wide, counts.groups)
    rows = np.arange(counts.shared, size)
    entries = (-judge, (rows, counts.means.ravel()))
    diagonal = diags_array(np.concatenate(weights))
    return (diagonal + csr_array(entries, shape=(size, size))).tocsr(), centre
