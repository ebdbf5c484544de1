"""Newton steps for the unconstrained parameters.

Given the posterior of the truth, the expected log-likelihood is concave in them. The
Newton direction is solved for by conjugate gradients, from products with the Hessian
alone, so nothing is as large as parameters squared; cut short, it still points upwards.
The step is halved until the objective does not fall (Dembo, Eisenstat and Steihaug
1982), so a sweep with such a step is an ascent like one without.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jax.scipy.sparse.linalg import cg
from jax.scipy.stats import norm
from jaxtyping import Array, Float

from consilience.model import ClosedFormModel, Parameters
from consilience.truth import Observations

STEPS = 6  # of conjugate gradients; the next sweep goes on from there
ACCURACY = 0.1  # to which the direction is solved for, relative to the gradient
HALVINGS = 6


def newton_step(
    model: ClosedFormModel[Any],
    observations: Observations,
    logs: Parameters,
    free: Parameters,
    truth: Float[Array, "U M"],
) -> Parameters:
    """Return the free numbers one step further up."""
    priors = model.normals(observations)
    start, back = ravel_pytree(free)

    def rise(flat: Float[Array, " F"]) -> Float[Array, ""]:
        scores = model.score(observations, {**logs, **back(flat)})
        expected = truth * jnp.where(truth > 0, scores, 0.0)
        total: Float[Array, ""] = (observations.scale * expected.sum(1)).sum()
        for name, value in back(flat).items():
            total += norm.logpdf(value, 0.0, priors[name].scale).sum()
        return total

    # Backwards twice: products with sparse matrices have no forward derivative. What is
    # pulled back is how the slope changes along a way, as the Hessian is symmetric.
    (value, gradient), pull = jax.vjp(jax.value_and_grad(rise), start)

    def curvature(vector: Float[Array, " F"]) -> Float[Array, " F"]:
        product: Float[Array, " F"] = pull((jnp.zeros_like(value), vector))[0]
        return -product

    direction, _ = cg(  # type: ignore[no-untyped-call]
        curvature, gradient, tol=ACCURACY, maxiter=STEPS
    )

    def too_far(carry: Any) -> Any:
        _, reached, tried = carry
        return ~(reached >= value) & (tried <= HALVINGS)

    def halve(carry: Any) -> Any:
        size, _, tried = carry
        return size / 2, rise(start + size / 2 * direction), tried + 1

    first = (jnp.full_like(value, 2.0), jnp.full_like(value, jnp.nan), 0)
    size, reached, _ = jax.lax.while_loop(too_far, halve, first)
    ended: Parameters = back(
        jnp.where(reached >= value, start + size * direction, start)
    )
    return ended
