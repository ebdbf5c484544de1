r"""MACE: an annotator either knows the truth or answers by habit, whatever the item.

.. math::

   y_{ij} = \begin{cases} z_i & \text{with } t_j \\
   \text{a draw from } \xi_j & \text{with } 1 - t_j \end{cases}
   \qquad t_j \sim \mathrm{Beta}(\tfrac12, \tfrac12), \ \xi_j \sim \mathrm{Dir}(10)

The chance :math:`1 - t_j` of an answer by habit is reported as `spammer`. An answer
that happens to be right can come from either. The model cannot say that someone
mistakes one label for another, only that they stop looking.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from consilience.model import (
    NEVER,
    ByTables,
    LogDirichlet,
    Model,
    deterministic,
    mixture,
    namespace,
    right_and_wrong,
    sample,
    sample_prevalence,
)


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


def program(data: Any, prior: Prior) -> ByTables:
    """Sample the prevalence, and each annotator's trust and habit."""
    log_prevalence = sample_prevalence(data, prior.prevalence)
    of_trust = LogDirichlet(np.array([prior.knows, prior.spams]))
    trust = sample("trust", of_trust, "annotator", "knows_spams")
    of_habit = LogDirichlet(np.full(data.num_answers, prior.habit))
    habit = sample("habit", of_habit, "annotator", "given_class")
    xp = namespace(trust)
    deterministic("spammer", lambda: xp.exp(trust[:, 1]), "annotator")
    never = np.full((1, 1, data.num_answers - 1), NEVER)
    knows = right_and_wrong(data, trust[:, :1], never)
    spams = xp.broadcast_to((trust[:, 1:] + habit)[:, None], knows.shape)
    return mixture(log_prevalence, xp.stack([knows, spams]))


MODEL = Model(
    program=program,
    prior=Prior(),
    engines=("vb", "em", "nuts"),
    references=("Hovy et al. (2013), section 2",),
)
