r"""The posterior mode, its curvature, and draws: the engine laplace.

**Newton's method** with the expected curvature. Given the G parameters that are of no
judge, judges are independent, so that the curvature has a block of 3 x 3 for each, and
what is solved is of size G. The mean log discrimination of judges is held at zero,
which gives scores their unit.

**Scales** are learned by EM: each becomes the root mean square of what it scales,
uncertainty included, with the prior's pseudo-observations.

**Comparisons of one item are correlated**, so that the covariance of G becomes

.. math:: \Sigma + \Big(\sum_c \varphi_c \varphi_c^\top
          - \sum_n \varphi_n \varphi_n^\top\Big)_+,

where the influence of a comparison n on the mode is summed over those of an item c
(Liang and Zeger 1986): the difference has only products of different comparisons of one
item. The plus drops what would narrow intervals.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import cho_solve, eigh
from scipy.sparse import csr_array, diags_array

from consilience.comparisons.model import (
    Counts,
    Estimate,
    Prior,
    Scales,
    design,
    predicted,
    standardized,
)
from consilience.comparisons.record import FIRST, SECOND, TIE
from consilience.errors import FitError

_STEPS, _ROUNDS, _DRAWS = 200, 60, 4000
_CLOSE, _CLOSE_SCALES = 1e-7, 1e-2
_BLOCK = 2**22  # numbers of the influence of some comparisons at once: 32 MiB


@dataclass(frozen=True, slots=True, eq=False)
class Curvature:
    """Slopes and curvature at some parameters, and what is solved of them.

    Attributes
    ----------
    slope
        Slope of the log joint density.
    inverse
        Inverse of the block of each judge.
    back
        How the mode of each judge moves with G, with the sign changed.
    factor
        Cholesky factor of the curvature of G, judges profiled out.
    free
        Inverse of the curvature times the direction that is held.
    """

    slope: Float[np.ndarray, " P"]
    inverse: Float[np.ndarray, "J 3 3"]
    back: Float[np.ndarray, "3*J G"]
    factor: Float[np.ndarray, "G G"]
    free: Float[np.ndarray, " P"]

    @property
    def step(self) -> Float[np.ndarray, " P"]:
        """Newton's step, along which the mean discrimination stays."""
        step = solved(self.slope, self.inverse, self.back, self.factor)
        number = self.back.shape[1]
        return step - self.free * step[number::3].mean() / self.free[number::3].mean()

    def covariance(self) -> tuple[Float[np.ndarray, "P G"], Float[np.ndarray, "J 3"]]:
        """Return the covariances of all with G, and the variances of judges."""
        number = self.back.shape[1]
        length, of_judges = self.free[number::3].mean(), self.free[number:]
        whole = cho_solve((self.factor, True), np.eye(number))
        moved = self.back @ whole
        columns = np.vstack([whole, -moved])
        columns -= np.outer(self.free, self.free[:number]) / length
        variance = np.einsum("jtt->jt", self.inverse).ravel()
        variance = variance + (moved * self.back).sum(1) - of_judges**2 / length
        return columns, np.maximum(variance, 0.0).reshape(-1, 3)


def solved(
    vector: Float[np.ndarray, " P"],
    inverse: Float[np.ndarray, "J 3 3"],
    back: Float[np.ndarray, "3*J G"],
    factor: Float[np.ndarray, "G G"],
) -> Float[np.ndarray, " P"]:
    """Return the inverse of the curvature times a vector."""
    of_g, of_judges = np.split(vector, [back.shape[1]])
    in_g = cho_solve((factor, True), of_g - of_judges @ back)
    alone = (inverse @ of_judges.reshape(-1, 3, 1)).ravel()
    return np.concatenate([in_g, alone - back @ in_g])


def curvature(
    theta: Float[np.ndarray, " P"],
    counts: Counts,
    prior: tuple[csr_array, Float[np.ndarray, " P"]],
) -> Curvature:
    """Return slopes and the expected curvature at parameters."""
    of_h, of_ties, log_p = design(theta, counts)
    p, n = np.exp(log_p), counts.outcomes.sum(1)
    lead, tie = p[:, 0] - p[:, 1], p[:, 2]
    slope_h = (counts.outcomes[:, 0] - counts.outcomes[:, 1] - n * lead) / 2
    slope = of_h.T @ slope_h + of_ties.T @ (counts.outcomes[:, 2] - n * tie)
    # n times the covariance of the slopes, as a root and what the root leaves of ties.
    root = np.sqrt(np.maximum(1 - tie - lead**2, 1e-12)) / 2
    crossed = -lead * tie / (2 * root)
    rest = of_ties.T @ (n * np.maximum(tie * (1 - tie) - crossed**2, 0.0))
    both = diags_array(np.sqrt(n) * root) @ of_h
    both = both + diags_array(np.sqrt(n) * crossed) @ of_ties
    matrix, centre = prior
    curve = (both.T @ both + matrix.T @ matrix + diags_array(rest)).tocsr()
    number = counts.shared
    inverse = np.linalg.inv(curve[number:, number:].tobsr((3, 3)).data)
    beside = curve[number:, :number].toarray()
    back = (inverse @ beside.reshape(-1, 3, number)).reshape(beside.shape)
    factor = np.linalg.cholesky(curve[:number, :number].toarray() - beside.T @ back)
    direction = np.zeros(len(theta))
    direction[number::3] = 1 / len(inverse)
    free = solved(direction, inverse, back, factor)
    slope -= matrix.T @ (matrix @ theta - centre)
    return Curvature(slope, inverse, back, factor, free)


@dataclass(frozen=True, slots=True, eq=False)
class Mode:
    """The mode, and the curvature there."""

    theta: Float[np.ndarray, " P"]
    curvature: Curvature


def mode(counts: Counts, prior: Prior) -> Mode:
    """Return the mode of the parameters given scales that are learned by EM.

    Raises
    ------
    FitError
        If it is not reached, or numbers are not finite.
    """
    scales = Scales(prior.score, np.tile(prior.traits, (counts.groups, 1)))
    wins, ties = counts.outcomes[:, :2].sum(), counts.outcomes[:, 2].sum()
    theta = np.zeros(counts.shared + 3 * len(counts.group_of))
    theta[counts.systems + counts.x.shape[1] + 2 :: 3] = np.log(
        (2 * ties + 1) / (wins + 1)
    )
    for _ in range(_ROUNDS):
        at = _climbed(theta, counts, standardized(counts, scales, prior), 1e-2)
        theta, before = at.theta, scales
        scales = _learned(at, counts, prior)
        change = np.abs(np.log(scales.judge / before.judge)).max()
        if max(change, abs(np.log(scales.score / before.score))) < _CLOSE_SCALES:
            break
    return _climbed(theta, counts, standardized(counts, scales, prior), _CLOSE)


def _climbed(
    theta: Float[np.ndarray, " P"],
    counts: Counts,
    prior: tuple[csr_array, Float[np.ndarray, " P"]],
    near: float,
) -> Mode:
    """Return the mode given scales."""

    def height(theta: Float[np.ndarray, " P"]) -> float:
        off = prior[0] @ theta - prior[1]
        return float(
            np.vdot(counts.outcomes, predicted(theta, counts)[1]) - off @ off / 2
        )

    reached = height(theta)
    for _ in range(_STEPS):
        curve = curvature(theta, counts, prior)
        step, before = curve.step, reached
        gain = curve.slope @ step
        if not np.isfinite(gain):
            break
        if np.sqrt(max(gain, 0.0)) < near:
            return Mode(theta, curve)
        for halved in range(20):
            moved = theta + 0.5**halved * step
            reached = height(moved)
            if reached >= before + 1e-4 * 0.5**halved * gain:
                break
        if reached <= before:  # no more digits
            return Mode(theta, curve)
        theta = moved
    raise FitError(
        f"the mode was not reached in {_STEPS} steps; look for covariates that are "
        "almost equal, or give a narrower prior"
    )


def _learned(at: Mode, counts: Counts, prior: Prior) -> Scales:
    """Return scales after a step of EM."""
    covariance, variance = at.curvature.covariance()
    score, _, group, judge = counts.parts(at.theta)
    number, weight, usual = counts.systems, prior.weight, prior.traits
    total = score @ score + np.trace(covariance[:number, :number])
    means = counts.means
    places = counts.shared + np.arange(means.size).reshape(means.shape)
    apart = (judge - group[counts.group_of]) ** 2 + variance
    apart += covariance[means, means] - 2 * covariance[places, means]
    squares = np.zeros((counts.groups, 3))
    np.add.at(squares, counts.group_of, apart)
    members = np.bincount(counts.group_of, minlength=counts.groups)[:, None]
    learned = np.sqrt((squares + weight * usual**2) / (members + weight))
    of_score = np.sqrt((total + weight * prior.score**2) / (number + weight))
    return Scales(float(of_score), np.where(usual > 1e-3, learned, usual))


def clustered(
    at: Mode,
    counts: Counts,
    outcome: Int[np.ndarray, " N"],
    item: Int[np.ndarray, " N"],
) -> Float[np.ndarray, "G G"]:
    """Return the covariance of G, with the correlation of comparisons of one item."""
    columns, _ = at.curvature.covariance()
    covariance = columns[: counts.shared]
    rows = np.flatnonzero(np.bincount(item)[item] > 1)
    if not len(rows):
        return covariance
    rows = rows[np.argsort(item[rows], kind="stable")]
    _, code = np.unique(item[rows], return_inverse=True)
    of_h, of_ties, log_p = design(at.theta, counts)
    p = np.exp(log_p)
    added, start, step = np.zeros_like(covariance), 0, _BLOCK // len(covariance) + 1
    while start < len(rows):
        # Whole items.
        end = int(
            np.searchsorted(code, code[min(start + step, len(rows)) - 1], "right")
        )
        won, row = outcome[rows[start:end]], counts.row[rows[start:end]]
        points = (won == FIRST).astype(float) - (won == SECOND) - p[row, 0] + p[row, 1]
        slope = diags_array(points / 2) @ of_h[row]
        slope += diags_array((won == TIE) - p[row, 2]) @ of_ties[row]
        each = slope @ columns
        starts = np.flatnonzero(np.diff(code[start:end], prepend=-1))
        whole = np.add.reduceat(each, starts, axis=0)
        added += whole.T @ whole - each.T @ each
        start = end
    items = code[-1] + 1
    return covariance + _positive(added * items / max(items - 1, 1), covariance)


def estimated(
    at: Mode,
    counts: Counts,
    covariance: Float[np.ndarray, "G G"] | None = None,
    seed: int = 0,
) -> Estimate:
    """Return the mode, and draws about it; without a covariance, one at the mode."""
    centre = at.theta[: counts.shared]
    draws = centre[None]
    if covariance is not None:
        values, vectors = eigh(covariance)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        normal = np.random.default_rng(seed).normal(size=(_DRAWS, len(centre)))
        draws = centre + normal @ root.T
    drawn, best = counts.parts(draws), counts.parts(at.theta)
    return Estimate(
        score=best.score - best.score.mean(),
        judge_traits=best.judge,
        judge_errors=np.sqrt(at.curvature.covariance()[1]),
        score_draws=drawn.score - drawn.score.mean(1, keepdims=True),
        group_draws=drawn.group,
        coefficient_draws=drawn.coefficient,
    )


def _positive(
    matrix: Float[np.ndarray, "G G"], unit: Float[np.ndarray, "G G"]
) -> Float[np.ndarray, "G G"]:
    """Return what is positive of a matrix in units of a covariance."""
    values, vectors = eigh(unit)
    kept = values > values[-1] * 1e-12
    root = vectors[:, kept] * np.sqrt(values[kept])
    back = vectors[:, kept] / np.sqrt(values[kept])
    values, vectors = eigh(back.T @ matrix @ back)
    wider = root @ vectors * np.sqrt(np.maximum(values, 0.0))
    return wider @ wider.T
