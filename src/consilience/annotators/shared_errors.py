r"""One coin with shared errors: accuracies differ, but all err towards the same labels.

.. math::

   p(y_{ij} = l \mid z_i = k) = \begin{cases} a_j & l = k \\
   (1 - a_j)\, \phi_{kl} & l \ne k \end{cases}
   \qquad a_j \sim \mathrm{Beta}(\alpha, \beta), \ \phi_k \sim \mathrm{Dir}(\delta)

One number an annotator says how often they err, one table for all says towards what:
what a husky is mistaken for depends on huskies. With two labels it is one coin.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from consilience.model import (
    ByTables,
    LogDirichlet,
    Model,
    confusions,
    right_and_wrong,
    sample,
    sample_prevalence,
    sample_skill,
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


def program(data: Any, prior: Prior) -> ByTables:
    """Sample the prevalence, accuracies, and the errors that all share."""
    log_prevalence = sample_prevalence(data, prior.prevalence)
    skill = sample_skill(prior)
    even = np.full((data.num_states, data.num_answers - 1), prior.error)
    error = sample("error", LogDirichlet(even), "true_class", "wrong_answer")
    wrong = skill[:, 1:, None] + error
    return confusions(log_prevalence, right_and_wrong(data, skill[:, :1], wrong))


MODEL = Model(
    program=program,
    prior=Prior(),
    engines=("vb", "em", "nuts"),
    references=("Van Horn et al. (2018), section 3.2",),
)
