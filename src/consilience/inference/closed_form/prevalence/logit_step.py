r"""A Newton step for prevalence and the weights of columns, given beliefs of the truth.

Where candidates have columns the prior of the truth is a multinomial logit
(`model.truth_prior.prevalence`), and has no closed form. With the truth as it is
believed,

.. math::

   F(\alpha, \beta) = \sum_u \sum_s q_{us} \log p_{us}
   + \sum_k (a_k \alpha_k - e^{\alpha_k}) - \tfrac12 |\beta|^2

is concave. The first penalty is the density of logarithms of gamma variables, whose
shares have the Dirichlet prior of the prevalence. The Newton direction is solved for by
conjugate gradients, scaled by the diagonal, and halved until F does not fall.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

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
    log_total,
    over_labels,
)
from consilience.truth import Observations

STEPS = 10  # of conjugate gradients; the next sweep goes on from there
ACCURACY = 0.01  # to which the direction is solved for, relative to the gradient
HALVINGS = 6


class LogitCounts(NamedTuple):
    """What the truth says of the logit: units of each state, and sums of columns."""

    units: Float[Array, " K"]
    sums: Float[Array, " P"]


def first_logit(
    observations: Observations, concentration: Float[Array, " K"]
) -> Parameters:
    """Return the start: prevalence as in the prior, columns unused."""
    covariates = observations.prior_covariates
    weight = jnp.zeros(covariates.value.shape[2])
    return {PREVALENCE: jnp.log(concentration), WEIGHT: weight}


def logit_counts(observations: Observations, truth: Float[Array, "U S"]) -> LogitCounts:
    """Return what a truth, or a belief of it, says of the logit."""
    covariates = observations.prior_covariates
    sums = jnp.einsum("us,usp->p", truth, covariates.value)
    return LogitCounts(over_labels(observations, truth), sums)


def log_density(
    concentration: Float[Array, " K"], logit: Parameters
) -> Float[Array, ""]:
    """Return the log density of the logarithms of prevalence, and of the weights."""
    log_prevalence = logit[PREVALENCE]
    gamma = concentration * log_prevalence - jnp.exp(log_prevalence)
    normal: Float[Array, ""] = -0.5 * ((logit[WEIGHT] / SPREAD) ** 2).sum()
    return gamma.sum() + normal


def height(
    observations: Observations,
    concentration: Float[Array, " K"],
    counts: LogitCounts,
    logit: Parameters,
) -> Float[Array, ""]:
    """Return F: the log density of prevalence and weights, given the truth."""
    likely = counts.units @ logit[PREVALENCE] + counts.sums @ logit[WEIGHT]
    total = log_total(observations, logit).sum()
    reached: Float[Array, ""] = likely - total + log_density(concentration, logit)
    return reached


def logit_step(
    observations: Observations,
    concentration: Float[Array, " K"],
    logit: Parameters,
    truth: Float[Array, "U S"],
) -> Parameters:
    """Return prevalence and weights one step further up."""
    counts = logit_counts(observations, truth)

    def reached(logit: Parameters) -> Float[Array, ""]:
        return height(observations, concentration, counts, logit)

    # Backwards twice: products with sparse matrices have no forward derivative. What is
    # pulled back is how the slope changes along a way, as the Hessian is symmetric.
    slope, pull = jax.vjp(jax.grad(reached), logit)

    def hessian_product(way: Any) -> Any:
        return jax.tree.map(jnp.negative, pull(way)[0])

    diagonal = curvature(observations, logit)

    def scaled(way: Any) -> Any:
        return {name: way[name] / diagonal[name] for name in way}

    direction, _ = cg(  # type: ignore[no-untyped-call]
        hessian_product, slope, tol=ACCURACY, maxiter=STEPS, M=scaled
    )
    return _line_search(reached, logit, direction)


def curvature(observations: Observations, logit: Parameters) -> Parameters:
    """Return about how fast F bends along each number: what is on no list left out."""
    covariates = observations.prior_covariates
    share = jnp.exp(log_logit(observations, logit))
    away = covariates.value - jnp.einsum("us,usp->up", share, covariates.value)[:, None]
    units = over_labels(observations, share * (1 - share))
    weight = jnp.einsum("us,usp->p", share, away**2)
    return {
        PREVALENCE: units + jnp.exp(logit[PREVALENCE]),
        WEIGHT: weight + SPREAD**-2,
    }


def _line_search(
    reached_at: Callable[[Parameters], Float[Array, ""]],
    start: Parameters,
    direction: Parameters,
) -> Parameters:
    """Return the end of a direction, or of half of it, or less, where that is up."""

    def along(size: Float[Array, ""]) -> Parameters:
        return {name: value + size * direction[name] for name, value in start.items()}

    value = reached_at(start)

    def too_far(carry: Any) -> Any:
        _, reached, tried = carry
        return ~(reached >= value) & (tried <= HALVINGS)

    def halve(carry: Any) -> Any:
        size, _, tried = carry
        return size / 2, reached_at(along(size / 2)), tried + 1

    first = (jnp.full_like(value, 2.0), jnp.full_like(value, jnp.nan), 0)
    size, reached, _ = jax.lax.while_loop(too_far, halve, first)
    return along(jnp.where(reached >= value, size, 0.0))
