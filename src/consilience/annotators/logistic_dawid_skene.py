r"""Logistic Dawid-Skene: annotators' log-odds are drawn from a learned population.

.. math::

   \theta_{jk} = \mathrm{softmax}(V \beta_{jk}), \quad
   \beta_{jk} \sim N(\mu_k, \sigma_k^2 I), \quad
   \mu_k \sim N(2 V^\top e_k, I), \quad \sigma_k \sim N^+(0, 1)

with :math:`e_k` one at the answer that is right and zero elsewhere, and :math:`V` a
basis of the vectors that sum to zero. It is the idea of `hierarchical_dawid_skene`
without a closed form: the population has a mean and a spread of its own for each label,
and there is no concentration that is both. `correlated_dawid_skene` is this model with
a skill and a habit of each annotator, and items that differ.
"""

from dataclasses import dataclass
from typing import Any

from consilience.model import ByTables, Model, rows_about_truth, sample_rows


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of the population.

    Attributes
    ----------
    logit, population
        Mean and standard deviation of the log-odds of the truth over another answer.
    spread
        Scale of the half-normal prior of the spread between annotators.
    prevalence
        Imagined items of each state.
    """

    logit: float = 2.0
    population: float = 1.0
    spread: float = 1.0
    prevalence: float = 1.0


def program(data: Any, prior: Prior) -> ByTables:
    """Sample the prevalence, and annotators who differ in their rows alone."""
    return sample_rows(data, prior.prevalence, rows_about_truth(data, prior))


MODEL = Model(
    program=program,
    prior=Prior(),
    engines=("gibbs", "nuts"),
    references=("Paun et al. (2018), section 3.4",),
)
