r"""Item difficulty: all annotators are alike, but some items are harder than others.

.. math::

   y_{ij} \mid z_i = k \sim \mathrm{Cat}(\mathrm{softmax}(V \mu_k - x_i \chi_k e_k)),
   \qquad x_i \sim N(0, 1)

.. math::

   \mu_k \sim N(V^\top m_k, \tau^2 I), \quad \chi_k \sim N^+(0, 1)

with :math:`e_k` one at the answer that is right and zero elsewhere, :math:`V` a basis
of the vectors that sum to zero, :math:`m_k` two for the truth and :math:`\tau = .5`.
The difficulty :math:`x_i` is integrated out inside the item, on nodes. In Paun et al.
every answer's logit varies with the item, a vector of difficulties; here only that of
the right answer, one number. With two answers that is the same; with more, an item can
be hard here, but not tempt to one wrong answer more than others of its label do.

It needs no ids. Answers to one item are alike beyond their label, so that many who
agree on a hard item are not as many independent votes.
"""

from dataclasses import dataclass

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from jax.nn import log_softmax, logsumexp

from consilience.model import (
    BySubtype,
    Parameters,
    ProgramModel,
    correct_answer,
    normal_nodes,
    zero_sum_basis,
)
from consilience.truth import Observations


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of answers and items.

    Attributes
    ----------
    logit, population
        Mean and standard deviation of the log-odds of the truth over another answer;
        with no ids to go by, only they say which state is which.
    difficulty
        Scale of the half-normal prior of how much items differ.
    prevalence
        Imagined items of each state.
    nodes
        Nodes that the difficulty of an item is integrated on.
    """

    logit: float = 2.0
    population: float = 0.5
    difficulty: float = 1.0
    prevalence: float = 1.0
    nodes: float = 31.0


def parameters(observations: Observations, prior: Prior) -> Parameters:
    """Sample prevalence, log-odds and how much items differ; lay out the nodes."""
    states, basis = observations.num_states, zero_sum_basis(observations.num_answers)
    prevalence = numpyro.sample(
        "prevalence", dist.Dirichlet(jnp.full(states, prior.prevalence))
    )
    usual = dist.Normal(prior.logit * observations.votes.T @ basis, prior.population)
    population = numpyro.sample("population", usual.to_event(2))
    half = dist.HalfNormal(jnp.full(states, prior.difficulty))
    difficulty = numpyro.sample("difficulty", half.to_event(1))
    node, log_share = normal_nodes(int(prior.nodes))
    return {
        "prevalence": jnp.log(prevalence),
        "logits": population @ basis.T,
        "harder": difficulty[:, None] * node,
        "log_share": jnp.asarray(log_share),
    }


def emission(observations: Observations, parameters: Parameters) -> BySubtype:
    """Return the one confusion at each node of difficulty."""
    right = correct_answer(observations)
    away = parameters["harder"][:, :, None] * right[:, None]
    table = log_softmax(parameters["logits"][None, :, None] - away)
    return BySubtype(table, parameters["log_share"][None])


def derived(observations: Observations, parameters: Parameters) -> Parameters:
    """Return the confusion that all share, averaged over items."""
    subtypes = emission(observations, parameters)
    table = subtypes.log_confusion[0] + subtypes.log_share[:, :, None]
    return {"confusion": jnp.exp(logsumexp(table, axis=1))}


MODEL = ProgramModel(
    prior=Prior(),
    dims={
        "prevalence": ("true_class",),
        "population": ("true_class", "contrast"),
        "difficulty": ("true_class",),
        "confusion": ("true_class", "given_class"),
    },
    engines=("em", "nuts", "svi"),
    references=("Paun et al. (2018), section 3.5",),
    parameters=parameters,
    emission=emission,
    derived=derived,
    substates=lambda prior: int(prior.nodes),
)
