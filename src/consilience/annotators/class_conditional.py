r"""Class-conditional: each annotator has an accuracy for each true label.

.. math::

   y_{ij} \mid z_i = k \ \begin{cases} \text{is right} & \text{with } a_{jk} \\
   \text{is each wrong answer} & \text{with } (1 - a_{jk}) / (L - 1) \end{cases}
   \qquad a_{jk} \sim \mathrm{Beta}(\alpha_k, \beta_k)

Between one coin (one number an annotator) and Dawid-Skene (a whole confusion): some
labels are harder than others, and not for everyone alike; errors go anywhere. The prior
of each label's accuracies is learned from all annotators.
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
    right_and_wrong,
)


@dataclass(frozen=True, slots=True)
class Prior:
    """Imagined counts: right answers, wrong answers, items.

    Attributes
    ----------
    right, wrong, held
        Where the learned Beta distribution of each label's accuracies starts, and the
        weight of that start in annotators.
    prevalence
        Imagined items of each state.
    """

    right: float = 4.0
    wrong: float = 2.0
    held: float = 1.0
    prevalence: float = 1.0


def dirichlet(observations: Coding, prior: Prior) -> Mapping[str, Dirichlet]:
    """Return the priors of prevalence and of each annotator's accuracies."""
    states = observations.num_states
    skill = np.tile(np.array([prior.right, prior.wrong]), (states, 1))
    shape = (observations.num_annotators, states, 2)
    return {
        "prevalence": Dirichlet(np.full(states, prior.prevalence), (states,)),
        "skill": Dirichlet(skill, shape, hyperprior_weight=prior.held),
    }


def emission(observations: Coding, parameters: Parameters) -> ByConfusion:
    """Return the confusion that the accuracies make."""
    right, wrong = parameters["skill"][..., 0], parameters["skill"][..., 1:]
    each = wrong - np.log(observations.num_answers - 1)
    return ByConfusion(right_and_wrong(observations, right, each))


MODEL = DirichletTableModel(
    prior=Prior(),
    dims={
        "prevalence": ("true_class",),
        "skill": ("annotator", "true_class", "right_wrong"),
        "skill_prior": ("true_class", "right_wrong"),
        "confusion": ("annotator", "true_class", "given_class"),
    },
    engines=("vb", "em", "nuts", "svi"),
    references=("Pullin, Gurrin and Vukcevic (2023), The R package rater",),
    dirichlet=dirichlet,
    emission=emission,
)
