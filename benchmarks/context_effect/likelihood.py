r"""The likelihood of answers that a similar label, if it is there, makes likelier.

Latent trait, thresholds and components are those of the model `contains`. Of a label
*i* that is absent, and a rival that is there (:math:`z_r = 1`) or not,

.. math::

   \mathrm{logit}\, p(y_{ij} \ge \text{maybe} \mid z_i = 0, z_r) =
   a_j (s_i - t_{jg} + w_j) + x_{ij}^{(z_r)\top} \theta

and likewise for *yes*; labels that are there are answered as ever. The two are looked
at together, each the other's rival: their appearances are summed out, and then the four
states that they can be in,

.. math::

   p(z_i, z_r) \propto \exp(z_i o_i + z_r o_r + \kappa z_i z_r).

The shift is in log-odds: :math:`\theta` are logarithms of odds ratios, of one annotator
before one label. With more than two similar labels of an item the product over all twos
is a composite likelihood, whose errors are those of the clusters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.nn import logsumexp, sigmoid
from jaxtyping import Array, Float, Int

from consilience.truth.incidence import Incidence
from consilience.truth.pytree import pytree

ROWS = 10_000  # answers averaged together
FAR = 50.0  # log-odds at which an answer is sure


class Shifts(NamedTuple):
    """What is added to log-odds of answers, of presence, and of both being there."""

    without: Float[Array, " N"]
    with_rival: Float[Array, " N"]
    odds: Float[Array, "E 2"]
    both: Float[Array, " E"]


@pytree()
@dataclass(frozen=True, slots=True)
class Scale:
    """The latent trait as fitted: annotators' thresholds and components, on nodes.

    Attributes
    ----------
    low, high
        Log-odds of at least maybe, and of yes, of each annotator and group.
    lapse
        Probability of an answer without looking.
    absent, present
        log p(trait) of each group in the two components.
    """

    low: Float[Array, "J G T"]
    high: Float[Array, "J G T"]
    lapse: Float[Array, " J"]
    absent: Float[Array, "G T"]
    present: Float[Array, "G T"]


@pytree()
@dataclass(frozen=True, slots=True)
class Risk:
    """Answers about labels that have a rival; two sides to every two.

    Attributes
    ----------
    of_side
        Sides x answers.
    annotator, group, answer
        Of each answer; the group of its label.
    side_group, odds
        Of each side: the group of its label, and prior log-odds of presence.
    weight
        One, or zero for what fills up a block.
    """

    of_side: Incidence
    annotator: Int[Array, " N"]
    group: Int[Array, " N"]
    answer: Int[Array, " N"]
    side_group: Int[Array, "E 2"]
    odds: Float[Array, "E 2"]
    weight: Float[Array, " E"]


def log_likelihood(
    scale: Scale, risk: Risk, shifts: Shifts
) -> tuple[Float[Array, ""], Float[Array, "E 2"]]:
    """Return the log-likelihood, and P(absent, rival there) of each side."""
    absent, present = (
        component[risk.side_group] for component in (scale.absent, scale.present)
    )

    def marginal(component: Float[Array, "E 2 T"], shift: Any) -> Float[Array, "E 2"]:
        log_answers = risk.of_side @ _log_probability(scale, risk, shift)
        return logsumexp(component + log_answers.reshape(component.shape), axis=2)

    there = marginal(present, None)
    away, led = marginal(absent, shifts.without), marginal(absent, shifts.with_rival)
    odds = risk.odds + shifts.odds
    nothing = jnp.zeros(len(odds))
    all_there = odds.sum(1) + shifts.both
    states = jnp.stack([nothing, odds[:, 0], odds[:, 1], all_there], 1)
    answers = jnp.stack(
        [
            away.sum(1),
            there[:, 0] + led[:, 1],
            led[:, 0] + there[:, 1],
            there.sum(1),
        ],
        1,
    )
    whole = logsumexp(states + answers, axis=1)
    belief = jnp.exp(states + answers - whole[:, None])
    value = whole - logsumexp(states, axis=1)
    return (risk.weight * value).sum(), risk.weight[:, None] * belief[:, 2:0:-1]


def _log_probability(
    scale: Scale, risk: Risk, shift: Float[Array, " N"] | None
) -> Float[Array, "N T"]:
    """Return log p(answer) at each node, the log-odds shifted."""
    answer = risk.answer[:, None]
    low = scale.low[risk.annotator, risk.group]
    high = scale.high[risk.annotator, risk.group]
    if shift is not None:
        low, high = low + shift[:, None], high + shift[:, None]
    above = jnp.where(answer == 0, FAR, jnp.where(answer == 1, low, high))
    below = jnp.where(answer == 0, low, jnp.where(answer == 1, high, -FAR))
    looked = sigmoid(above) - sigmoid(below)
    lapse = scale.lapse[risk.annotator][:, None]
    return jnp.log(lapse / 3 + (1 - lapse) * looked)


@jax.jit
def slopes(
    scale: Scale, risk: Risk, shifts: Shifts
) -> tuple[Float[Array, ""], Float[Array, "E 2"], Shifts]:
    """Return the log-likelihood, P(absent, rival there), and how it rises with each."""
    (value, led), rise = jax.value_and_grad(
        lambda each: log_likelihood(scale, risk, each), has_aux=True
    )(shifts)
    return value, led, rise


@jax.jit
def false_yes(
    scale: Scale,
    annotator: Int[Array, " N"],
    group: Int[Array, " N"],
    shift: Float[Array, " N"],
) -> tuple[Float[Array, " N"], Float[Array, " N"]]:
    """Return how often an absent label gets a yes, and how that rises with the shift.

    Averaged is over appearances of absent labels of the group.
    """
    lapse = scale.lapse[annotator]

    def one(part: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        who, which, more = part
        weight = jnp.exp(scale.absent[which])
        chance = sigmoid(scale.high[who, which] + more)
        return weight @ chance, weight @ (chance * (1 - chance))

    rate, rise = jax.lax.map(one, (annotator, group, shift), batch_size=ROWS)
    return lapse / 3 + (1 - lapse) * rate, (1 - lapse) * rise
