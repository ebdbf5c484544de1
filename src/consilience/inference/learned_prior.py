"""Concentrations of Dirichlet priors, learned from the counts of all who share one.

A fixed-point step for the Dirichlet-multinomial (Minka 2000, equation 55), with a Gamma
hyperprior whose mode is the start, and a leap on from two of them. Each is an ascent.
"""

import jax.numpy as jnp
from jax.scipy.special import digamma
from jaxtyping import Array, Bool, Float

from consilience.inference.leap import leap
from consilience.model import Dirichlet

FIXED_POINT_STEPS = 2  # a sweep; a leap goes on from them


def hyperprior(
    prior: Dirichlet, concentration: Float[Array, "*shared L"]
) -> Float[Array, ""]:
    """Return the log density of a learned concentration, up to a constant.

    Parameters
    ----------
    prior
        The prior; nothing is learned where it is not held.
    concentration
        Where it is.
    """
    if prior.held is None:
        return jnp.asarray(0.0)
    start = prior.concentration
    return prior.held * (start * jnp.log(concentration) - concentration).sum()


def learn(
    prior: Dirichlet,
    concentration: Float[Array, "*shared L"],
    counts: Float[Array, "*batch L"],
    late: Bool[Array, ""],
) -> Float[Array, "*shared L"]:
    """Return the concentration further up, where it is learned.

    Parameters
    ----------
    prior
        The prior.
    concentration
        Where it is.
    counts
        Expected counts of every vector that shares it.
    late
        Whether the counts no longer echo the first guess; until then it stays.
    """
    if prior.held is None:
        return concentration
    learned = concentration
    path = [concentration]
    for _ in range(FIXED_POINT_STEPS):
        total = learned.sum(-1, keepdims=True)
        gain = digamma(counts + learned) - digamma(learned)
        cost = digamma(counts.sum(-1, keepdims=True) + total) - digamma(total)
        learned = (
            learned * over_shared(gain, concentration)
            + prior.held * prior.concentration
        ) / (over_shared(cost, concentration[..., :1]) + prior.held)
        path.append(learned)
    return jnp.where(late, leap(prior, counts, path), concentration)


def over_shared(
    values: Float[Array, "*batch L"], concentration: Float[Array, "*shared L"]
) -> Float[Array, "*shared L"]:
    """Sum over the axes along which vectors share one concentration."""
    leading = values.ndim - concentration.ndim
    summed = values.sum(tuple(range(leading)))
    alike = tuple(
        axis for axis in range(concentration.ndim - 1) if concentration.shape[axis] == 1
    )
    return summed.sum(alike, keepdims=True)
