r"""MACE: an annotator either knows the truth or answers by habit, whatever the item.

.. math::

   y_{ij} = \begin{cases} z_i & \text{with } t_j \\
   \text{a draw from } \xi_j & \text{with } 1 - t_j \end{cases}
   \qquad t_j \sim \mathrm{Beta}(\tfrac12, \tfrac12), \ \xi_j \sim \mathrm{Dir}(10)

The chance :math:`1 - t_j` of an answer by habit is reported as `spammer`. An answer
that happens to be right can come from either. The model cannot say that someone
mistakes one label for another, only that they stop looking.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from consilience.model import (
    ByMixture,
    Coding,
    Dirichlet,
    DirichletTableModel,
    Parameters,
    namespace,
    right_and_wrong,
)

NEVER = -1e30  # log of a chance of zero that can still be added to


@dataclass(frozen=True, slots=True)
class Prior:
    """Imagined counts, those of Hovy et al. (2013), section 2.2.

    Attributes
    ----------
    knows, spams
        Answers given knowingly, and by habit.
    habit
        Answers by habit of each label.
    prevalence
        Items of each state.
    """

    knows: float = 0.5
    spams: float = 0.5
    habit: float = 10.0
    prevalence: float = 1.0


def dirichlet(observations: Coding, prior: Prior) -> Mapping[str, Dirichlet]:
    """Return the priors of prevalence, and of each annotator's trust and habit."""
    annotators = observations.num_annotators
    states, answers = observations.num_states, observations.num_answers
    trust = np.array([prior.knows, prior.spams])
    habit = np.full(answers, prior.habit)
    return {
        "prevalence": Dirichlet(np.full(states, prior.prevalence), (states,)),
        "trust": Dirichlet(trust, (annotators, 2)),
        "habit": Dirichlet(habit, (annotators, answers)),
    }


def emission(observations: Coding, parameters: Parameters) -> ByMixture:
    """Return what an annotator answers knowingly, and by habit."""
    trust, habit = parameters["trust"], parameters["habit"]
    never = np.full((1, 1, observations.num_answers - 1), NEVER)
    knows = right_and_wrong(observations, trust[:, :1], never)
    xp = namespace(trust)
    spams = xp.broadcast_to((trust[:, 1:] + habit)[:, None], knows.shape)
    return ByMixture(xp.stack([knows, spams]))


def derived(observations: Coding, parameters: Parameters) -> Parameters:
    """Return each annotator's chance of an answer by habit."""
    del observations
    trust = parameters["trust"]
    return {"spammer": namespace(trust).exp(trust[:, 1])}


MODEL = DirichletTableModel(
    prior=Prior(),
    dims={
        "prevalence": ("true_class",),
        "trust": ("annotator", "knows_spams"),
        "habit": ("annotator", "given_class"),
        "spammer": ("annotator",),
        "confusion": ("annotator", "true_class", "given_class"),
    },
    engines=("vb", "em", "nuts", "svi"),
    references=("Hovy et al. (2013), section 2",),
    dirichlet=dirichlet,
    emission=emission,
    derived=derived,
)
