r"""Bayesian Dawid-Skene: a confusion for each annotator, under a fixed prior (IBCC).

.. math::

   z_i \sim \mathrm{Cat}(\pi), \quad
   y_{ij} \mid z_i = k \sim \mathrm{Cat}(\theta_{jk}), \qquad
   \theta_{jk} \sim \mathrm{Dir}(\alpha_k), \ \pi \sim \mathrm{Dir}(\beta)

with four imagined answers for the truth and one for each other answer. The prior keeps
annotators with few answers near a fair guess and the labels from switching names. It is
the same for all data; the hierarchical model learns it.
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

    Four and one are those of Li, Rubinstein and Cohn (2019), section 5.
    """

    own: float = 4.0
    other: float = 1.0
    prevalence: float = 1.0


def program(data: Any, prior: Prior) -> ByTables:
    """Sample the prevalence and each annotator's confusion."""
    log_prevalence = sample_prevalence(data, prior.prevalence)
    confusion = LogDirichlet(imagined_answers(data, prior))
    dims = ("annotator", "true_class", "given_class")
    return confusions(log_prevalence, sample("confusion", confusion, *dims))


MODEL = Model(
    program=program,
    prior=Prior(),
    engines=("vb", "em", "nuts"),
    references=(
        "Dawid and Skene (1979)",
        "Kim and Ghahramani (2012), section 2",
        "Li, Rubinstein and Cohn (2019), section 5",
    ),
)
