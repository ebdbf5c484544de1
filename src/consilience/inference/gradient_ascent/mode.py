r"""What holds at the mode: parameters, beliefs, and the slope about it.

**The log posterior density of the parameters, the truth summed out.**

.. math::

   \log p(\phi) + \sum_u \log \sum_k p(z_u = k, y_u \mid \phi)

It is computed in the coordinates that NumPyro's programs have without bounds, whose
densities carry the logarithm of the change of volume.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float
from numpyro.handlers import seed, substitute
from numpyro.infer.util import constrain_fn, potential_energy
from scipy import special

from consilience.inference.gradient_ascent.curvature import Slope
from consilience.inference.gradient_ascent.data import Data, Real
from consilience.model import (
    DIMS,
    Model,
    Parameters,
    Ran,
    belief,
    derived,
    log_likelihood,
    marginal,
    num_substates,
    posterior_of_truth,
    sample_answers,
    score,
)
from consilience.objects.layout.items import Items
from consilience.truth import Observations
from consilience.truth.arrays import AnyArray, on_host

MANY = 50_000  # units, by which it is quicker to compile another program


class Mode(NamedTuple):
    """What is found at the top: parameters, belief (U, S), log-likelihood (U)."""

    parameters: Parameters
    belief: Float[AnyArray, "U S"]
    log_likelihood: Float[AnyArray, " U"]


class Optimized(NamedTuple):
    """The optimum: the answers, the position, and how to compute the parameters."""

    data: Data
    real: Real
    position: Float[np.ndarray, " P"]
    unravel: Callable[[Float[Array, " P"]], Parameters]


def mode_at(
    model: Model[Any], summit: Optimized, position: Float[np.ndarray, " P"]
) -> Mode:
    """Return what is found at a position, units in their order, on the host."""
    data, (place, _) = summit.data, summit.real
    free, layout = summit.unravel(jnp.asarray(position)), data.whole.layout
    if not isinstance(layout, Items) or layout.end_to_end is None:
        mode = on_host(_mode_at(model, data, free))
        parameters = _of_real(model, summit, mode.parameters)
        return Mode(parameters, mode.belief[place], mode.log_likelihood[place])
    # The score is another program than the objective, and computed once.
    values, answers = on_host(_constrained(model, data.whole, free))
    whole, ran = on_host(data.whole), Ran(answers)
    scores = score(ran, whole)
    return Mode(
        _of_real(model, summit, {**values, **derived(ran, whole)}),
        special.softmax(scores, axis=1)[place],
        special.logsumexp(scores, axis=1)[place],
    )


def slope_about(model: Model[Any], summit: Optimized) -> Slope:
    """Return the slope of minus the log density, as a function of the place."""

    def slope(place: Float[np.ndarray, " P"]) -> Float[np.ndarray, " P"]:
        position = summit.unravel(jnp.asarray(place))
        _, slope = energy_and_slope(
            model, summit.data, no_evidence(summit.data), position
        )
        flat: Float[np.ndarray, " P"] = np.asarray(ravel_pytree(slope)[0], float)
        return flat

    return slope


@partial(jax.jit, static_argnames="model")
def _mode_at(model: Model[Any], data: Data, position: Parameters) -> Mode:
    values, ran = _run_at(model, data.whole, position)

    def one(observations: Observations) -> Any:
        scores = score(ran, observations)
        return posterior_of_truth(model, belief(scores)), marginal(scores)

    if len(data.weight) == 1:
        truth, likelihood = one(jax.tree.map(lambda leaf: leaf[0], data.parts))
    else:
        truth, likelihood = jax.lax.map(one, data.parts)
    return Mode(
        {**values, **derived(ran, data.whole)},
        truth.reshape(-1, truth.shape[-1]),
        likelihood.ravel(),
    )


@partial(jax.jit, static_argnames="model")
def _constrained(
    model: Model[Any], whole: Observations, position: Parameters
) -> tuple[Parameters, Any]:
    """Return parameters by name, and the answers that they give."""
    values, ran = _run_at(model, whole, position)
    return values, ran.answers


def _run_at(
    model: Model[Any], whole: Observations, position: Parameters
) -> tuple[Parameters, Ran]:
    program = seed(sample_answers, 0)
    arguments = (model, whole)
    values = constrain_fn(program, arguments, {}, position, return_deterministic=True)
    return values, substitute(program, data=values)(*arguments)


def _of_real(
    model: Model[Any], summit: Optimized, parameters: Parameters
) -> Parameters:
    """Return the parameters without those of what fills arrays up."""
    axes = {**DIMS, **model.dims}
    return {
        name: value[
            tuple(slice(summit.real.sizes.get(axis)) for axis in axes.get(name, ()))
        ]
        for name, value in parameters.items()
    }


@partial(jax.jit, static_argnames="model")
def energy_and_slope(
    model: Model[Any],
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
    model: Model[Any],
    data: Data,
    evidence: Float[Array, "blocks size S"] | None,
) -> None:
    ran, substates = sample_answers(model, data.whole), num_substates(model)

    def one(part: Any) -> Float[Array, ""]:
        observations, weight, tilt = part
        seen = log_likelihood(ran, observations, substates, tilt)
        total: Float[Array, ""] = (weight * seen).sum()
        return total

    parts = (data.parts, data.weight, evidence)
    if len(data.weight) == 1:
        only = jax.tree.map(lambda leaf: leaf[0], parts)
        numpyro.factor("answers", one(only))
        return
    again = jax.checkpoint(one)  # the memory of one block, for twice the work

    def add(total: Float[Array, ""], part: Any) -> tuple[Float[Array, ""], None]:
        return total + again(part), None

    total, _ = jax.lax.scan(add, jnp.zeros(()), parts)
    numpyro.factor("answers", total)
