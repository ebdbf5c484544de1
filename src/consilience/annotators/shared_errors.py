r"""One coin with shared errors: accuracies differ, but all err towards the same labels.

.. math::

   p(y_{ij} = l \mid z_i = k) = \begin{cases} a_j & l = k \\
   (1 - a_j)\, \phi_{kl} & l \ne k \end{cases}
   \qquad a_j \sim \mathrm{Beta}(\alpha, \beta), \ \phi_k \sim \mathrm{Dir}(\delta)

One number an annotator says how often they err, one table for all says towards what:
what a husky is mistaken for depends on huskies. With two labels it is one coin.
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
    """Imagined counts: right answers, wrong answers, each shared error, items.

    Attributes
    ----------
    right, wrong, held
        Where the learned Beta distribution of accuracies starts, and the weight of
        that start in annotators.
    error
        Imagined answers of each wrong label, for each truth.
    prevalence
        Imagined items of each state.
    """

    right: float = 4.0
    wrong: float = 2.0
    held: float = 1.0
    error: float = 1.0
    prevalence: float = 1.0


def dirichlet(observations: Coding, prior: Prior) -> Mapping[str, Dirichlet]:
    """Return the priors of prevalence, accuracies and the shared errors."""
    states, others = observations.num_states, observations.num_answers - 1
    skill = np.array([prior.right, prior.wrong])
    return {
        "prevalence": Dirichlet(np.full(states, prior.prevalence), (states,)),
        "skill": Dirichlet(
            skill, (observations.num_annotators, 2), hyperprior_weight=prior.held
        ),
        "error": Dirichlet(np.full(others, prior.error), (states, others)),
    }


def emission(observations: Coding, parameters: Parameters) -> ByConfusion:
    """Return the confusion that accuracies and shared errors make."""
    right, wrong = parameters["skill"][:, :1], parameters["skill"][:, 1:, None]
    return ByConfusion(
        right_and_wrong(observations, right, wrong + parameters["error"])
    )


MODEL = DirichletTableModel(
    prior=Prior(),
    dims={
        "prevalence": ("true_class",),
        "skill": ("annotator", "right_wrong"),
        "skill_prior": ("right_wrong",),
        "error": ("true_class", "wrong_answer"),
        "confusion": ("annotator", "true_class", "given_class"),
    },
    engines=("vb", "em", "nuts", "svi"),
    references=("Van Horn et al. (2018), section 3.2",),
    dirichlet=dirichlet,
    emission=emission,
)
