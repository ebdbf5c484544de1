r"""Dawid-Skene with correlated rows: annotators have a skill and a habit.

.. math::

   y_{ij} \mid z_i = k \sim
   \mathrm{Cat}(\mathrm{softmax}(V \beta_{jk} + \chi x_i e_k)), \qquad
   \beta_{jk} \sim N(\mu_k + \alpha s_j V^\top e_k + \tau h_j,\ \sigma_k^2 I)

.. math::

   s_j \sim N(0, 1), \quad h_j \sim N(0, I), \quad x_i \sim N(0, 1), \quad
   \mu_k \sim N(2 V^\top e_k,\ I), \quad
   \alpha, \tau, \sigma_k, \chi \sim N^+(0, 1)

with :math:`e_k` one at the answer that is right and zero elsewhere, and :math:`V` a
basis of the vectors that sum to zero. A skill :math:`s_j` raises the log-odds of the
right answer in every row, a habit :math:`h_j` those of one answer whatever is true; so
what is learned of an annotator in one row is of use in all. Spreads are learned: where
rows have nothing in common, :math:`\alpha` and :math:`\tau` are small. Items differ in
ease :math:`x_i`, which is integrated out inside the item. Where annotators are in
groups, each group has a :math:`\mu`, an :math:`\alpha`, a :math:`\tau` and a
:math:`\sigma` of its own.

In models whose rows are independent given the population, an annotator's accuracy is
a sum of independent parts, and its interval too narrow if the parts go together.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from consilience.model import (
    NODES,
    ByTables,
    Effect,
    Model,
    correct_answer,
    rows_about_truth,
    sample_rows,
    zero_sum_basis,
)


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of annotators and items.

    Attributes
    ----------
    logit, population
        Mean and standard deviation of the log-odds of the truth over another answer.
    skill, habit, spread
        Scales of the half-normal priors of the standard deviations between annotators:
        of their skill, of their habit, and of what is left in each row.
    difficulty
        Scale of the half-normal prior of how much items differ.
    prevalence
        Imagined items of each state.
    """

    logit: float = 2.0
    population: float = 1.0
    skill: float = 1.0
    habit: float = 1.0
    spread: float = 1.0
    difficulty: float = 1.0
    prevalence: float = 1.0


def program(data: Any, prior: Prior) -> ByTables:
    """Sample the prevalence, annotators with a skill and a habit, and the ease."""
    towards = correct_answer(data) @ zero_sum_basis(data.num_answers)
    states, free = towards.shape
    any_answer = np.broadcast_to(np.eye(free), (states, free, free))
    effects = (
        Effect(name="skill", direction=towards[:, :, None], scale=prior.skill),
        Effect(name="habit", direction=any_answer, scale=prior.habit, axis="contrast"),
    )
    rows = rows_about_truth(data, prior, effects, prior.difficulty)
    return sample_rows(data, prior.prevalence, rows)


MODEL = Model(
    program=program,
    prior=Prior(),
    engines=("gibbs", "nuts"),
    references=(
        "Paun et al. (2018), section 3.6",
        "Murray, Adams and MacKay (2010), Elliptical slice sampling, section 2",
    ),
    substates=lambda _: NODES,
)
