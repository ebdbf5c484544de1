r"""What holds at the mode: parameters, beliefs, and the slope about it.

**The log posterior density of the parameters, the truth summed out.**

.. math::

   \log p(\phi) + \sum_u \log \sum_k p(z_u = k, y_u \mid \phi)

It is computed in the coordinates that NumPyro's programs have without bounds, whose
densities carry the logarithm of the change of volume.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, Int
from numpyro.handlers import seed, substitute, trace
from numpyro.infer.util import constrain_fn, potential_energy
from scipy import special

from consilience.inference.slopes import Slope, slope_of
from consilience.model import (
    Model,
    Parameters,
    Ran,
    belief,
    derived,
    lay_out,
    log_likelihood,
    marginal,
    num_substates,
    posterior_of_truth,
    sample_answers,
    score,
)
from consilience.objects.items import Items
from consilience.truth import (
    ChoiceSpace,
    ObjectsSpace,
    Observations,
    Space,
    blocks,
    merge_identical,
    padded,
)
from consilience.truth.arrays import AnyArray, on_host

# Axes that grow with the study.
GROWING = frozenset({"annotator", "group", "item", "label", "pair"})


def marks(position: Parameters, chosen: Collection[str]) -> Bool[np.ndarray, " P"]:
    """Return which coordinates are of the chosen parameters, laid out in one row."""
    marked = {name: np.full(at.shape, name in chosen) for name, at in position.items()}
    return np.asarray(ravel_pytree(marked)[0]).astype(bool)


def shared(
    model: Model[Any], observations: Observations
) -> dict[str, tuple[int, bool]]:
    """Return the size of each parameter that is sampled, and whether all share it."""
    shapes = jax.eval_shape(partial(_sampled, model), observations)
    axes = model.dims(observations)
    return {
        name: (shape.size, name in axes and not GROWING & set(axes[name]))
        for name, shape in shapes.items()
    }


def _sampled(model: Model[Any], observations: Observations) -> Parameters:
    return sampled(trace(seed(sample_answers, 0)).get_trace(model, observations))


def sampled(sites: Mapping[str, Any]) -> Parameters:
    """Return the values of the parameters in a trace of a program."""
    return {
        name: site["value"]
        for name, site in sites.items()
        if site["type"] == "sample" and not site["is_observed"]
    }


def common(
    model: Model[Any], observations: Observations, position: Parameters
) -> Bool[np.ndarray, " P"]:
    """Return which coordinates are of parameters that all share."""
    sampled = shared(model, observations)
    return marks(position, {name for name, (_, all_) in sampled.items() if all_})


MAX_TABLE = 20_000_000  # numbers in the scores of a block (float64: 160 MB)
# Fewer merged would cost more than it saves: another study of the same design then has
# the same shapes, and what is compiled for one serves all.
WORTH_MERGING = 0.75


class Data(NamedTuple):
    """The answers whole, without which no parameter is sampled, and in blocks.

    Units that look alike are merged into one of such a weight. All is padded to one of
    few sizes, for all that are compiled; what is added has no answers and no weight.
    """

    whole: Observations
    parts: Observations
    weight: Float[Array, "blocks size"]


class Real(NamedTuple):
    """Which unit of the data stands for each of the space, and sizes of other axes."""

    place: Int[np.ndarray, " U"]
    sizes: Mapping[str, int]


def lay_out_data(
    model: Model[Any], space: Space, *, pad: bool = True
) -> tuple[Data, Real]:
    """Merge units that look alike, pad the arrays and cut the units into blocks."""
    total, place = space.n.sum(dtype=float), np.arange(space.num_units)
    count, sizes = np.ones(space.num_units), {"annotator": space.num_annotators}
    together = isinstance(space, ObjectsSpace) or model.whole_items
    if not together:
        who = any("annotator" in dims for dims in model.own_dims(space).values())
        merged = merge_identical(space, annotators=who)
        if len(merged.count) <= WORTH_MERGING * space.num_units:
            space, count, place = merged.space, merged.count, merged.place
    if pad and not (isinstance(space, ChoiceSpace) and space.covariates.names):
        space = padded(space)
        count = np.append(count, np.zeros(space.num_units - len(count)))
    whole = replace(
        lay_out(model, space),
        scale=jnp.asarray(count),
        total=jnp.asarray(total),
        asked=jnp.asarray(np.arange(space.num_annotators) < sizes["annotator"], float),
    )
    if isinstance(whole.layout, Items):
        sizes["pair"] = len(whole.layout.names.pairs)
    real = Real(place, sizes)
    columns = space.state.shape[1] * num_substates(model)
    size = max(MAX_TABLE // columns, 1)
    uncut = model.layout is not None
    if size >= space.num_units or uncut:
        parts = _as_one_block(whole)
        return Data(whole, parts, jnp.asarray(count[None])), real
    parts, weight = blocks(space, size)
    weight.ravel()[: space.num_units] *= count
    return Data(whole, parts, jnp.asarray(weight)), real


@jax.jit
def in_blocks(guess: Float[Array, "U S"], data: Data) -> Float[Array, "blocks size S"]:
    """Return a guess of the truth, cut as the units are."""
    number, size = data.weight.shape
    fill = ((0, number * size - len(guess)), (0, 0))
    padded = jnp.pad(guess, fill, constant_values=1.0)
    # What the guess excludes is excluded by the score already.
    return jnp.maximum(padded, 1e-12).reshape(number, size, -1)


@jax.jit
def _as_one_block(whole: Observations) -> Observations:
    return jax.tree.map(lambda leaf: leaf[None], whole)


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
    data = summit.data
    energy = partial(energy_and_slope, model, data, no_evidence(data))
    return slope_of(energy, summit.unravel)


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
    axes = model.dims(summit.data.whole)
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
        return potential_energy(program, (data, evidence), {}, position)

    return jax.value_and_grad(energy)(position)


def no_evidence(data: Data) -> Float[Array, "blocks size S"] | None:
    """Return what says nothing of the truth.

    Where units are many, that is nothing at all, and costs a program of its own; else
    zeros, and the program is that of what says some.
    """
    if data.weight.size > MANY:
        return None
    return jnp.zeros((*data.weight.shape, data.whole.guess.shape[1]))


def _program(
    model: Model[Any], data: Data, evidence: Float[Array, "blocks size S"] | None
) -> None:
    ran, substates = sample_answers(model, data.whole), num_substates(model)

    def one(part: Any) -> Float[Array, ""]:
        observations, weight, tilt = part
        seen = log_likelihood(ran, observations, substates, tilt)
        return (weight * seen).sum()

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
