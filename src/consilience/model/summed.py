"""The truth summed out: what follows from the score, for every model."""

from dataclasses import replace
from typing import Any

import jax.numpy as jnp
from jax.nn import logsumexp, softmax
from jaxtyping import Array, Float

from consilience.model.contract import AnnotatorModel, EmissionModel, Parameters
from consilience.model.emissions.emission import (
    ByConfusion,
    ByMixture,
    BySubtype,
    Emission,
)
from consilience.model.properties import num_substates
from consilience.model.records import LaidOutScoreModel
from consilience.model.truth_prior.prevalence import (
    log_prior_of_truth,
    over_labels,
    share_of_list,
)
from consilience.model.truth_prior.relative_information import relative_information
from consilience.truth import Observations


def marginal(scores: Float[Array, "U M"]) -> Float[Array, " U"]:
    """Return log p(the unit's answers | parameters), the truth summed out."""
    return logsumexp(scores, axis=-1)


def log_likelihood(
    model: AnnotatorModel[Any],
    observations: Observations,
    parameters: Parameters,
    evidence: Float[Array, "U S"] | None = None,
) -> Float[Array, " U"]:
    """Return log p(the unit's answers | parameters), of a score that is not needed."""
    if isinstance(model, LaidOutScoreModel):
        if evidence is not None:
            log_prior_and_evidence = observations.log_prior + evidence
            observations = replace(observations, log_prior=log_prior_and_evidence)
        return model.log_likelihood(observations, parameters)
    scores = model.score(observations, parameters)
    if evidence is not None:
        scores += jnp.repeat(evidence, num_substates(model), axis=1)
    return marginal(scores)


def belief(scores: Float[Array, "U M"]) -> Float[Array, "U M"]:
    """Return the posterior of each unit's state, given parameters."""
    return softmax(scores, axis=-1)


def posterior_of_truth(
    model: AnnotatorModel[Any], beliefs: Float[Array, "U M"]
) -> Float[Array, "U S"]:
    """Return the posterior of the truth: that of all states that share it."""
    split = num_substates(model)
    return beliefs.reshape(len(beliefs), -1, split).sum(-1)


def derived(
    model: AnnotatorModel[Any], observations: Observations, parameters: Parameters
) -> Parameters:
    """Return what follows from the parameters and is reported with them, by name.

    Where the emission is a confusion that is not a parameter itself, it is among them.
    """
    quantities = dict(model.derived(observations, parameters))
    if not isinstance(model, EmissionModel):
        return quantities
    if "confusion" not in {*parameters, *quantities}:
        match model.emission(observations, parameters):
            case ByConfusion(table):
                quantities["confusion"] = jnp.exp(table)
            case ByMixture(parts):
                quantities["confusion"] = jnp.exp(logsumexp(parts, axis=0))
            case BySubtype(table, share):
                quantities["confusion"] = jnp.exp(
                    logsumexp(table + share[..., None], 2)
                )
            case _:
                pass
    if observations.has_covariates:
        informed = share_of_list(observations, parameters)
        quantities["mean_prior"] = over_labels(observations, informed) / len(informed)
        emission = model.emission(observations, parameters)
        value = relative_information(observations, parameters, emission)
        if value is not None:
            quantities["relative_information"] = value
    return quantities


def log_prior(
    observations: Observations, parameters: Parameters, emission: Emission
) -> Float[Array, "#U M"]:
    """Return log p(state), and subtype where the emission has such."""
    prior = log_prior_of_truth(observations, parameters)
    if not isinstance(emission, BySubtype):
        return prior
    shape = (observations.num_states, emission.log_share.shape[1])
    share = observations.listed(jnp.broadcast_to(emission.log_share, shape)[None])
    whole = prior[:, :, None] + share
    return whole.reshape(len(whole), -1)
