r"""The truth summed out: what follows from the score, for every model.

**The information of covariates, in answers of an annotator drawn at random.** Both are
information about the truth, given the list: that of the columns, and that of one answer
without them. Without columns each label has an attraction of its own, and the truth is
drawn from the list in proportion to it; the attractions are those that give each label
its share of the truths.

**The prior of the truth: prevalence, and covariates of candidates.** Where candidates
have columns of numbers :math:`x_{us}`, the prior is a multinomial logit over the list
of the unit,

.. math::

   p(z_u = s) = \frac{\pi_s \exp(x_{us}^\top \beta)}
                     {\sum_{t \in C_u} \pi_t \exp(x_{ut}^\top \beta)}, \qquad
   \beta \sim N(0, 1)

per standard deviation of each column. Weights are learned with the annotators, from
their answers and from gold; they start at zero, so that no score of a classifier is
taken at face value. (:math:`C_u` here are all labels that might have been on the list:
those that are not in the table, of which the list has only what was answered, share one
more weight.) Prevalence is then that of a unit whose candidates are all labels,
of which the columns say nothing: what the columns know of labels being common is not
counted twice.

Without columns the prior is the prevalence times the weight of the entry, not divided
(`truth.candidates` says why).

References
----------
McFadden (1974), Conditional logit analysis of qualitative choice behavior.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from jax.nn import logsumexp, softmax
from jaxtyping import Array, Float

from consilience.model.by_tables import ByTables
from consilience.model.contract import (
    PREVALENCE,
    WEIGHT,
    Answers,
    LaidOutAnswers,
    Model,
    Parameters,
    num_substates,
)
from consilience.model.on_shortlists import OnShortlists
from consilience.truth import Observations
from consilience.truth.arrays import AnyArray

LEAST = 1e-12  # of a probability
ROUNDS = 10  # of Hunter (2004), section 2; from even attractions, each a step nearer
MAX_TOLD = 1_000_000  # numbers in the tables of answers of the units that are looked at
NEVER = -1e30  # log-odds of what cannot be; finite, so that slopes are
SPREAD = 1.0  # prior standard deviation of a weight, as in `contains`; judgement


class Ran(NamedTuple):
    """A program that was run: the answers, the weights of columns, and what is known.

    `reported` are quantities that follow from the parameters, by name, and `sampled`
    the names of all that the program reports by itself.
    """

    answers: Answers
    weight: Float[Array, " P"] | None = None
    reported: Mapping[str, Callable[[], Any]] = MappingProxyType({})
    sampled: frozenset[str] = frozenset()


def marginal(scores: Float[Array, "U M"]) -> Float[Array, " U"]:
    """Return log p(the unit's answers | parameters), the truth summed out."""
    return logsumexp(scores, axis=-1)


def score(ran: Ran, observations: Observations) -> Float[AnyArray, "U M"]:
    """Return log p(state, the unit's answers | parameters)."""
    log_prior = log_prior_of_truth(ran, observations)
    scores: Float[AnyArray, "U M"] = ran.answers.log_joint(observations, log_prior)
    return scores


def log_likelihood(
    ran: Ran,
    observations: Observations,
    substates: int,
    evidence: Float[Array, "U S"] | None = None,
) -> Float[Array, " U"]:
    """Return log p(the unit's answers | parameters), of a score that is not needed."""
    if isinstance(ran.answers, LaidOutAnswers):
        if evidence is not None:
            log_prior_and_evidence = observations.log_prior + evidence
            observations = replace(observations, log_prior=log_prior_and_evidence)
        likelihood: Float[Array, " U"] = ran.answers.log_likelihood(observations)
        return likelihood
    scores = score(ran, observations)
    if evidence is not None:
        scores += jnp.repeat(evidence, substates, axis=1)
    return marginal(scores)


def belief(scores: Float[Array, "U M"]) -> Float[Array, "U M"]:
    """Return the posterior of each unit's state, given parameters."""
    return softmax(scores, axis=-1)


def posterior_of_truth(
    model: Model[Any], beliefs: Float[Array, "U M"]
) -> Float[Array, "U S"]:
    """Return the posterior of the truth: that of all states that share it."""
    split = num_substates(model)
    return beliefs.reshape(len(beliefs), -1, split).sum(-1)


def derived(ran: Ran, observations: Observations) -> dict[str, Any]:
    """Return what follows from the parameters and is reported with them, by name.

    Of answers by tables, the confusion of each annotator is among them.
    """
    quantities = {name: value() for name, value in ran.reported.items()}
    if isinstance(ran.answers, LaidOutAnswers):
        return {**quantities, **ran.answers.derived(observations)}
    if isinstance(ran.answers, ByTables):
        if "confusion" not in {*ran.sampled, *quantities}:
            quantities["confusion"] = ran.answers.confusion
        if PREVALENCE not in {*ran.sampled, *quantities}:
            quantities[PREVALENCE] = jnp.exp(ran.answers.log_prevalence)
    if observations.has_covariates and ran.answers.log_prevalence is not None:
        informed = share_of_list(observations, logit_of(ran))
        quantities["mean_prior"] = over_labels(observations, informed) / len(informed)
        value = relative_information(ran, observations)
        if value is not None:
            quantities["relative_information"] = value
    return quantities


def relative_information(
    ran: Ran, observations: Observations
) -> Float[Array, ""] | None:
    """Return the information of the columns over that of one answer.

    None where the model does not say what an annotator would answer.
    """
    informed = share_of_list(observations, logit_of(ran))
    without = _without_columns(observations, informed)
    answers = ran.answers
    if isinstance(answers, ByTables):
        table = answers.log_table + answers.log_share[:, :, None]
        answer = _in_tables(observations, jnp.exp(table).sum(2).mean(0), without)
    elif isinstance(answers, OnShortlists):
        answer = _on_lists(jnp.exp(answers.log_right).mean(), without)
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


def log_prior_of_truth(ran: Ran, observations: Observations) -> Float[AnyArray, "#U S"]:
    """Return log p(state) of each listed state, up to what is the same for all units.

    Units whose truth is not drawn with the prevalence have the weight of the entry
    alone; there are none where candidates have columns.

    What gold excludes has a prior of its own, but is not believed: so gold says what
    columns weigh.
    """
    log_prevalence = ran.answers.log_prevalence
    if log_prevalence is None:
        return observations.log_prior
    if ran.weight is None:
        prevalence = observations.listed(log_prevalence[None])
        return observations.prevalent * prevalence + observations.log_prior
    return log_logit(observations, logit_of(ran)) + observations.log_prior


def logit_of(ran: Ran) -> Parameters:
    """Return log prevalence and weights of the columns by name."""
    return {PREVALENCE: ran.answers.log_prevalence, WEIGHT: ran.weight}


def log_logit(observations: Observations, logit: Parameters) -> Float[Array, "U S"]:
    """Return the multinomial logit of each unit; gold is not looked at."""
    return _odds(observations, logit) - log_total(observations, logit)[:, None]


def log_total(observations: Observations, logit: Parameters) -> Float[Array, " U"]:
    """Return what the logit of each unit is divided by, as a logarithm.

    Labels that are not on the list for want of an answer count as well: which are on
    it must not depend on what was answered, or answers would count twice.
    """
    covariates = observations.prior_covariates
    listed = logsumexp(_odds(observations, logit), axis=1)
    every = jnp.exp(logit[PREVALENCE])
    there = jnp.where(covariates.real, observations.listed(every[None]), 0.0).sum(1)
    rest = every.sum() - there
    some = covariates.open & (rest > 0)
    distant = covariates.unlisted @ logit[WEIGHT]
    others = jnp.where(some, distant + jnp.log(jnp.where(some, rest, 1.0)), NEVER)
    total: Float[Array, " U"] = jnp.logaddexp(listed, others)
    return total


def share_of_list(observations: Observations, logit: Parameters) -> Float[Array, "U S"]:
    """Return the prior of each candidate, given that the truth is on the list."""
    return softmax(_odds(observations, logit), axis=1)


def _odds(observations: Observations, logit: Parameters) -> Float[Array, "U S"]:
    covariates = observations.prior_covariates
    odds = observations.listed(logit[PREVALENCE][None])
    odds += covariates.value @ logit[WEIGHT]
    return jnp.where(covariates.real, odds, NEVER)


def over_labels(
    observations: Observations, listed: Float[Array, "U S"]
) -> Float[Array, " K"]:
    """Sum over units what each has at the places of its list."""
    column: Float[Array, "K 1"] = observations.by_state.T @ listed.T.reshape(-1, 1)
    return column[:, 0]


def sample_weights(observations: Observations) -> Float[Array, " P"] | None:
    """Sample the weights of columns beside the model's own parameters, if there are."""
    if not observations.has_covariates:
        return None
    number = observations.prior_covariates.value.shape[2]
    wide = dist.Normal(jnp.zeros(number), SPREAD).to_event(1)
    weight: Float[Array, " P"] = numpyro.sample(WEIGHT, wide)
    return weight
