r"""Draws of prevalence and the weights of columns, given the truth: exact in the limit.

The truth of a unit, given its list, is drawn from a multinomial logit
(`model.truth_prior.prevalence`) with :math:`\lambda_k \sim \mathrm{Gamma}(a_k, 1)`
instead of the prevalence, whose shares it is. With an exponential variable for each
unit,

.. math::

   t_u \sim \mathrm{Exp}\Big(\sum_{s \in C_u} \lambda_s e^{x_{us}^\top \beta}\Big),
   \qquad
   \lambda_k \mid z, t \sim \mathrm{Gamma}\Big(a_k + n_k,\
   1 + \sum_u t_u e^{x_{uk}^\top \beta}\Big).

Weights take random-walk steps, as wide as the posterior given the truth is there where
the optimizer has ended; with each, prevalence moves so that the labels keep their
shares.

References
----------
Caron and Doucet (2012), Efficient Bayesian inference for generalized Bradley-Terry
models, section 3.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from consilience.inference.closed_form.dirichlet.gamma import log_gamma
from consilience.inference.closed_form.prevalence.logit_step import (
    LogitCounts,
    curvature,
    height,
)
from consilience.model import (
    PREVALENCE,
    WEIGHT,
    Parameters,
    log_total,
    over_labels,
)
from consilience.truth import Observations

STEPS = 10  # of the weights in a sweep, each of a size drawn afresh between these
SIZES = (-3.0, 1.0)  # powers of two, about 2.4 over the root of the number of columns


class Walk(NamedTuple):
    """How steps go: their shape, and how prevalence moves with each weight."""

    shape: Float[Array, "P P"]
    along: Float[Array, "K P"]


def walk(
    observations: Observations, concentration: Float[Array, " K"], logit: Parameters
) -> Walk:
    """Return steps that suit the posterior of the weights, were the truth known."""
    zero = LogitCounts(*(jnp.zeros_like(logit[name]) for name in (PREVALENCE, WEIGHT)))
    start, weights = logit[PREVALENCE], logit[WEIGHT]

    def fall(prevalence: Any, weights: Any) -> Float[Array, ""]:
        there = {PREVALENCE: prevalence, WEIGHT: weights}
        return -height(observations, concentration, zero, there)

    bent = jax.jacrev(jax.grad(fall, argnums=1))(start, weights)
    along = -bent.T / curvature(observations, logit)[PREVALENCE][:, None]

    def moved(move: Any) -> Float[Array, ""]:
        return fall(start + along @ move, weights + move)

    precision = jax.jacrev(jax.grad(moved))(jnp.zeros_like(weights))
    inverse = jnp.linalg.inv(precision)
    shape = 2.4 / jnp.sqrt(len(weights)) * jnp.linalg.cholesky(inverse)
    return Walk(shape, along)


def draw_logit(
    key: Key[Array, ""],
    observations: Observations,
    concentration: Float[Array, " K"],
    logit: Parameters,
    counts: LogitCounts,
    how: Walk,
) -> Parameters:
    """Draw prevalence, and weights, given the truth."""
    of_prevalence, of_weights = jax.random.split(key)
    drawn = _prevalence(of_prevalence, observations, concentration, logit, counts)
    start = {PREVALENCE: drawn, WEIGHT: logit[WEIGHT]}

    def reached(logit: Any) -> Float[Array, ""]:
        return height(observations, concentration, counts, logit)

    def step(carry: Any, key: Any) -> tuple[Any, None]:
        of_size, of_move, of_luck = jax.random.split(key, 3)
        size = 2.0 ** jax.random.uniform(of_size, minval=SIZES[0], maxval=SIZES[1])
        move = size * how.shape @ jax.random.normal(of_move, counts.sums.shape)
        there = {
            PREVALENCE: carry[PREVALENCE] + how.along @ move,
            WEIGHT: carry[WEIGHT] + move,
        }
        taken = jnp.log(jax.random.uniform(of_luck)) < reached(there) - reached(carry)
        return {n: jnp.where(taken, there[n], carry[n]) for n in carry}, None

    ended, _ = jax.lax.scan(step, start, jax.random.split(of_weights, STEPS))
    return ended


def _prevalence(
    key: Key[Array, ""],
    observations: Observations,
    concentration: Float[Array, " K"],
    logit: Parameters,
    counts: LogitCounts,
) -> Float[Array, " K"]:
    covariates = observations.prior_covariates
    of_waits, of_gamma = jax.random.split(key)
    total = log_total(observations, logit)
    waits = jax.random.exponential(of_waits, total.shape)

    def exposure(value: Float[Array, "*units P"], where: Any) -> Float[Array, "U _"]:
        odds = (value @ logit[WEIGHT]) - total[:, None]
        return jnp.where(where, waits[:, None] * jnp.exp(odds), 0.0)

    listed = exposure(covariates.value, covariates.real)
    # Every label for each unit that is open, less those on its list.
    distant = exposure(covariates.unlisted[None], covariates.open[:, None])
    stake = over_labels(observations, listed - jnp.where(covariates.real, distant, 0.0))
    drawn: Float[Array, " K"] = log_gamma(of_gamma, concentration + counts.units)
    return drawn - jnp.log1p(jnp.maximum(stake + distant.sum(), 0.0))
