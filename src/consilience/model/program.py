"""A model as a NumPyro program, and simulation from it."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

# ArviZ leaves a NumPyro that loads when it is first named, and breaks if that is one of
# its submodules: so wherever it is imported it is named whole, before its parts.
import numpyro
import numpyro.distributions as dist
from jaxtyping import Array, Key, Shaped
from numpyro.handlers import seed, substitute, trace

from consilience.errors import DivergedError
from consilience.model.contract import (
    WEIGHT,
    AnnotatorModel,
    ClosedFormModel,
    Dirichlet,
    EmissionModel,
    Normal,
    Parameters,
    SampledModel,
)
from consilience.model.draws import TINY
from consilience.model.layout import lay_out
from consilience.model.records import LaidOutScoreModel
from consilience.model.simulated import Simulated
from consilience.model.summed import (
    derived,
    log_likelihood,
    log_prior_of_truth,
    sample_weights,
)
from consilience.truth import Observations, Space

SCORE = "score"  # the site under which `joint` leaves the score of a draw


def sample_parameters(
    model: AnnotatorModel[Any], observations: Observations
) -> Parameters:
    """Sample the parameters inside a NumPyro program."""
    return sample_weights(observations, model.sample(observations))


def sample_priors(
    closed: Mapping[str, Dirichlet], normals: Mapping[str, Normal]
) -> Parameters:
    """Sample logarithms of probability vectors and free numbers, by name."""
    logs = {}
    for name, prior in closed.items():
        batch = prior.shape[:-1]
        concentration = prior.concentration
        if prior.hyperprior_weight is not None:
            # The hyperprior of the closed forms: a Gamma with its mode at the start.
            hyper = dist.Gamma(
                1 + prior.hyperprior_weight * concentration, prior.hyperprior_weight
            )
            hyper = hyper.to_event(concentration.ndim)
            concentration = numpyro.sample(f"{name}_prior", hyper)
        whole = jnp.broadcast_to(concentration, prior.shape)
        drawn = numpyro.sample(name, dist.Dirichlet(whole).to_event(len(batch)))
        logs[name] = jnp.log(jnp.maximum(drawn, np.finfo(drawn.dtype).tiny))
    for name, free in normals.items():
        wide = dist.Normal(0.0, free.scale).expand(free.shape)
        logs[name] = numpyro.sample(name, wide.to_event(len(free.shape)))
    return logs


def joint(model: AnnotatorModel[Any], observations: Observations) -> None:
    """Joint density of parameters and answers as a NumPyro program.

    The truth is summed out by hand: NumPyro's own enumeration took 15 to 66 times as
    long for the gradient of the same density.
    """
    parameters = sample_parameters(model, observations)
    likelihood = log_likelihood(model, observations, parameters)
    numpyro.factor("answers", (observations.scale * likelihood).sum())
    for name, value in derived(model, observations, parameters).items():
        numpyro.deterministic(name, value)
    numpyro.deterministic(SCORE, model.score(observations, parameters))


def simulate(
    model: AnnotatorModel[Any],
    space: Space,
    key: Key[Array, ""],
    given: Parameters | None = None,
) -> Simulated:
    """Draw parameters, truths and answers; only the design of `space` is read.

    Parameters
    ----------
    model
        The model to draw from.
    space
        Who answers about what; its answers are not looked at.
    key
        Random key.
    given
        Parameters that are not drawn, by name, and their values.

    Raises
    ------
    DivergedError
        The prior is improper, so that nothing can be drawn from it.
    TypeError
        The model does not say how answers are drawn.
    """
    first, second, third = jax.random.split(key, 3)
    observations = lay_out(model, space, simulating=True)
    # Where priors are Dirichlet, models share samplers, which are long to compile.
    draw = _drawn if isinstance(model, ClosedFormModel) else _compiled
    drawn, more, parameters = draw(model, observations, first, given or {})
    if not all(np.isfinite(value).all() for value in drawn.values()):
        msg = (
            "the prior cannot be drawn from; simulate from a model with a proper prior"
        )
        raise DivergedError(msg)
    drawn = {**drawn, **more}
    if isinstance(model, LaidOutScoreModel):
        made = model.simulate_answers(second, observations, parameters)
        return replace(made, parameters={**drawn, **made.parameters})
    if not isinstance(model, EmissionModel):
        msg = "the model gives a score but no way to draw answers"
        raise TypeError(msg)
    log_prior = jnp.broadcast_to(
        log_prior_of_truth(observations, parameters),
        (observations.num_units, observations.state.shape[1]),
    )
    slot = jax.random.categorical(second, log_prior)
    lists = jnp.broadcast_to(observations.state, log_prior.shape)
    state = jnp.take_along_axis(lists, slot[:, None], axis=1)[:, 0]
    emission = model.emission(observations, parameters)
    answer = emission.sample(third, observations, state)
    return Simulated(drawn, state, answer)


def _drawn(
    model: AnnotatorModel[Any],
    observations: Observations,
    key: Key[Array, ""],
    given: Parameters,
) -> tuple[Parameters, Parameters, Parameters]:
    """Return parameters by name, what follows from them, and as the model has them."""
    with trace() as sites, substitute(data=given), seed(rng_seed=key):
        parameters = sample_parameters(model, observations)
    reported = ("sample", "deterministic")
    by_name = {
        name: site["value"] for name, site in sites.items() if site["type"] in reported
    }
    return by_name, derived(model, observations, parameters), parameters


def can_restore_parameters(
    model: AnnotatorModel[Any], observations: Observations, names: Collection[str]
) -> bool:
    """Return whether parameters of some names say all that the emission wants."""
    if isinstance(model, ClosedFormModel):
        closed = set(model.priors(observations))
        return bool(closed) and closed <= set(names)
    return isinstance(model, SampledModel)


def parameters_from_draw(
    model: AnnotatorModel[Any],
    observations: Observations,
    values: Mapping[str, Shaped[np.ndarray | Array, "..."]],
) -> Parameters:
    """Return parameters as the emission wants them, from one reported draw.

    Closed forms want the logarithms of what they report; a program is run again with
    what it had sampled.
    """
    if isinstance(model, ClosedFormModel):
        closed = model.priors(observations)
        if closed and closed.keys() <= values.keys():
            free = {*model.normals(observations)}
            if observations.has_covariates:
                free.add(WEIGHT)
            logs = {name: jnp.log(jnp.maximum(values[name], TINY)) for name in closed}
            return {**logs, **{name: jnp.asarray(values[name]) for name in free}}
    drawn = {name: jnp.asarray(value) for name, value in values.items()}
    program = seed(substitute(sample_parameters, data=drawn), jax.random.key(0))
    parameters: Parameters = program(model, observations)
    return parameters


_compiled = jax.jit(_drawn, static_argnames="model")
