r"""Whether a ranking is to be trusted, and how well each comparison is predicted.

**Leave-one-out.** Without a comparison of slope :math:`r` and curvature :math:`W` in
:math:`(h, \log\nu)`, whose covariance is :math:`A`, both move by one step of Newton,

.. math:: -(I - A W)^{-1} A r,

with scales held (Rad and Maleki 2020, section 2).

**Checks.** *pairs*: the wins of each two systems are added up, less what is expected;
one scale describes them if their squares, in units of their variance, are as a
chi-squared. Variances are those between items where these are the greater. *groups*:
scores by each two groups of judges are the same, but for their unit. *rhat*: chains of
the engine nuts agree.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from scipy.linalg import pinvh
from scipy.special import chdtrc

from consilience.checks.verdict import Verdict, at_least, at_most, cannot_tell
from consilience.comparisons import laplace
from consilience.comparisons.model import Counts, design, predicted
from consilience.comparisons.record import FIRST, SECOND, Comparisons
from consilience.inference.mixing import RHAT, convergence
from consilience.when_used import optimize

CHAINS = 2  # of the engine nuts
_SURE = 0.01  # p-value below which a check fails
_BLOCK = 2**22  # numbers of covariances at once: 32 MiB


class Scored(NamedTuple):
    """Scores by a group of judges, and their covariance."""

    group: str
    systems: tuple[str, ...]
    mean: Float[np.ndarray, " I"]
    covariance: Float[np.ndarray, "I I"]


def left_out(
    at: laplace.Mode, counts: Counts, outcome: Int[np.ndarray, " N"]
) -> Float[np.ndarray, " N"]:
    """Return the log probability of each comparison given all others."""
    _, _, log_p = design(at.theta, counts)
    p = np.exp(log_p)
    lead, tie = p[:, FIRST] - p[:, SECOND], p[:, 2]
    crossed = -lead * tie / 2
    curve = np.array([[(1 - tie - lead**2) / 4, crossed], [crossed, tie * (1 - tie)]])
    spread = _covariance(at, counts)
    moves = np.linalg.inv(np.eye(2) - spread @ curve.transpose(2, 0, 1)) @ spread
    every = np.empty_like(log_p)
    for won, (side, tied) in enumerate(((1, 0), (-1, 0), (0, 1))):
        slope = np.stack([(side - lead) / 2, tied - tie], 1)
        step = (moves @ slope[:, :, None])[:, :, 0]
        # Log probabilities change by the logits' change, less what normalizes them.
        change = np.stack([-step[:, 0] / 2, step[:, 0] / 2, -step[:, 1]], 1)
        logits = log_p + change
        every[:, won] = logits[:, won] - np.logaddexp.reduce(logits, 1)
    return every[counts.row, outcome]


def _covariance(at: laplace.Mode, counts: Counts) -> Float[np.ndarray, "R 2 2"]:
    """Return the covariance of h and of the log rate of ties of each row."""
    number = counts.shared
    of_h = design(at.theta, counts)[0][:, :number]  # slopes in what is of no judge
    seen, _ = predicted(at.theta, counts)
    columns, blocks = at.curvature.covariance()
    of_judge = columns[number:].reshape(-1, 3, number)
    spread = np.empty((len(seen), 2, 2))
    step = _BLOCK // (3 * number) + 1
    for start in range(0, len(seen), step):
        some = slice(start, start + step)
        judge, shared = counts.judge[some], of_h[some]
        traits = np.zeros((len(judge), 2, 3))  # slopes of both in the judge's traits
        traits[:, 0, 0], traits[:, 0, 1], traits[:, 1, 2] = seen[some], 1.0, 1.0
        spread[some] = traits @ blocks[judge] @ traits.swapaxes(1, 2)
        beside = traits @ of_judge[judge]
        crossed = shared.multiply(beside[:, 0]).sum(1)
        of_ties = shared.multiply(beside[:, 1]).sum(1)
        alone = shared.multiply(shared @ columns[:number]).sum(1)
        spread[some, 0, 0] += alone + 2 * crossed
        spread[some, 0, 1] += of_ties
        spread[some, 1, 0] += of_ties
    return spread


def one_scale(comparisons: Comparisons, p: Float[np.ndarray, "N 3"]) -> Verdict:
    """Check whether one score a system describes who beats whom."""
    turned = comparisons.first > comparisons.second
    low = np.where(turned, comparisons.second, comparisons.first)
    high = np.where(turned, comparisons.first, comparisons.second)
    pair = low * len(comparisons.systems) + high
    lead, won = p[:, FIRST] - p[:, SECOND], comparisons.outcome
    points = (won == FIRST).astype(float) - (won == SECOND) - lead
    rows = pd.DataFrame(
        {
            "pair": pair,
            "item": comparisons.item,
            "apart": np.where(turned, -points, points),
            "variance": 1 - p[:, 2] - lead**2,
        }
    )
    by_item = rows.groupby(["pair", "item"], sort=False)[["apart", "variance"]].sum()
    by_item["square"] = by_item["apart"] ** 2
    whole = by_item.groupby(level="pair").sum()
    variance = np.maximum(whole["variance"], whole["square"])
    square = float((whole["apart"] ** 2 / variance).sum())
    freedom = len(whole) - (len(comparisons.systems) - 1)
    if freedom < 1:
        how = "each system has too few opponents; compare more pairs of systems"
        return cannot_tell("pairs", _SURE, how)
    how = (
        "who beats whom does not follow one scale, so that some pairs differ from what "
        "the scores say; give what explains it (`covariates=`), or rank the systems "
        "by kind of item"
    )
    return at_least("pairs", float(chdtrc(freedom, square)), _SURE, how)


def agreeing_groups(scored: Iterator[Scored]) -> list[Verdict]:
    """Check whether groups of judges agree on the scores."""
    every = [*scored]
    if len(every) < 2:
        return []
    compared = [
        (_apart(one, other), one, other) for one, other in combinations(every, 2)
    ]
    least, one, other = min(compared, key=lambda each: each[0])
    how = (
        f"groups {one.group!r} and {other.group!r} rank the systems differently; fit "
        "the comparisons of the group whose opinion counts"
    )
    return [at_least("groups", min(1.0, least * len(compared)), _SURE, how)]


def _apart(one: Scored, other: Scored) -> float:
    """Return the p-value that scores of two groups are the same, but for their unit."""
    place = pd.Index(other.systems).get_indexer(pd.Index(one.systems))
    both, there = np.flatnonzero(place >= 0), place[place >= 0]
    if len(both) < 3:
        return 1.0
    centre = np.eye(len(both)) - 1 / len(both)
    first, second = centre @ one.mean[both], centre @ other.mean[there]
    of_first = centre @ one.covariance[np.ix_(both, both)] @ centre
    of_second = centre @ other.covariance[np.ix_(there, there)] @ centre

    def square(log_unit: float) -> float:
        unit = np.exp(log_unit)
        gap = first - unit * second
        return float(gap @ pinvh(of_first + unit**2 * of_second) @ gap)

    least = optimize.minimize_scalar(square, bounds=(-2.0, 2.0), method="bounded").fun
    return float(chdtrc(len(both) - 2, least))


def mixed_chains(draws: Float[np.ndarray, "D I"]) -> Verdict:
    """Check whether the chains of scores agree, which stand end to end."""
    by_chain = draws.reshape(CHAINS, -1, draws.shape[1])
    worst = float(np.nanmax(convergence(by_chain).rhat))
    return at_most("rhat", worst, RHAT, "chains disagree; take the engine laplace")
