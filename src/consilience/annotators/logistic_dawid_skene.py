r"""Logistic Dawid-Skene: annotators' log-odds are drawn from a learned population.

.. math::

   \theta_{jk} = \mathrm{softmax}(V \beta_{jk}), \quad
   \beta_{jk} \sim N(\mu_k, \sigma_k^2 I), \quad
   \mu_k \sim N(V^\top m_k, I), \quad \sigma_k \sim N^+(0, 1)

with :math:`m_k` two for the truth and zero for other answers; basis :math:`V` and the
coordinates that are sampled are those of `model.log_odds`. It is the idea of
`hierarchical_dawid_skene` without a closed form: the population has a mean and a spread
of its own for each label, and there is no concentration that is both.
"""

from dataclasses import dataclass

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from jax.nn import log_softmax

from consilience.model import (
    ByConfusion,
    Information,
    Parameters,
    ProgramModel,
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
    logit
        Log-odds of the truth over another answer, before its spread of one.
    spread
        Scale of the half-normal prior of the spread between annotators.
    prevalence
        Imagined items of each state.
    own, other
        Imagined answers that smooth the first look at each annotator, from which
        only the coordinates are taken.
    """

    logit: float = 2.0
    spread: float = 1.0
    prevalence: float = 1.0
    own: float = 4.0
    other: float = 1.0


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
    rows = sample_rows(observations, population, spread)
    return {"prevalence": jnp.log(prevalence), "log_confusion": log_softmax(rows)}


def emission(observations: Observations, parameters: Parameters) -> ByConfusion:
    """Return the confusion of each annotator."""
    del observations
    return ByConfusion(parameters["log_confusion"])


def prepare(observations: Observations, prior: Prior) -> Information:
    """Return the information in the answers of each confusion row."""
    return information(observations, prior.own, prior.other)


MODEL = ProgramModel(
    prior=Prior(),
    dims={
        "prevalence": ("true_class",),
        "population": ("true_class", "contrast"),
        "spread": ("true_class",),
        "distance": ("annotator", "true_class", "contrast"),
        "confusion": ("annotator", "true_class", "given_class"),
    },
    engines=("em", "nuts", "svi"),
    references=(
        "Paun et al. (2018), section 3.4",
        "Louis (1982), Finding the observed information matrix, section 3",
        "Kleppe (2019), Dynamically rescaled Hamiltonian Monte Carlo, section 3",
    ),
    parameters=parameters,
    prepare=prepare,
    emission=emission,
)
