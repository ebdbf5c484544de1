r"""Hierarchical Dawid-Skene: annotators are drawn from a population that is learned.

The Dirichlet prior of the confusions is itself estimated,

.. math::

   z_i \sim \mathrm{Cat}(\pi), \quad
   y_{ij} \mid z_i = k \sim \mathrm{Cat}(\theta_{jk}), \qquad
   \theta_{jk} \sim \mathrm{Dir}(\alpha_k), \
   \alpha_{kl} \sim \mathrm{Gamma}(1 + h a_{kl},\ h)

with mode :math:`a_{kl}` of four for the truth and one for other answers, held with the
weight of `h` annotators. All engines take this prior; that of `logistic_dawid_skene` is
the same idea in log-odds.

An annotator with few answers borrows from the others, as much as the others are alike.
For contains it is one half of `auto`.
"""

from dataclasses import dataclass
from typing import Any

from consilience.model import (
    ByTables,
    Gamma,
    LogDirichlet,
    Model,
    confusions,
    imagined_answers,
    sample,
    sample_prevalence,
)


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of the population.

    Attributes
    ----------
    own, other, held
        Mode of the learned concentration, for the truth and for other answers, and its
        weight in annotators.
    prevalence
        Imagined items of each state.
    """

    own: float = 4.0
    other: float = 1.0
    held: float = 1.0
    prevalence: float = 1.0


def program(data: Any, prior: Prior) -> ByTables:
    """Sample the prevalence, what annotators have in common, and their confusions."""
    log_prevalence = sample_prevalence(data, prior.prevalence)
    usual = Gamma(1 + prior.held * imagined_answers(data, prior), prior.held)
    row = ("true_class", "given_class")
    confusion = LogDirichlet(sample("confusion_prior", usual, *row))
    log_confusion = sample("confusion", confusion, "annotator", *row)
    return confusions(log_prevalence, log_confusion)


MODEL = Model(
    program=program,
    prior=Prior(),
    engines=("vb", "nuts"),
    references=(
        "Paun et al. (2018), section 3.4",
        "Minka (2000), Estimating a Dirichlet distribution, section 2",
    ),
)
