r"""Logistic random effects: annotators differ, and items differ in difficulty.

.. math::

   y_{ij} \mid z_i = k \sim
   \mathrm{Cat}(\mathrm{softmax}(V \beta_{jk} + \chi x_i e_k)), \qquad
   \beta_{jk} \sim N(\mu_k, \sigma_k^2 I)

.. math::

   x_i \sim N(0, 1), \quad \mu_k \sim N(2 V^\top e_k, \tau^2 I), \quad
   \sigma_k, \chi \sim N^+(0, 1)

with :math:`e_k` one at the answer that is right and zero elsewhere, :math:`V` a basis
of the vectors that sum to zero and :math:`\tau` the setting `population`:
`logistic_dawid_skene` with an effect of the item, which is integrated out.

In Paun et al. the difficulty of an item is a vector, one number an answer; here one
number, that of the right answer, which with two answers is the same.
"""

from dataclasses import dataclass
from typing import Any

from consilience.model import NODES, ByTables, Model, rows_about_truth, sample_rows


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of annotators and items.

    Attributes
    ----------
    logit, population
        Mean and standard deviation of the log-odds of the truth over another answer.
    spread
        Scale of the half-normal prior of the spread between annotators.
    difficulty
        Scale of the half-normal prior of how much items differ.
    prevalence
        Imagined items of each state.
    """

    logit: float = 2.0
    population: float = 1.0
    spread: float = 1.0
    difficulty: float = 1.0
    prevalence: float = 1.0


def program(data: Any, prior: Prior) -> ByTables:
    """Sample the prevalence, annotators who differ in their rows, and the ease."""
    rows = rows_about_truth(data, prior, difficulty=prior.difficulty)
    return sample_rows(data, prior.prevalence, rows)


MODEL = Model(
    program=program,
    prior=Prior(),
    engines=("gibbs", "nuts"),
    references=("Paun et al. (2018), section 3.6",),
    substates=lambda _: NODES,
)
