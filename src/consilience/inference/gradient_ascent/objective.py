r"""The log posterior density of the parameters, the truth summed out.

.. math::

   \log p(\phi) + \sum_u \log \sum_k p(z_u = k, y_u \mid \phi)

It is computed in the coordinates that NumPyro's programs have without bounds, whose
densities carry the logarithm of the change of volume.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpyro
from jaxtyping import Array, Float
from numpyro.infer.util import potential_energy

from consilience.inference.gradient_ascent.data import Data
from consilience.model import (
    AnnotatorModel,
    Parameters,
    log_likelihood,
    sample_parameters,
)

MANY = 50_000  # units, by which it is quicker to compile another program


@partial(jax.jit, static_argnames="model")
def energy_and_slope(
    model: AnnotatorModel[Any],
    data: Data,
    evidence: Float[Array, "blocks size S"] | None,
    position: Parameters,
) -> tuple[Float[Array, ""], Parameters]:
    """Return minus the log density of a position, and the slope of that."""
    program = partial(_program, model)

    def energy(position: Parameters) -> Float[Array, ""]:
        potential: Float[Array, ""] = potential_energy(
            program, (data, evidence), {}, position
        )
        return potential

    with_slope: tuple[Float[Array, ""], Parameters] = jax.value_and_grad(energy)(
        position
    )
    return with_slope


def no_evidence(data: Data) -> Float[Array, "blocks size S"] | None:
    """Return what says nothing of the truth.

    Where units are many, that is nothing at all, and costs a program of its own; else
    zeros, and the program is that of what says some.
    """
    if data.weight.size > MANY:
        return None
    return jnp.zeros((*data.weight.shape, data.whole.guess.shape[1]))


def _program(
    model: AnnotatorModel[Any],
    data: Data,
    evidence: Float[Array, "blocks size S"] | None,
) -> None:
    parameters = sample_parameters(model, data.whole)

    def one(parameters: Parameters, part: Any) -> Float[Array, ""]:
        observations, weight, tilt = part
        seen = log_likelihood(model, observations, parameters, tilt)
        total: Float[Array, ""] = (weight * seen).sum()
        return total

    parts = (data.parts, data.weight, evidence)
    if len(data.weight) == 1:
        only = jax.tree.map(lambda leaf: leaf[0], parts)
        numpyro.factor("answers", one(parameters, only))
        return
    again = jax.checkpoint(one)  # the memory of one block, for twice the work

    def add(total: Float[Array, ""], part: Any) -> tuple[Float[Array, ""], None]:
        return total + again(parameters, part), None

    total, _ = jax.lax.scan(add, jnp.zeros(()), parts)
    numpyro.factor("answers", total)
