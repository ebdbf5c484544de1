r"""The prior of the truth: prevalence, and covariates of candidates.

Where candidates have columns of numbers :math:`x_{us}`, the prior is a multinomial
logit over the list of the unit,

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

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from jax.nn import logsumexp, softmax
from jaxtyping import Array, Float

from consilience.model.contract import PREVALENCE, WEIGHT, Parameters
from consilience.truth import Observations

NEVER = -1e30  # log-odds of what cannot be; finite, so that slopes are
SPREAD = 1.0  # prior standard deviation of a weight, as in `contains`; judgement


def log_prior_of_truth(
    observations: Observations, parameters: Parameters
) -> Float[Array, "#U S"]:
    """Return log p(state) of each listed state, up to what is the same for all units.

    Units whose truth is not drawn with the prevalence have the weight of the entry
    alone; there are none where candidates have columns.

    What gold excludes has a prior of its own, but is not believed: so gold says what
    columns weigh.
    """
    if not observations.has_covariates:
        prevalence = observations.listed(parameters[PREVALENCE][None])
        return observations.prevalent * prevalence + observations.log_prior
    return log_logit(observations, parameters) + observations.log_prior


def log_logit(
    observations: Observations, parameters: Parameters
) -> Float[Array, "U S"]:
    """Return the multinomial logit of each unit; gold is not looked at."""
    return (
        _odds(observations, parameters) - log_total(observations, parameters)[:, None]
    )


def log_total(observations: Observations, parameters: Parameters) -> Float[Array, " U"]:
    """Return what the logit of each unit is divided by, as a logarithm.

    Labels that are not on the list for want of an answer count as well: which are on
    it must not depend on what was answered, or answers would count twice.
    """
    covariates = observations.prior_covariates
    listed = logsumexp(_odds(observations, parameters), axis=1)
    every = jnp.exp(parameters[PREVALENCE])
    there = jnp.where(covariates.real, observations.listed(every[None]), 0.0).sum(1)
    rest = every.sum() - there
    some = covariates.open & (rest > 0)
    distant = covariates.unlisted @ parameters[WEIGHT]
    others = jnp.where(some, distant + jnp.log(jnp.where(some, rest, 1.0)), NEVER)
    total: Float[Array, " U"] = jnp.logaddexp(listed, others)
    return total


def share_of_list(
    observations: Observations, parameters: Parameters
) -> Float[Array, "U S"]:
    """Return the prior of each candidate, given that the truth is on the list."""
    return softmax(_odds(observations, parameters), axis=1)


def _odds(observations: Observations, parameters: Parameters) -> Float[Array, "U S"]:
    covariates = observations.prior_covariates
    odds = observations.listed(parameters[PREVALENCE][None])
    odds += covariates.value @ parameters[WEIGHT]
    return jnp.where(covariates.real, odds, NEVER)


def over_labels(
    observations: Observations, listed: Float[Array, "U S"]
) -> Float[Array, " K"]:
    """Sum over units what each has at the places of its list."""
    column: Float[Array, "K 1"] = observations.by_state.T @ listed.T.reshape(-1, 1)
    return column[:, 0]


def sample_weights(observations: Observations, parameters: Parameters) -> Parameters:
    """Sample the weights of columns beside the model's own parameters, if there are."""
    if not observations.has_covariates:
        return parameters
    number = observations.prior_covariates.value.shape[2]
    wide = dist.Normal(jnp.zeros(number), SPREAD).to_event(1)
    return {**parameters, WEIGHT: numpyro.sample(WEIGHT, wide)}
