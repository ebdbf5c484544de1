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

from dataclasses import dataclass
from typing import Any

import numpy as np

from consilience.model import (
    ByTables,
    Model,
    confusions,
    right_and_wrong,
    sample_prevalence,
    sample_skill,
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


def program(data: Any, prior: Prior) -> ByTables:
    """Sample the prevalence and each annotator's accuracy; errors go anywhere."""
    log_prevalence = sample_prevalence(data, prior.prevalence)
    skill = sample_skill(prior)
    wrong = skill[:, 1:, None] - np.log(data.num_answers - 1)
    return confusions(log_prevalence, right_and_wrong(data, skill[:, :1], wrong))


MODEL = Model(
    program=program,
    prior=Prior(),
    engines=("vb", "em", "nuts"),
    references=(
        "Ghosh, Kale and McAfee (2011), section 3",
        "Zhang et al. (2016), section 2.1",
    ),
)
