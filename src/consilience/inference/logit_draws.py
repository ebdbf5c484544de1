r"""Draws of prevalence and the weights of columns, given the truth: exact in the limit.

The truth of a unit, given its list, is drawn from a multinomial logit
(`model.prior_of_truth`) with :math:`\lambda_k \sim \mathrm{Gamma}(a_k, 1)` in the stead
of the prevalence, whose shares it is. With an exponential variable for each unit,

.. math::

   t_u \sim \mathrm{Exp}\Big(\sum_{s \in C_u} \lambda_s e^{x_{us}^\top \beta}\Big),
   \qquad
   \lambda_k \mid z, t \sim \mathrm{Gamma}\Big(a_k + n_k,\
   1 + \sum_u t_u e^{x_{uk}^\top \beta}\Big).

Weights take random-walk steps, as wide as the posterior given the truth is there where
the climb has ended; with each, prevalence moves so that the labels keep their shares.

References
----------
Caron and Doucet (2012), Efficient Bayesian inference for generalized Bradley-Terry
models, section 3.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from consilience.inference.gamma import log_gamma
from consilience.inference.logit_step import log_density
from consilience.model import (
    PREVALENCE,
    SPREAD,
    WEIGHT,
    Parameters,
    log_logit,
    over_labels,
)
from consilience.truth import Observations

STEPS = 10  # of the weights in a sweep, each of a size drawn anew between these
SIZES = (-3.0, 1.0)  # powers of two, about 2.4 over the root of the number of columns


class Told(NamedTuple):
    """What the truth says of the logit: units of each state, and sums of columns."""

    units: Float[Array, " K"]
    sums: Float[Array, " P"]


class Walk(NamedTuple):
    """How steps go: their shape, and how prevalence moves with each weight."""

    shape: Float[Array, "P P"]
    along: Float[Array, "K P"]


def told_by(observations: Observations, truth: Float[Array, "U S"]) -> Told:
    """Return what a truth, or a belief of it, says of the logit."""
    known = observations.beforehand
    assert known is not None  # noqa: S101 (asked by the caller)
    sums = jnp.einsum("us,usp->p", truth, known.value)
    return Told(over_labels(observations, truth), sums)


def walk(observations: Observations, logit: Parameters) -> Walk:
    """Return steps that suit the posterior of the weights, were the truth known."""
    known = observations.beforehand
    assert known is not None  # noqa: S101 (asked by the caller)
    share = jnp.exp(log_logit(observations, logit))

    def centred(value: Float[Array, "U S P"]) -> Float[Array, "U S P"]:
        return value - jnp.einsum("us,usp->up", share, value)[:, None]

    away = centred(known.value)
    weighed = [
        over_labels(observations, share * away[:, :, column])
        for column in range(known.value.shape[2])
    ]
    spread = over_labels(observations, share * (1 - share)) + jnp.exp(logit[PREVALENCE])
    along = -jnp.stack(weighed, 1) / spread[:, None]
    left = centred(known.value + observations.listed(along[None]))
    held = jnp.where(known.real[:, :, None], left, 0.0)
    precision = jnp.einsum("us,usp,usq->pq", share, held, held)
    precision += SPREAD**-2 * jnp.eye(len(precision))
    inverse = jnp.linalg.inv(precision)
    shape = 2.4 / jnp.sqrt(len(precision)) * jnp.linalg.cholesky(inverse)
    return Walk(shape, along)


def draw_logit(
    key: Key[Array, ""],
    observations: Observations,
    concentration: Float[Array, " K"],
    logit: Parameters,
    told: Told,
    how: Walk,
) -> Parameters:
    """Draw prevalence, and weights, given the truth.

    Parameters
    ----------
    key
        Random key.
    observations
        What is known of candidates.
    concentration
        Imagined units of each state.
    logit
        Where the chain stands: logarithms of prevalence, and weights.
    told
        What the truth says.
    how
        How steps go.
    """
    of_prevalence, of_weights = jax.random.split(key)
    drawn = _prevalence(of_prevalence, observations, concentration, logit, told)
    start = {PREVALENCE: drawn, WEIGHT: logit[WEIGHT]}

    def height(logit: Any) -> Float[Array, ""]:
        likely = told.units @ logit[PREVALENCE] + told.sums @ logit[WEIGHT]
        total = _log_total(observations, logit).sum()
        reached: Float[Array, ""] = likely - total + log_density(concentration, logit)
        return reached

    def step(carry: Any, key: Any) -> tuple[Any, None]:
        of_size, of_move, of_luck = jax.random.split(key, 3)
        size = 2.0 ** jax.random.uniform(of_size, minval=SIZES[0], maxval=SIZES[1])
        move = size * how.shape @ jax.random.normal(of_move, told.sums.shape)
        there = {
            PREVALENCE: carry[PREVALENCE] + how.along @ move,
            WEIGHT: carry[WEIGHT] + move,
        }
        taken = jnp.log(jax.random.uniform(of_luck)) < height(there) - height(carry)
        return {n: jnp.where(taken, there[n], carry[n]) for n in carry}, None

    ended, _ = jax.lax.scan(step, start, jax.random.split(of_weights, STEPS))
    return ended


def _prevalence(
    key: Key[Array, ""],
    observations: Observations,
    concentration: Float[Array, " K"],
    logit: Parameters,
    told: Told,
) -> Float[Array, " K"]:
    known = observations.beforehand
    assert known is not None  # noqa: S101 (asked by the caller)
    of_waits, of_gamma = jax.random.split(key)
    total = _log_total(observations, logit)
    waits = jax.random.exponential(of_waits, total.shape)
    odds = known.value @ logit[WEIGHT] - total[:, None]
    stake = over_labels(
        observations, jnp.where(known.real, waits[:, None] * jnp.exp(odds), 0.0)
    )
    drawn: Float[Array, " K"] = log_gamma(of_gamma, concentration + told.units)
    return drawn - jnp.log1p(stake)


def _log_total(observations: Observations, logit: Parameters) -> Float[Array, " U"]:
    known = observations.beforehand
    assert known is not None  # noqa: S101 (asked by the caller)
    odds = observations.listed(logit[PREVALENCE][None]) + known.value @ logit[WEIGHT]
    total: Float[Array, " U"] = jax.nn.logsumexp(
        jnp.where(known.real, odds, -jnp.inf), axis=1
    )
    return total
