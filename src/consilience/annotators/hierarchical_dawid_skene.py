r"""Hierarchical Dawid-Skene: annotators are drawn from a population that is learned.

The Dirichlet prior of the confusions is itself estimated,

.. math::

   z_i \sim \mathrm{Cat}(\pi), \quad
   y_{ij} \mid z_i = k \sim \mathrm{Cat}(\theta_{jk}), \qquad
   \theta_{jk} \sim \mathrm{Dir}(\alpha_k), \
   \alpha_{kl} \sim \mathrm{Gamma}(1 + h a_{kl},\ h)

with mode :math:`a_{kl}` of four for the truth and one for other answers, held with the
weight of `h` annotators. All engines take this prior; that of `logistic_dawid_skene` is
the same idea in log-odds.

An annotator with few answers borrows from the others, as much as the others are alike.
With ids it is the default for contains, and for choice the first of those compared.
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
    """What is believed of the population.

    Attributes
    ----------
    own, other, held
        Mode of the learned concentration, for the truth and for other answers, and its
        weight in annotators.
    prevalence
        Imagined items of each state.
    """

    own: float = 4.0
    other: float = 1.0
    held: float = 1.0
    prevalence: float = 1.0


def dirichlet(observations: Coding, prior: Prior) -> Mapping[str, Dirichlet]:
    """Return the priors of prevalence and confusions; that of these is learned."""
    annotators = observations.num_annotators
    states, answers = observations.num_states, observations.num_answers
    confusion = prior.other + (prior.own - prior.other) * observations.votes.T
    prevalence = np.full(states, prior.prevalence)
    shape = (annotators, states, answers)
    return {
        "prevalence": Dirichlet(prevalence, (states,)),
        "confusion": Dirichlet(confusion, shape, hyperprior_weight=prior.held),
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
        "confusion_prior": ("true_class", "given_class"),
    },
    engines=("vb", "nuts", "svi"),
    references=(
        "Paun et al. (2018), section 3.4",
        "Minka (2000), Estimating a Dirichlet distribution, section 2",
    ),
    dirichlet=dirichlet,
    emission=emission,
)
