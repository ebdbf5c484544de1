r"""Hierarchical Dawid-Skene: annotators are drawn from a population that is learned.

Closed form (`vb`): the Dirichlet prior of the confusions is itself estimated,

.. math::

   \theta_{jk} \sim \mathrm{Dir}(\alpha_k), \qquad
   \alpha_{kl} \sim \mathrm{Gamma}(1 + h a_{kl},\ h)

with mode :math:`a_{kl}` of four for the truth and one for other answers, held with the
weight of `h` annotators. Sampling (`nuts`, `svi`): the same idea in log-odds,

.. math::

   \theta_{jk} = \mathrm{softmax}(V \beta_{jk}), \quad
   \beta_{jk} \sim N(\mu_k, \sigma_k^2 I), \quad
   \mu_k \sim N(V^\top m_k, I), \quad \sigma_k \sim N^+(0, 1)

with :math:`m_k` two for the truth and zero for other answers; basis :math:`V` and the
coordinates that are sampled are those of `model.log_odds`.

An annotator with few answers borrows from the others, as much as the others are alike.
With ids it is the default for contains, and for choice the first of those compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from jax.nn import log_softmax

from consilience.model import (
    AnnotatorModel,
    ByConfusion,
    Dirichlet,
    Information,
    Parameters,
    information,
    sample_population,
    sample_rows,
)
from consilience.truth import Observations


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of the population.

    Attributes
    ----------
    own, other, held
        Closed form: mode of the learned concentration, and its weight in annotators.
    logit
        Sampling: log-odds of the truth over another answer, before its spread of one.
    spread
        Sampling: scale of the half-normal prior of the spread between annotators.
    prevalence
        Imagined items of each state.
    """

    own: float = 4.0
    other: float = 1.0
    held: float = 1.0
    logit: float = 2.0
    spread: float = 1.0
    prevalence: float = 1.0


def dirichlet(observations: Observations, prior: Prior) -> Mapping[str, Dirichlet]:
    """Return the priors of the closed form; that of the confusions is learned."""
    annotators = observations.num_annotators
    states, answers = observations.num_states, observations.num_answers
    confusion = prior.other + (prior.own - prior.other) * observations.votes.T
    prevalence = jnp.full(states, prior.prevalence)
    shape = (annotators, states, answers)
    return {
        "prevalence": Dirichlet(prevalence, (states,)),
        "confusion": Dirichlet(confusion, shape, held=prior.held),
    }


def parameters(observations: Observations, prior: Prior) -> Parameters:
    """Sample population, spread and every annotator's standardised distance."""
    states = observations.num_states
    prevalence = numpyro.sample(
        "prevalence", dist.Dirichlet(jnp.full(states, prior.prevalence))
    )
    population = sample_population(observations, prior.logit)
    spread = numpyro.sample(
        "spread", dist.HalfNormal(jnp.full(states, prior.spread)).to_event(1)
    )
    log_confusion = log_softmax(sample_rows(observations, population, spread))
    numpyro.deterministic("confusion", jnp.exp(log_confusion))
    return {"prevalence": jnp.log(prevalence), "confusion": log_confusion}


def emission(observations: Observations, parameters: Parameters) -> ByConfusion:
    """Return the confusion of each annotator."""
    del observations
    return ByConfusion(parameters["confusion"])


def prepare(observations: Observations, prior: Prior) -> Information:
    """Return the information in the answers of each confusion row."""
    return information(observations, prior.own, prior.other)


MODEL = AnnotatorModel(
    prior=Prior(),
    dims={
        "prevalence": ("true_class",),
        "confusion": ("annotator", "true_class", "given_class"),
        "population": ("true_class", "contrast"),
        "spread": ("true_class",),
        "distance": ("annotator", "true_class", "contrast"),
    },
    engines=("vb", "nuts", "svi"),
    references=(
        "Paun et al. (2018), section 3.4",
        "Louis (1982), Finding the observed information matrix, section 3",
        "Minka (2000), Estimating a Dirichlet distribution, section 2",
        "Kleppe (2019), Dynamically rescaled Hamiltonian Monte Carlo, section 3",
    ),
    dirichlet=dirichlet,
    parameters=parameters,
    prepare=prepare,
    emission=emission,
)
