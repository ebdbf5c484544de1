r"""A Newton step for prevalence and the weights of columns, given beliefs of the truth.

Where candidates have columns the prior of the truth is a multinomial logit
(`model.prior_of_truth`), and has no closed form. With the truth as it is believed,

.. math::

   F(\alpha, \beta) = \sum_u \sum_s q_{us} \log p_{us}
   + \sum_k (a_k \alpha_k - e^{\alpha_k}) - \tfrac12 |\beta|^2

is concave. The first penalty is the density of logarithms of gamma variables, whose
shares have the Dirichlet prior of the prevalence. The Newton direction is solved for by
conjugate gradients, scaled by the diagonal, and halved until F does not fall.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.sparse.linalg import cg
from jaxtyping import Array, Float

from consilience.model import (
    PREVALENCE,
    SPREAD,
    WEIGHT,
    Parameters,
    log_logit,
    over_labels,
)
from consilience.truth import Observations

STEPS = 10  # of conjugate gradients; the next sweep goes on from there
ACCURACY = 0.01  # to which the direction is solved for, relative to the gradient
HALVINGS = 6


def first_logit(
    observations: Observations, concentration: Float[Array, " K"]
) -> Parameters:
    """Return where a climb begins: prevalence as the prior has it, columns unused."""
    known = observations.beforehand
    assert known is not None  # noqa: S101 (asked by the caller)
    weight = jnp.zeros(known.value.shape[2])
    return {PREVALENCE: jnp.log(concentration), WEIGHT: weight}


def log_density(
    concentration: Float[Array, " K"], logit: Parameters
) -> Float[Array, ""]:
    """Return the log density of the logarithms of prevalence, and of the weights."""
    log_prevalence = logit[PREVALENCE]
    gamma = concentration * log_prevalence - jnp.exp(log_prevalence)
    normal: Float[Array, ""] = -0.5 * ((logit[WEIGHT] / SPREAD) ** 2).sum()
    return gamma.sum() + normal


def logit_step(
    observations: Observations,
    concentration: Float[Array, " K"],
    logit: Parameters,
    truth: Float[Array, "U S"],
) -> Parameters:
    """Return prevalence and weights one step further up.

    Parameters
    ----------
    observations
        What is known of candidates.
    concentration
        Imagined units of each state.
    logit
        Where the step starts: logarithms of prevalence, and weights.
    truth
        What is believed of the truth.
    """
    known = observations.beforehand
    assert known is not None  # noqa: S101 (asked by the caller)

    def height(logit: Parameters) -> Float[Array, ""]:
        logs = log_logit(observations, logit)
        believed = (truth * jnp.where(truth > 0, logs, 0.0)).sum()
        return believed + log_density(concentration, logit)

    share = jnp.exp(log_logit(observations, logit))
    prevalence = jnp.exp(logit[PREVALENCE])

    def pulled(listed: Float[Array, "U S"]) -> Parameters:
        weight = jnp.einsum("us,usp->p", listed, known.value)
        return {PREVALENCE: over_labels(observations, listed), WEIGHT: weight}

    def curvature(way: Parameters) -> Parameters:
        moved = observations.listed(way[PREVALENCE][None]) + known.value @ way[WEIGHT]
        moved -= (share * moved).sum(1, keepdims=True)
        bent = pulled(share * moved)
        return {
            PREVALENCE: bent[PREVALENCE] + prevalence * way[PREVALENCE],
            WEIGHT: bent[WEIGHT] + way[WEIGHT] / SPREAD**2,
        }

    slope = pulled(truth - share)
    gradient = {
        PREVALENCE: slope[PREVALENCE] + concentration - prevalence,
        WEIGHT: slope[WEIGHT] - logit[WEIGHT] / SPREAD**2,
    }
    away = known.value - jnp.einsum("us,usp->up", share, known.value)[:, None]
    diagonal = {
        PREVALENCE: over_labels(observations, share * (1 - share)) + prevalence,
        WEIGHT: jnp.einsum("us,usp->p", share, away**2) + SPREAD**-2,
    }

    def scaled(way: Parameters) -> Parameters:
        return {name: way[name] / diagonal[name] for name in way}

    direction, _ = cg(  # type: ignore[no-untyped-call]
        curvature, gradient, tol=ACCURACY, maxiter=STEPS, M=scaled
    )
    return _risen(height, logit, direction)


def _risen(
    height: Callable[[Parameters], Float[Array, ""]],
    start: Parameters,
    direction: Parameters,
) -> Parameters:
    """Return the end of a direction, or of half of it, or less, where that is up."""

    def along(size: Float[Array, ""] | float) -> Parameters:
        return {name: value + size * direction[name] for name, value in start.items()}

    value = height(start)

    def too_far(carry: Any) -> Any:
        _, reached, tried = carry
        return ~(reached >= value) & (tried < HALVINGS)

    def halve(carry: Any) -> Any:
        size, _, tried = carry
        return size / 2, height(along(size / 2)), tried + 1

    first = (jnp.ones_like(value), height(along(1.0)), 0)
    size, reached, _ = jax.lax.while_loop(too_far, halve, first)
    return along(jnp.where(reached >= value, size, 0.0))
