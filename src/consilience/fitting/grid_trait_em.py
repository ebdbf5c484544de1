r"""Parameters of the latent trait on a grid, by expectation maximization.

The grid makes the E-step exact. In the M-step annotators are independent of each other:
two steps of Newton, with the expected information, in :math:`(\log a_j, t_j, \log w_j)`
under a normal prior, whose standard deviations and typical width are learned:

.. math::

   \sigma_k^2 = \frac{\sum_j (\theta_{jk} - m_k)^2 + v_{jk} + 4 s_k^2}{J + 4},

where *v* is the variance that the information leaves. The parameters of the components,
of which there are five, take some steps of BFGS.

**Few pairs say what the components are.** Appearances are not normal, so that with many
pairs the likelihood would fit two components to their shape, whatever is there: of
190,000 pairs of labels and images one in ten would be present, by experts more than one
in five. So all pairs together count as fewer than 100, their log-likelihood having the
weight :math:`100 / (100 + n)`, as in a coarsened posterior. The prior of the share is
that of `contains`, a quarter, or what two other models say if that is less.

References
----------
Bock and Aitkin (1981), Marginal maximum likelihood estimation of item parameters.
Miller and Dunson (2019), Robust Bayesian inference via coarsening.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float, Int, Shaped
from scipy.sparse import csr_array, vstack

from consilience.fitting.grid_trait import (
    ANSWERS,
    NODES,
    Trait,
    answer_counts,
    answer_tables,
    by_cell,
    known_odds,
    looks_of,
    node_prior,
)
from consilience.truth import ContainsSpace
from consilience.when_used import special

# Priors, as in `contains`: the typical width of maybe, and standard deviations of the
# logarithm of the slope, of the threshold and of the logarithm of the width.
WIDTH, WIDTH_SPREAD = -0.5, 0.5
SPREAD, SPREAD_WEIGHT = np.array([0.4, 1.0, 0.7]), 4
# Logarithms of the distances of both means from zero and of the standard deviation,
# logarithm of the ratio of these, and log-odds of the upper component.
LOOKS = np.array([np.log(2.5), np.log(2.5), np.log(1.8), 0.0, -np.log(3)])
LOOKS_SPREAD = np.array([0.45, 0.45, 0.4, 0.8, 0.5])
# Chosen, as the spread of the share was, with all simulated kinds, relations and images
# in view. With 300 and 1,000 images of five raters lose .006 and .008.
PAIRS = 100  # as many as all pairs count, at most, for what the components are
ROUNDS, NEWTON, LONGEST = 60, 2, 0.7
ENOUGH = 1e-6  # relative change of the log-likelihood
LEAST = 1e-4  # of a share
MOST = 1_000_000  # answers from which parameters are learned


def learn(spaces: Iterable[ContainsSpace], number: int, share: float) -> Trait:
    """Learn the trait from so many answers; such a share of pairs may be present."""
    expected = LOOKS.copy()
    expected[4] = min(expected[4], special.logit(max(share, LEAST)))
    every = -(-number // MOST)
    parts = []
    for space in spaces:
        parts.append((answer_counts(space)[::every], known_odds(space)[::every]))
        annotators = space.annotators
    counts = vstack([part for part, _ in parts], format="csr")
    log_odds = np.concatenate([part for _, part in parts])
    odds, row = np.unique(log_odds, return_inverse=True)
    return _ascend(counts, odds, row, annotators, expected)


def _ascend(
    counts: csr_array,
    odds: Float[np.ndarray, " R"],
    row: Int[np.ndarray, " U"],
    annotators: Shaped[np.ndarray, " J"],
    start: Float[np.ndarray, " 5"],
) -> Trait:
    """Learn the parameters by EM."""
    answered = np.asarray(counts.sum(0)).reshape(-1, ANSWERS).sum(1)
    by_pair, width, spread, looks = counts.T.tocsr(), WIDTH, SPREAD, start
    style = np.tile([0.0, 0.0, WIDTH], (len(answered), 1))
    rows = csr_array((np.ones(len(row)), (row, np.arange(len(row)))))
    before, coarse = -np.inf, PAIRS / (PAIRS + len(row))
    for _ in range(ROUNDS):
        scores = counts @ by_cell(np.log(answer_tables(style)[0]))
        scores += node_prior(looks_of(looks), odds)[row]
        likely = special.logsumexp(scores, 1)
        belief = np.exp(scores - likely[:, None])
        expected = (by_pair @ belief).reshape(-1, ANSWERS, len(NODES))
        mean = np.array([0.0, 0.0, width])
        style, error = _newton(style, expected, mean, spread)
        total = ((style - mean) ** 2 + error).sum(0) + SPREAD_WEIGHT * SPREAD**2
        spread = np.sqrt(total / (len(style) + SPREAD_WEIGHT))
        weight = spread[2] ** -2.0, WIDTH_SPREAD**-2.0
        width = (style[:, 2].sum() * weight[0] + WIDTH * weight[1]) / (
            len(style) * weight[0] + weight[1]
        )
        looks = _components(looks, start, odds, coarse * (rows @ belief))
        if abs(likely.sum() - before) < ENOUGH * abs(before):
            break
        before = likely.sum()
    asked = answered / answered.sum()
    return Trait(annotators, style, asked, looks, float(width))


def _newton(
    style: Float[np.ndarray, "J 3"],
    expected: Float[np.ndarray, "J L T"],
    mean: Float[np.ndarray, " 3"],
    spread: Float[np.ndarray, " 3"],
) -> tuple[Float[np.ndarray, "J 3"], Float[np.ndarray, "J 3"]]:
    """Return better parameters of annotators, and their variances."""
    number = expected.sum(1)
    for _ in range(NEWTON):
        likely, gradient = answer_tables(style)
        slope = np.einsum("jlt,jltk->jk", expected / likely, gradient)
        slope -= (style - mean) / spread**2
        scaled = gradient * np.sqrt(number[:, None] / likely)[..., None]
        scaled = scaled.reshape(len(style), -1, 3)
        information = scaled.mT @ scaled + np.diag(spread**-2.0)
        step = np.linalg.solve(information, slope[..., None])[..., 0]
        style = style + np.clip(step, -LONGEST, LONGEST)
    variance = np.linalg.inv(information).diagonal(axis1=1, axis2=2)
    return style, variance


def _components(
    looks: Float[np.ndarray, " 5"],
    expected: Float[np.ndarray, " 5"],
    odds: Float[np.ndarray, " R"],
    weight: Float[np.ndarray, "R T"],
) -> Float[np.ndarray, " 5"]:
    """Return better components, given how often the trait is at each node."""
    from scipy.optimize import minimize  # noqa: PLC0415 (takes long to be loaded)

    def loss(looks: Float[np.ndarray, " 5"]) -> float:
        away = (looks - expected) / LOOKS_SPREAD
        return float(
            0.5 * away @ away - (weight * node_prior(looks_of(looks), odds)).sum()
        )

    return minimize(loss, looks, options={"maxiter": 8}).x
