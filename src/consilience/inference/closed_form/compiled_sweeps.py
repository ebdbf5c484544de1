"""The pass over the answers of models without tables, compiled once for a size.

**Newton steps for the unconstrained parameters.** Given the posterior of the truth, the
expected log-likelihood is concave in them. The Newton direction is solved for by
conjugate gradients, from products with the Hessian alone, so nothing is as large as
parameters squared; cut short, it still points upwards. The step is halved until the
objective does not fall (Dembo, Eisenstat and Steihaug 1982), so a sweep with such a
step is an ascent like one without.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jax.scipy.sparse.linalg import cg
from jax.scipy.stats import norm
from jaxtyping import Array, Bool, Float

from consilience.model import (
    Coding,
    Dirichlet,
    Model,
    Parameters,
    Site,
    Swept,
    belief,
    derived,
    dirichlet_priors,
    given,
    lay_out,
    marginal,
    normal_priors,
    num_substates,
    score,
)
from consilience.truth import Observations, ResponseMatrix, Space
from consilience.truth.response_matrix import response_matrix

STEPS = 6  # of conjugate gradients; the next sweep goes on from there
ACCURACY = 0.1  # to which the direction is solved for, relative to the gradient
HALVINGS = 6


class CompiledSweeps:
    """A model with closed-form updates, laid out for the answers of a study."""

    def __init__(self, model: Model[Any], space: Space) -> None:
        self.model = model
        with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
            self.observations = lay_out(model, space)
            columns = self.observations.has_covariates
            priors = dirichlet_priors(model, self.coding, columns=columns)
            self.priors: dict[str, Dirichlet] = {
                name: replace(p, concentration=np.asarray(p.concentration, float))
                for name, p in priors.items()
            }
            self.normal: dict[str, Site] = normal_priors(model, self.coding)
        self.candidates: ResponseMatrix | None = (
            response_matrix(space) if columns else None
        )

    @property
    def coding(self) -> Coding:
        """What the model was laid out for."""
        return self.observations

    @property
    def total(self) -> float:
        """How many answers there are."""
        return float(self.observations.total)

    @property
    def guess(self) -> Float[np.ndarray, "U S"]:
        """A first guess of the truth."""
        return np.asarray(self.observations.guess)

    @cached_property
    def _idle(self) -> Float[np.ndarray, "U M"]:
        units, slots = self.guess.shape
        return np.zeros((units, slots * num_substates(self.model)))

    def sweep(self, logs: Parameters, *, assign: Any = None, deal: Any = None) -> Swept:
        """Sum the truth out, and count the events; see `model.Tables`."""
        del deal  # no model without tables is a mixture
        with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
            run = partial(_sweep, self.model, self.observations, dict(logs))
            likelihood, believed, counts = run(self._idle, expected=True)
            if assign is not None:
                counts = run(assign(np.asarray(believed)), expected=False)[2]
        by_name = {name: np.asarray(counts[name]) for name in self.priors}
        return Swept(np.asarray(likelihood), np.asarray(believed), by_name)

    def step(
        self, logs: Parameters, free: Parameters, belief: Float[np.ndarray, "U M"]
    ) -> Parameters:
        """Return the free numbers one step further up."""
        with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
            ended = _step(self.model, self.observations, dict(logs), dict(free), belief)
        return {name: np.asarray(value) for name, value in ended.items()}

    def truth(self, belief: Float[np.ndarray, "U M"]) -> Float[np.ndarray, "U S"]:
        """Return the posterior of the truth: that of all states that share it."""
        split = num_substates(self.model)
        return belief.reshape(len(belief), -1, split).sum(-1)

    def derived(self, logs: Parameters) -> dict[str, Float[np.ndarray, "..."]]:
        """Return what follows from the parameters and is reported with them."""
        with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
            derived = _derived(self.model, self.observations, dict(logs))
        return {name: np.asarray(value) for name, value in derived.items()}


@partial(jax.jit, static_argnames="model")
def _sweep(
    model: Model[Any],
    observations: Observations,
    logs: Parameters,
    assigned: Float[Array, "U M"],
    expected: Bool[Array, ""] | bool,  # noqa: FBT001 (one program for both)
) -> tuple[Float[Array, " U"], Float[Array, "U M"], Mapping[str, Any]]:
    scores, pull = jax.vjp(
        lambda logs: score(given(model, observations, logs), observations), logs
    )
    believed = belief(scores)
    weight = jnp.where(expected, believed, assigned)
    (counts,) = pull(observations.scale[:, None] * weight)
    return marginal(scores), believed, counts


@partial(jax.jit, static_argnames="model")
def _step(
    model: Model[Any],
    observations: Observations,
    logs: Parameters,
    free: Parameters,
    truth: Float[Array, "U M"],
) -> Parameters:
    return newton_step(model, observations, logs, free, truth)


@partial(jax.jit, static_argnames="model")
def _derived(
    model: Model[Any], observations: Observations, logs: Parameters
) -> Parameters:
    return derived(given(model, observations, logs), observations)


def newton_step(
    model: Model[Any],
    observations: Observations,
    logs: Parameters,
    free: Parameters,
    truth: Float[Array, "U M"],
) -> Parameters:
    """Return the free numbers one step further up."""
    priors = normal_priors(model, observations)
    start, back = ravel_pytree(free)

    def rise(flat: Float[Array, " F"]) -> Float[Array, ""]:
        ran = given(model, observations, {**logs, **back(flat)})
        scores = score(ran, observations)
        expected = truth * jnp.where(truth > 0, scores, 0.0)
        total: Float[Array, ""] = (observations.scale * expected.sum(1)).sum()
        for name, value in back(flat).items():
            total += norm.logpdf(value, 0.0, priors[name].distribution.scale).sum()
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
