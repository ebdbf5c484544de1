"""The truth summed out: what follows from the score, for every model.

**The information of covariates, in answers of an annotator drawn at random.** Both are
information about the truth, given the list: that of the columns, and that of one answer
without them. Without columns each label has an attraction of its own, and the truth is
drawn from the list in proportion to it; the attractions are those that give each label
its share of the truths.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
from jax.nn import logsumexp, softmax
from jaxtyping import Array, Float

from consilience.model.contract import (
    AnnotatorModel,
    EmissionModel,
    Parameters,
    num_substates,
)
from consilience.model.emission import (
    ByConfusion,
    ByMixture,
    BySubtype,
    Emission,
    by_subtype,
)
from consilience.model.on_shortlists import OnShortlists
from consilience.model.records import LaidOutScoreModel
from consilience.model.truth_prior.prevalence import (
    log_prior_of_truth,
    over_labels,
    share_of_list,
)
from consilience.truth import Observations

LEAST = 1e-12  # of a probability
ROUNDS = 10  # of Hunter (2004), section 2; from even attractions, each a step nearer
MAX_TOLD = 1_000_000  # numbers in the tables of answers of the units that are looked at


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


def relative_information(
    observations: Observations, parameters: Parameters, emission: Emission
) -> Float[Array, ""] | None:
    """Return the information of the columns over that of one answer.

    None where the model does not say what an annotator would answer.
    """
    informed = share_of_list(observations, parameters)
    without = _without_columns(observations, informed)
    tables = by_subtype(emission)
    if tables is not None:
        table = tables.log_confusion + tables.log_share[:, :, None]
        answer = _in_tables(observations, jnp.exp(table).sum(2).mean(0), without)
    elif isinstance(emission, OnShortlists):
        answer = _on_lists(jnp.exp(emission.log_right).mean(), without)
    else:
        return None
    gain = _negative_entropy(informed).sum() - (informed * _log(without)).sum()
    return gain / len(informed) / jnp.maximum(answer, LEAST)


def _without_columns(
    observations: Observations, informed: Float[Array, "U S"]
) -> Float[Array, "U S"]:
    """Return the prior that whoever has no columns would have, by label alone."""
    covariates = observations.prior_covariates
    true = over_labels(observations, informed)

    def listed(attraction: Float[Array, " K"]) -> Float[Array, "U S"]:
        return jnp.where(covariates.real, observations.listed(attraction[None]), 0.0)

    def nearer(_: Any, attraction: Float[Array, " K"]) -> Float[Array, " K"]:
        whole = listed(attraction).sum(1, keepdims=True)
        stake = over_labels(observations, covariates.real / whole)
        return jnp.where(stake > 0, true / jnp.maximum(stake, LEAST), attraction)

    shares = listed(jax.lax.fori_loop(0, ROUNDS, nearer, jnp.ones_like(true)))
    return shares / jnp.maximum(shares.sum(1, keepdims=True), LEAST)


def _in_tables(
    observations: Observations,
    confusion: Float[Array, "K L"],
    prior: Float[Array, "U S"],
) -> Float[Array, ""]:
    """Return the mean information of an answer over some units, evenly taken."""
    units, states = prior.shape
    every = max(units * states * confusion.shape[1] // MAX_TOLD, 1)
    some = prior[::every]
    state = observations.state[::every]
    answer = jnp.einsum("us,usl->ul", some, confusion[state])
    given = (some * _negative_entropy(confusion)[state]).sum(1)
    return (given - _negative_entropy(answer)).mean()


def _on_lists(right: Float[Array, ""], prior: Float[Array, "U S"]) -> Float[Array, ""]:
    """Return the mean information where errors fall evenly on the rest of the list."""
    others = jnp.maximum((prior > 0).sum(1) - 1, 1)
    wrong = (1 - right) / others
    answer = jnp.where(prior > 0, wrong[:, None] + (right - wrong)[:, None] * prior, 0)
    given = right * _log(right) + (1 - right) * _log(wrong)
    alone = (prior > 0).sum(1) == 1
    return jnp.where(alone, 0.0, given - _negative_entropy(answer)).mean()


def _negative_entropy(share: Float[Array, "*rows _"]) -> Float[Array, "*rows"]:
    return (share * _log(share)).sum(-1)


def _log(share: Float[Array, "*any"]) -> Float[Array, "*any"]:
    return jnp.log(jnp.maximum(share, LEAST))
