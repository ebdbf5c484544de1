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

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

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

    def covariance(self) -> tuple[Float[np.ndarray, "P G"], Float[np.ndarray, "J 3 3"]]:
        """Return the covariances of all with G, and those of the traits of a judge."""
        number = self.back.shape[1]
        length, of_judges = self.free[number::3].mean(), self.free[number:]
        whole = cho_solve((self.factor, True), np.eye(number))
        moved = self.back @ whole
        columns = np.vstack([whole, -moved])
        columns -= np.outer(self.free, self.free[:number]) / length
        by_judge = (len(self.inverse), 3, number)
        within = moved.reshape(by_judge) @ self.back.reshape(by_judge).swapaxes(1, 2)
        fixed = of_judges.reshape(-1, 3, 1)
        blocks = self.inverse + within - fixed @ fixed.swapaxes(1, 2) / length
        return columns, blocks


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


class Slopes(NamedTuple):
    """Slope of the log likelihood, and the blocks of the expected information."""

    slope: Float[np.ndarray, " P"]
    of_shared: Float[np.ndarray, "G G"]
    between: Float[np.ndarray, "J 3 G"]
    of_judge: Float[np.ndarray, "J 3 3"]


def information(theta: Float[np.ndarray, " P"], counts: Counts) -> Slopes:
    """Return the slope and the expected information of all comparisons, as sums."""
    number, judge, judges = counts.shared, counts.judge, len(counts.group_of)
    seen, log_p = predicted(theta, counts)
    p, n = np.exp(log_p), counts.outcomes.sum(1)
    lead, tie = p[:, 0] - p[:, 1], p[:, 2]
    slope_h = (counts.outcomes[:, 0] - counts.outcomes[:, 1] - n * lead) / 2
    slope_ties = counts.outcomes[:, 2] - n * tie
    in_h, crossed = n * (1 - tie - lead**2) / 4, -n * lead * tie / 2
    in_ties = n * tie * (1 - tie)

    def added(place: Int[np.ndarray, " R"], values: Any, *shape: int) -> np.ndarray:
        return np.bincount(place, values, math.prod(shape)).reshape(shape)

    unit = np.exp(theta[number::3])[judge]
    of_h = [(counts.first, unit), (counts.second, -unit)]  # slopes of h in G
    for place, x in enumerate(counts.x.T):
        of_h.append((np.full(len(n), counts.systems + place), x))
    slope, of_shared = np.zeros(number), np.zeros((number, number))
    between, of_judge = np.zeros((judges, 3, number)), np.zeros((judges, 3, 3))
    for column, values in of_h:
        slope += added(column, values * slope_h, number)
        for other, others in of_h:
            pair = column * number + other
            of_shared += added(pair, in_h * values * others, number, number)
        for trait, weight in enumerate((in_h * seen, in_h, crossed)):
            cell = judge * number + column
            between[:, trait] += added(cell, weight * values, judges, number)
    within = {
        (0, 0): in_h * seen**2,
        (0, 1): in_h * seen,
        (0, 2): crossed * seen,
        (1, 1): in_h,
        (1, 2): crossed,
        (2, 2): in_ties,
    }
    for (row, slot), values in within.items():
        summed = added(judge, values, judges)
        of_judge[:, row, slot] = of_judge[:, slot, row] = summed
    traits = [
        added(judge, each, judges) for each in (seen * slope_h, slope_h, slope_ties)
    ]
    slope = np.concatenate([slope, np.stack(traits, 1).ravel()])
    return Slopes(slope, of_shared, between, of_judge)


def curvature(
    theta: Float[np.ndarray, " P"],
    counts: Counts,
    prior: tuple[csr_array, Float[np.ndarray, " P"]],
) -> Curvature:
    """Return slopes and the expected curvature at parameters."""
    slope, of_shared, between, of_judge = information(theta, counts)
    number, (matrix, centre) = counts.shared, prior
    of_prior = (matrix.T @ matrix).tocsr()
    inverse = np.linalg.inv(of_judge + of_prior[number:, number:].tobsr((3, 3)).data)
    between = between + of_prior[number:, :number].toarray().reshape(between.shape)
    back = (inverse @ between).reshape(-1, number)
    whole = of_shared + of_prior[:number, :number].toarray()
    factor = np.linalg.cholesky(whole - between.reshape(-1, number).T @ back)
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
    covariance, blocks = at.curvature.covariance()
    score, _, group, judge = counts.parts(at.theta)
    number, weight, usual = counts.systems, prior.weight, prior.traits
    total = score @ score + np.trace(covariance[:number, :number])
    means = counts.means
    places = counts.shared + np.arange(means.size).reshape(means.shape)
    apart = (judge - group[counts.group_of]) ** 2 + _variances(blocks)
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
        # Of the two roots the symmetric one, which no sign of a vector changes.
        root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
        normal = np.random.default_rng(seed).normal(size=(_DRAWS, len(centre)))
        draws = centre + normal @ root
    drawn, best = counts.parts(draws), counts.parts(at.theta)
    return Estimate(
        score=best.score - best.score.mean(),
        judge_traits=best.judge,
        judge_errors=np.sqrt(_variances(at.curvature.covariance()[1])),
        score_draws=drawn.score - drawn.score.mean(1, keepdims=True),
        group_draws=drawn.group,
        coefficient_draws=drawn.coefficient,
    )


def _variances(blocks: Float[np.ndarray, "J 3 3"]) -> Float[np.ndarray, "J 3"]:
    return np.maximum(np.einsum("jtt->jt", blocks), 0.0)


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
