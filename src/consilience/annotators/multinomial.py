r"""Pooled multinomial: all annotators share one confusion.

.. math::

   z_i \sim \mathrm{Cat}(\pi), \quad y_{ij} \mid z_i = k \sim \mathrm{Cat}(\theta_k),
   \qquad \theta_k \sim \mathrm{Dir}(\alpha_k), \ \pi \sim \mathrm{Dir}(\beta)

The right model for anonymous annotators and for counts: nothing ties two answers to one
person. It needs three or more answers an item to tell a confusing label from a rare
one; with fewer the prior decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from consilience.model import (
    ByConfusion,
    Coding,
    Dirichlet,
    DirichletTableModel,
    Parameters,
)


@dataclass(frozen=True, slots=True)
class Prior:
    """Imagined counts: answers that are votes for the true state, other answers, items.

    `own` and `other` are those of Paun et al. (2018), figure 1: 1 + 2 and 1.
    """

    own: float = 3.0
    other: float = 1.0
    prevalence: float = 1.0


def dirichlet(observations: Coding, prior: Prior) -> Mapping[str, Dirichlet]:
    """Return the priors of prevalence and of the one confusion."""
    states, answers = observations.num_states, observations.num_answers
    confusion = prior.other + (prior.own - prior.other) * observations.votes.T
    prevalence = np.full(states, prior.prevalence)
    return {
        "prevalence": Dirichlet(prevalence, (states,)),
        "confusion": Dirichlet(confusion, (states, answers)),
    }


def emission(observations: Coding, parameters: Parameters) -> ByConfusion:
    """Return the confusion that all annotators share."""
    del observations
    return ByConfusion(parameters["confusion"][None])


MODEL = DirichletTableModel(
    prior=Prior(),
    dims={
        "prevalence": ("true_class",),
        "confusion": ("true_class", "given_class"),
    },
    engines=("vb", "em", "nuts", "svi"),
    references=("Paun et al. (2018), section 3.1",),
    dirichlet=dirichlet,
    emission=emission,
)
