r"""Dawid-Skene: each annotator has a confusion of their own, estimated as it comes.

.. math::

   z_i \sim \mathrm{Cat}(\pi), \qquad
   y_{ij} \mid z_i = k \sim \mathrm{Cat}(\theta_{jk})

Maximum likelihood, by EM from the vote shares, as in the paper of 1979. A thousandth of
a count on every cell keeps probabilities off zero. With few answers per annotator and
class it overfits, and its posteriors are overconfident; the hierarchical model corrects
the first.
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
    """Counts added to every cell.

    Enough to keep a class that an annotator never met from being impossible, too few
    to move the posteriors printed in the paper: .0007 at most, where a hundredth of a
    count moved one by .007.
    """

    smoothing: float = 0.001


def dirichlet(observations: Coding, prior: Prior) -> Mapping[str, Dirichlet]:
    """Return the same small count for every cell."""
    annotators = observations.num_annotators
    states, answers = observations.num_states, observations.num_answers
    confusion = np.full((states, answers), prior.smoothing)
    prevalence = np.full(states, prior.smoothing)
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
    engines=("em",),
    references=("Dawid and Skene (1979), section 3",),
    dirichlet=dirichlet,
    emission=emission,
)
