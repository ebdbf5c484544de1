r"""Logistic random effects: annotators differ, and items differ in difficulty.

.. math::

   y_{ij} \mid z_i = k \sim
   \mathrm{Cat}(\mathrm{softmax}(V \beta_{jk} - x_i \chi_k e_k)), \qquad
   x_i \sim N(0, 1), \ \chi_k \sim N^+(0, 1)

.. math::

   \beta_{jk} \sim N(\mu_k, \sigma^2 I), \quad
   \mu_k \sim N(V^\top m_k, \tau^2 I), \quad \sigma \sim N^+(0, 1)

with :math:`e_k` one at the answer that is right and zero elsewhere, :math:`V` a basis
of the vectors that sum to zero, :math:`m_k` two for the truth and :math:`\tau = .5`:
hierarchical Dawid-Skene with an item effect. The difficulty :math:`x_i` is integrated
out inside the item, on nodes.

In Paun et al. difficulty is a vector, one number an answer; here one number, that of
the right answer, which with two answers is the same. There each label has a spread of
its own; here one :math:`\sigma` serves all, for with two answers an annotator `em` made
one label of five a home for whatever was odd (spread 2.9 there and .1 elsewhere; .63 of
300 items right, where one spread gets .86).

`em` finds the mode in the coordinates of `model.log_odds`, in which :math:`\sigma` is
estimated nearly as if the annotators were integrated out.
"""

from dataclasses import dataclass

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist

from consilience.model import (
    BySubtype,
    Information,
    Parameters,
    ProgramModel,
    by_difficulty,
    information,
    sample_difficulty,
    sample_population,
    sample_rows,
)
from consilience.truth import Observations


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of annotators and items.

    Attributes
    ----------
    logit, population
        Mean and standard deviation of the log-odds of the truth over another answer.
    spread
        Scale of the half-normal prior of the spread between annotators.
    difficulty
        Scale of the half-normal prior of how much items differ.
    prevalence
        Imagined items of each state.
    nodes
        Nodes that the difficulty of an item is integrated on.
    own, other
        Imagined answers that smooth the first look at each annotator, from which
        only the coordinates are taken.
    """

    logit: float = 2.0
    population: float = 0.5
    spread: float = 1.0
    difficulty: float = 1.0
    prevalence: float = 1.0
    nodes: float = 31.0
    own: float = 4.0
    other: float = 1.0


def parameters(observations: Observations, prior: Prior) -> Parameters:
    """Sample prevalence, annotators and how much items differ; lay out the nodes."""
    states = observations.num_states
    prevalence = numpyro.sample(
        "prevalence", dist.Dirichlet(jnp.full(states, prior.prevalence))
    )
    population = sample_population(observations, prior.logit, prior.population)
    spread = numpyro.sample("spread", dist.HalfNormal(prior.spread))
    rows = sample_rows(observations, population, spread[None])
    harder, log_share = sample_difficulty(
        observations, prior.difficulty, int(prior.nodes)
    )
    return {
        "prevalence": jnp.log(prevalence),
        "logits": rows,
        "harder": harder,
        "log_share": log_share,
    }


def emission(observations: Observations, parameters: Parameters) -> BySubtype:
    """Return each annotator's confusion at each node of difficulty."""
    logits = parameters["logits"]
    harder, log_share = parameters["harder"], parameters["log_share"]
    return by_difficulty(observations, logits, harder, log_share)


def prepare(observations: Observations, prior: Prior) -> Information:
    """Return the information in the answers of each confusion row."""
    return information(observations, prior.own, prior.other)


MODEL = ProgramModel(
    prior=Prior(),
    dims={
        "prevalence": ("true_class",),
        "population": ("true_class", "contrast"),
        "spread": (),
        "distance": ("annotator", "true_class", "contrast"),
        "difficulty": ("true_class",),
        "confusion": ("annotator", "true_class", "given_class"),
    },
    engines=("em", "nuts", "svi"),
    references=("Paun et al. (2018), section 3.6",),
    parameters=parameters,
    prepare=prepare,
    emission=emission,
    substates=lambda prior: int(prior.nodes),
)
