r"""Pooled multinomial: all annotators share one confusion.

.. math::

   z_i \sim \mathrm{Cat}(\pi), \quad y_{ij} \mid z_i = k \sim \mathrm{Cat}(\theta_k),
   \qquad \theta_k \sim \mathrm{Dir}(\alpha_k), \ \pi \sim \mathrm{Dir}(\beta)

The right model for anonymous annotators and for counts: nothing ties two answers to one
person. It needs three or more answers an item to tell a confusing label from a rare
one; with fewer the prior decides.
"""

from dataclasses import dataclass
from typing import Any

from consilience.model import (
    ByTables,
    LogDirichlet,
    Model,
    confusions,
    imagined_answers,
    sample,
    sample_prevalence,
)


@dataclass(frozen=True, slots=True)
class Prior:
    """Imagined counts: answers that are votes for the true state, other answers, items.

    `own` and `other` are those of Paun et al. (2018), figure 1: 1 + 2 and 1.
    """

    own: float = 3.0
    other: float = 1.0
    prevalence: float = 1.0


def program(data: Any, prior: Prior) -> ByTables:
    """Sample the prevalence, and the one confusion that all annotators share."""
    log_prevalence = sample_prevalence(data, prior.prevalence)
    confusion = LogDirichlet(imagined_answers(data, prior))
    log_confusion = sample("confusion", confusion, "true_class", "given_class")
    return confusions(log_prevalence, log_confusion[None])


MODEL = Model(
    program=program,
    prior=Prior(),
    engines=("vb", "em", "nuts"),
    references=("Paun et al. (2018), section 3.1",),
)
