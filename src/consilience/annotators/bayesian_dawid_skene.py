r"""Bayesian Dawid-Skene: a confusion for each annotator, under a fixed prior (IBCC).

.. math::

   z_i \sim \mathrm{Cat}(\pi), \quad
   y_{ij} \mid z_i = k \sim \mathrm{Cat}(\theta_{jk}), \qquad
   \theta_{jk} \sim \mathrm{Dir}(\alpha_k), \ \pi \sim \mathrm{Dir}(\beta)

with four imagined answers for the truth and one for each other answer. The prior keeps
annotators with few answers near a fair guess and the labels from switching names. It is
the same for all data; the hierarchical model learns it.
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

    Four and one are those of Li, Rubinstein and Cohn (2019), section 5.
    """

    own: float = 4.0
    other: float = 1.0
    prevalence: float = 1.0


def dirichlet(observations: Coding, prior: Prior) -> Mapping[str, Dirichlet]:
    """Return the priors of prevalence and of each annotator's confusion."""
    annotators = observations.num_annotators
    states, answers = observations.num_states, observations.num_answers
    confusion = prior.other + (prior.own - prior.other) * observations.votes.T
    prevalence = np.full(states, prior.prevalence)
    return {
        "prevalence": Dirichlet(prevalence, (states,)),
        "confusion": Dirichlet(confusion, (annotators, states, answers)),
    }


def emission(observations: Coding, parameters: Parameters) -> ByConfusion:
    """Return the confusion of each annotator."""
    del observations
    return ByConfusion(parameters["confusion"])


MODEL = DirichletTableModel(
    prior=Prior(),
    dims={
        "prevalence": ("true_class",),
        "confusion": ("annotator", "true_class", "given_class"),
    },
    engines=("vb", "em", "nuts", "svi"),
    references=(
        "Dawid and Skene (1979)",
        "Kim and Ghahramani (2012), section 2",
        "Li, Rubinstein and Cohn (2019), section 5",
    ),
    dirichlet=dirichlet,
    emission=emission,
)
