r"""How much labels look to be there: the latent trait of `contains`, on a grid, by EM.

.. math::

   \mathrm{logit}\, p(y_{ij} \ge \text{maybe} \mid s_i) = a_j (s_i - t_j + w_j), \qquad
   \mathrm{logit}\, p(y_{ij} = \text{yes} \mid s_i) = a_j (s_i - t_j - w_j), \qquad
   s_i \sim \sum_k \pi_k N(\mu_k, \sigma_k^2), \quad k = 0, 1,

and one answer in fifty comes without looking. It is the model `contains` without
groups, covariates, and what labels of one item have in common, so that it is fitted
without compiling anything. On the grid the posterior is exact:

.. math::

   q_i(t) \propto \sum_k \pi_{ik} f_k(t) \prod_j p(y_{ij} \mid t).

What is known of a pair, such as a gold label, is in :math:`\pi_{ik}`.

**Present** is what looks more like the upper component than like the lower one, or, as
far as the two overlap, what is above the most informative cut: :math:`P(\text{present}
\mid s)`, with the weight *h* of the cut, is that of `contains` (see there). Where *h*
is large, the trait says little of what is there and what is not.

**In the M-step** annotators are independent of each other: two steps of Newton, with
the expected information, in :math:`(\log a_j, t_j, \log w_j)` under a normal prior,
whose standard deviations and typical width are learned:

.. math::

   \sigma_k^2 = \frac{\sum_j (\theta_{jk} - m_k)^2 + v_{jk} + 4 s_k^2}{J + 4},

where *v* is the variance that the information leaves. The five parameters of the
components take some steps of BFGS. Appearances are not normal, so that with many pairs
the likelihood would fit two components to their shape, whatever is there. So all pairs
together count as fewer than 100, their log-likelihood having the weight :math:`100 /
(100 + n)`, as in a coarsened posterior. The prior of the share is that of `contains`, a
quarter, or what two other models say if that is less.

References
----------
Samejima (1969), Estimation of latent ability using a response pattern of graded
scores, chapter 3.
Bock and Aitkin (1981), Marginal maximum likelihood estimation of item parameters.
Miller and Dunson (2019), Robust Bayesian inference via coarsening.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped
from scipy.sparse import csr_array, vstack

from consilience.truth import ContainsSpace
from consilience.when_used import special, xr

NODES = np.linspace(-9.0, 9.0, 19)
CELL = NODES[1] - NODES[0]
ANSWERS = 3
LAPSE = 0.02  # share of answers without looking
CONTRARY = 0.0075  # chance that what surely looks to be there is not
MIN_SLOPE, ALMOST, TINY = 0.2, 1e-3, 1e-12  # as in `contains`
SURE = 20.0  # log-odds of a gold label
TRAIT = "latent_trait"
# Priors, as in `contains`: the typical width of maybe, and standard deviations of the
# logarithm of the slope, of the threshold and of the logarithm of the width.
WIDTH, WIDTH_SPREAD = -0.5, 0.5
SPREAD, SPREAD_WEIGHT = np.array([0.4, 1.0, 0.7]), 4
# Logarithms of the distances of both means from zero and of the standard deviation,
# logarithm of the ratio of these, and log-odds of the upper component.
LOOKS = np.array([np.log(2.5), np.log(2.5), np.log(1.8), 0.0, -np.log(3)])
LOOKS_SPREAD = np.array([0.45, 0.45, 0.4, 0.8, 0.5])
# Chosen with all simulated kinds, relations and images in view.
PAIRS = 100  # as many as all pairs count, at most, for what the components are
ROUNDS, NEWTON, LONGEST = 60, 2, 0.7
ENOUGH = 1e-6  # relative change of the log-likelihood
LEAST = 1e-4  # of a share
MOST = 1_000_000  # answers from which parameters are learned


class Trait(NamedTuple):
    """Parameters: of annotators, of components, and of a typical annotator."""

    annotators: Shaped[np.ndarray, " J"]
    style: Float[np.ndarray, "J 3"]
    asked: Float[np.ndarray, " J"]
    looks: Float[np.ndarray, " 5"]
    width: float

    def styles_of(
        self, annotators: Shaped[np.ndarray, " I"]
    ) -> Float[np.ndarray, "I 3"]:
        """Return the parameters of annotators; of new ones, those that are typical."""
        place = pd.Index(self.annotators.astype(str)).get_indexer(
            annotators.astype(str)
        )
        typical = np.array([0.0, 0.0, self.width])
        return np.vstack([self.style, typical])[place]


class Looks(NamedTuple):
    """Both components: means, standard deviations, shares, and p(k, node)."""

    mean: Float[np.ndarray, " 2"]
    deviation: Float[np.ndarray, " 2"]
    share: Float[np.ndarray, " 2"]
    joint: Float[np.ndarray, "2 T"]


class Seen(NamedTuple):
    """Presence by the trait: of each pair, and the weight of the informative cut."""

    present: Float[np.ndarray, " U"]
    by_cut: float


def read(space: ContainsSpace, trait: Trait) -> Seen:
    """Return P(present) of pairs."""
    likely, _ = answer_tables(trait.styles_of(space.annotators))
    looks = looks_of(trait.looks)
    odds, row = np.unique(known_odds(space), return_inverse=True)
    belief = special.softmax(
        answer_counts(space) @ by_cell(np.log(likely)) + node_prior(looks, odds)[row], 1
    )
    of_fit, _ = answer_tables(trait.style)
    asked = np.einsum("j,jlt->lt", trait.asked, of_fit)
    meant, by_cut = presence(looks, asked)
    moved = special.expit(special.logit(meant) + odds[:, None])[row]
    return Seen((belief * moved).sum(1), by_cut)


def looks_of(looks: Float[np.ndarray, " 5"]) -> Looks:
    """Return the components on the grid, no narrower than half a cell."""
    lower, upper, scale, ratio, share = looks
    mean = np.array([-np.exp(lower), np.exp(upper)])
    deviation = np.exp(scale + np.array([-ratio, ratio]) / 2)
    deviation = np.hypot(deviation, CELL / 2)
    shape = -0.5 * ((NODES - mean[:, None]) / deviation[:, None]) ** 2
    shares = special.expit(np.array([-share, share]))
    return Looks(mean, deviation, shares, shares[:, None] * special.softmax(shape, 1))


def presence(
    looks: Looks, asked: Float[np.ndarray, "L T"]
) -> tuple[Float[np.ndarray, " T"], float]:
    """Return P(present) at the nodes, and the weight of the informative cut."""
    (low, high), deviation = looks.mean, looks.deviation
    half, precision = (high - low) / 2, deviation**-2.0
    # The log-odds of the upper component are a parabola around the middle of the means.
    bend = (precision[0] - precision[1]) / 2
    level = np.log(looks.share[1] / looks.share[0] * deviation[0] / deviation[1])
    level += bend * half**2
    middle = half * precision.sum()
    slope = np.sqrt(max(middle**2 - 4 * bend * level, MIN_SLOPE**2))
    boundary = (low + high) / 2 - 2 * level / max(middle + slope, MIN_SLOPE)
    joint = np.maximum(looks.joint, TINY)
    density = joint.sum(0)
    unknown = special.entr(joint).sum() - special.entr(density).sum()
    by_cut = (1 - (1 - unknown / special.entr(looks.share).sum()) ** 2) ** 4
    places = (boundary, _informative(asked * density))
    state, cut = (special.expit(slope * (NODES - place)) for place in places)
    present = (1 - by_cut) * state + by_cut * cut
    return CONTRARY + (1 - 2 * CONTRARY) * present, float(by_cut)


def _informative(joint: Float[np.ndarray, "L T"]) -> float:
    """Return the cut of the trait that tells most about an answer."""
    above = joint[:, ::-1].cumsum(1)[:, ::-1]
    both = np.maximum(np.stack([joint.sum(1, keepdims=True) - above, above]), TINY)
    information = special.entr(both.sum(1)).sum(0) - special.entr(both).sum((0, 1))
    return float(special.softmax(information / ALMOST) @ (NODES - CELL / 2))


def answer_tables(
    style: Float[np.ndarray, "J 3"],
) -> tuple[Float[np.ndarray, "J L T"], Float[np.ndarray, "J L T 3"]]:
    """Return p(answer | node) of each annotator, and its gradient."""
    slope, threshold, width = style[:, :1], style[:, 1:2], style[:, 2:]
    slope, width = np.exp(slope), np.exp(width)
    bounds = [slope * (NODES - threshold + side * width) for side in (1, -1)]
    least, yes = (special.expit(bound) for bound in bounds)
    likely = np.stack([1 - least, least - yes, yes], 1)
    flat = np.broadcast_to(-slope, least.shape)
    gradients = [
        (chance * (1 - chance) * (1 - LAPSE))[..., None]
        * np.stack([bound, flat, side * slope * width + 0 * flat], -1)
        for bound, chance, side in zip(bounds, (least, yes), (1, -1), strict=True)
    ]
    gradient = np.stack([-gradients[0], gradients[0] - gradients[1], gradients[1]], 1)
    return likely * (1 - LAPSE) + LAPSE / ANSWERS, gradient


def by_cell(tables: Float[np.ndarray, "J L T"]) -> Float[np.ndarray, "JL T"]:
    """Return tables with a row for each annotator and answer."""
    return tables.reshape(-1, len(NODES))


def answer_counts(space: ContainsSpace) -> csr_array:
    """Return how often each annotator gave each answer about each pair."""
    column = space.annotator.astype(np.int64) * ANSWERS + space.answer
    shape = (space.num_units, len(space.annotators) * ANSWERS)
    return csr_array((space.n.astype(float), (space.unit, column)), shape=shape)


def known_odds(space: ContainsSpace) -> Float[np.ndarray, " U"]:
    """Return what is known of pairs without answers, in log-odds, to a tenth."""
    odds = space.log_prior[:, -1] - space.log_prior[:, 0]
    odds = np.round(np.clip(odds, -SURE, SURE), 1)
    return np.broadcast_to(odds, space.num_units)


def node_prior(looks: Looks, odds: Float[np.ndarray, " R"]) -> Float[np.ndarray, "R T"]:
    """Return log p(node) of pairs of which so much is known."""
    absent, present = np.log(looks.joint + TINY**2)
    return np.logaddexp(
        special.log_expit(-odds)[:, None] + absent,
        special.log_expit(odds)[:, None] + present,
    )


def stored(trait: Trait) -> xr.Dataset:
    """Return the parameters as a group of a fit."""
    return xr.Dataset(
        {
            "style": (("annotator", "parameter"), trait.style),
            "asked": ("annotator", trait.asked),
            "looks": ("look", trait.looks),
        },
        {"annotator": trait.annotators.astype(str)},
        {"width": trait.width},
    )


def restored(group: xr.Dataset) -> Trait:
    """Return the parameters that a fit keeps."""
    names = ("annotator", "style", "asked", "looks")
    annotators, style, asked, looks = (group[name].to_numpy() for name in names)
    return Trait(annotators, style, asked, looks, float(group.attrs["width"]))


def learn(spaces: Iterable[ContainsSpace], number: int, share: float) -> Trait:
    """Learn the trait from so many answers; such a share of pairs may be present."""
    start = LOOKS.copy()
    start[4] = min(start[4], special.logit(max(share, LEAST)))
    every, parts = -(-number // MOST), []
    for space in spaces:
        parts.append((answer_counts(space)[::every], known_odds(space)[::every]))
        annotators = space.annotators
    counts = vstack([part for part, _ in parts], format="csr")
    log_odds = np.concatenate([part for _, part in parts])
    odds, row = np.unique(log_odds, return_inverse=True)
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
