"""Each answer on its own: how probable it is under each state, and given the others."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.nn import logsumexp
from jaxtyping import Array, Float, Int

from consilience.model.contract import AnnotatorModel, Parameters
from consilience.model.emission import by_subtype
from consilience.model.summed import emission_of, marginal, score
from consilience.truth import Observations


def has_table(model: AnnotatorModel[Any], observations: Observations) -> bool:
    """Return whether answers are drawn from tables whose rows are Dirichlet."""
    if model.dirichlet is None or model.emission is None or model.normal is not None:
        return False
    priors = model.dirichlet(observations, model.prior)
    logs = {name: jnp.zeros(prior.shape) for name, prior in priors.items()}
    emission = model.emission(observations, logs)
    return by_subtype(emission) is not None


@partial(jax.jit, static_argnames="model")
def given_the_others(
    model: AnnotatorModel[Any],
    observations: Observations,
    parameters: Parameters,
    unit: Int[Array, " N"],
    annotator: Int[Array, " N"],
    answer: Int[Array, " N"],
) -> Float[Array, " N"]:
    """Return log p(answer | the other answers of its unit, parameters).

    It is the log-likelihood of the unit with the answer less that without it, the
    truth summed out in both: exact, and all answers at the price of one.

    Parameters
    ----------
    model
        A model whose answers are drawn from tables.
    observations
        The answers that the truth is inferred from.
    parameters
        As the model's emission wants them.
    unit, annotator, answer
        Codes of the answers to score, all among those observed.
    """
    scores = score(model, observations, parameters)
    each = _each(model, observations, parameters, unit, annotator, answer)
    return marginal(scores)[unit] - logsumexp(scores[unit] - each, axis=1)


@partial(jax.jit, static_argnames="model")
def from_outside(
    model: AnnotatorModel[Any],
    observations: Observations,
    parameters: Parameters,
    unit: Int[Array, " N"],
    annotator: Int[Array, " N"],
    answer: Int[Array, " N"],
) -> Float[Array, " N"]:
    """Return log p(answer | the observed answers of its unit, parameters).

    As `given_the_others`, of answers that are not among those observed.
    """
    scores = score(model, observations, parameters)
    each = _each(model, observations, parameters, unit, annotator, answer)
    return logsumexp(scores[unit] + each, axis=1) - marginal(scores)[unit]


def _each(
    model: AnnotatorModel[Any],
    observations: Observations,
    parameters: Parameters,
    unit: Int[Array, " N"],
    annotator: Int[Array, " N"],
    answer: Int[Array, " N"],
) -> Float[Array, "N M"]:
    # log p(answer | state), a column for each state of the score.
    tables = by_subtype(emission_of(model, observations, parameters))
    if tables is None:
        msg = "answers are scored one by one only where they are drawn from tables"
        raise TypeError(msg)
    table = tables.log_confusion
    whose = 0 if table.shape[0] == 1 else annotator
    said = table[whose, :, :, answer]
    if observations.ragged:
        shape = (observations.num_units, observations.state.shape[1])
        state = jnp.broadcast_to(observations.state, shape)[unit]
        said = jnp.take_along_axis(said, state[:, :, None], axis=1)
    return said.reshape(len(said), -1)
