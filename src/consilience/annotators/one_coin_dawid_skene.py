r"""One coin: each annotator is right with one probability, whatever the truth.

.. math::

   y_{ij} \mid z_i = k \ \begin{cases} \text{is right} & \text{with } a_j \\
   \text{is each wrong answer} & \text{with } (1 - a_j) / (L - 1) \end{cases}
   \qquad a_j \sim \mathrm{Beta}(\alpha, \beta), \ \pi \sim \mathrm{Dir}(\gamma)

:math:`\alpha` and :math:`\beta` are learned from all annotators: each has a Gamma prior
with its mode at the start, :math:`\alpha \sim \mathrm{Gamma}(1 + h \alpha_0, h)`. One
number an annotator: the model for annotators with few answers, and for many labels. It
is wrong, and confidently so, where annotators mistake some labels for certain others.
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
        Where the learned Beta distribution of accuracies starts, and the weight of
        that start in annotators. Four and two: right two times in three, or so.
    prevalence
        Imagined items of each state.
    """

    right: float = 4.0
    wrong: float = 2.0
    held: float = 1.0
    prevalence: float = 1.0


def dirichlet(observations: Coding, prior: Prior) -> Mapping[str, Dirichlet]:
    """Return the priors of prevalence and of each annotator's accuracy."""
    states = observations.num_states
    skill = np.array([prior.right, prior.wrong])
    return {
        "prevalence": Dirichlet(np.full(states, prior.prevalence), (states,)),
        "skill": Dirichlet(
            skill, (observations.num_annotators, 2), hyperprior_weight=prior.held
        ),
    }


def emission(observations: Coding, parameters: Parameters) -> ByConfusion:
    """Return the confusion that an accuracy makes."""
    right, wrong = parameters["skill"][:, :1], parameters["skill"][:, 1:, None]
    each = wrong - np.log(observations.num_answers - 1)
    return ByConfusion(right_and_wrong(observations, right, each))


MODEL = DirichletTableModel(
    prior=Prior(),
    dims={
        "prevalence": ("true_class",),
        "skill": ("annotator", "right_wrong"),
        "skill_prior": ("right_wrong",),
        "confusion": ("annotator", "true_class", "given_class"),
    },
    engines=("vb", "em", "nuts", "svi"),
    references=(
        "Ghosh, Kale and McAfee (2011), section 3",
        "Zhang et al. (2016), section 2.1",
    ),
    dirichlet=dirichlet,
    emission=emission,
)
