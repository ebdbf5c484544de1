r"""Class-conditional: each annotator has an accuracy for each true label.

.. math::

   y_{ij} \mid z_i = k \ \begin{cases} \text{is right} & \text{with } a_{jk} \\
   \text{is each wrong answer} & \text{with } (1 - a_{jk}) / (L - 1) \end{cases}
   \qquad a_{jk} \sim \mathrm{Beta}(\alpha_k, \beta_k)

Between one coin (one number an annotator) and Dawid-Skene (a whole confusion): some
labels are harder than others, and not for everyone alike; errors go anywhere. The prior
of each label's accuracies is learned from all annotators.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from consilience.model import (
    ByTables,
    Gamma,
    LogDirichlet,
    Model,
    confusions,
    right_and_wrong,
    sample,
    sample_prevalence,
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


def program(data: Any, prior: Prior) -> ByTables:
    """Sample the prevalence, and accuracies for each true label; errors go anywhere."""
    log_prevalence = sample_prevalence(data, prior.prevalence)
    usual = np.tile(np.array([prior.right, prior.wrong]), (data.num_states, 1))
    row = ("true_class", "right_wrong")
    learned = sample("skill_prior", Gamma(1 + prior.held * usual, prior.held), *row)
    skill = sample("skill", LogDirichlet(learned), "annotator", *row)
    wrong = skill[..., 1:] - np.log(data.num_answers - 1)
    return confusions(log_prevalence, right_and_wrong(data, skill[..., 0], wrong))


MODEL = Model(
    program=program,
    prior=Prior(),
    engines=("vb", "em", "nuts"),
    references=("Pullin, Gurrin and Vukcevic (2023), The R package rater",),
)
