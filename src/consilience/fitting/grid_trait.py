r"""How much labels look to be there: the latent trait of `contains`, on a grid, by EM.

.. math::

   \mathrm{logit}\, p(y_{ij} \ge \text{maybe} \mid s_i) = a_j (s_i - t_j + w_j), \qquad
   \mathrm{logit}\, p(y_{ij} = \text{yes} \mid s_i) = a_j (s_i - t_j - w_j), \qquad
   s_i \sim \sum_k \pi_k N(\mu_k, \sigma_k^2), \quad k = 0, 1,

and one answer in fifty comes without looking. It is the model `contains` without
groups, covariates, and what labels of one item have in common, so that it is fitted
without compiling anything (`grid_trait_em`). On the grid the posterior is exact:

.. math::

   q_i(t) \propto \sum_k \pi_{ik} f_k(t) \prod_j p(y_{ij} \mid t).

What is known of a pair, such as a gold label, is in :math:`\pi_{ik}`.

**Present** is what looks more like the upper component than like the lower one, or, as
far as the two overlap, what is above the most informative cut: :math:`P(\text{present}
\mid s)`, with the weight *h* of the cut, is that of `contains` (see there). Where *h*
is large, the trait says little of what is there and what is not.

References
----------
Samejima (1969), Estimation of latent ability using a response pattern of graded
scores, chapter 3.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped
from scipy.sparse import csr_array

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
