r"""Ordinal Dawid-Skene: ordered labels, annotators with a precision and a bias.

.. math::

   y_{ij} \mid z_i = k \sim
   \mathrm{Cat}(\mathrm{softmax}(V \beta_{jk} + \chi x_i d_k)), \qquad
   \beta_{jk} \sim N(\mu_k + V^\top(\alpha s_j d_k + \tau b_j u + \epsilon c_j w),\
   \sigma_k^2 I)

with :math:`d_{kl} = -|l - k|` the distance of an answer from the truth in labels,
:math:`u_l` the place of the label and :math:`w_l` the square of how far it is from the
middle one. An annotator's precision :math:`s_j` says how fast answers get rare with the
distance from the truth, in all rows; its bias :math:`b_j` moves all answers up or down;
its extremity :math:`c_j` favours the labels at both ends. Items differ in ease
:math:`x_i`, which is integrated out. The population :math:`\mu_k`, about
:math:`\lambda V^\top d_k`, and all spreads are learned, so that rows that no order
explains remain possible.

Labels must be in their order: read them with `ordered=True` and `labels=` from the
lowest to the highest, or as an ordered categorical column of pandas.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from consilience.model import (
    DIFFICULTY,
    NODES,
    TYPICAL,
    ByTables,
    Coding,
    Effect,
    Parameters,
    RowEffects,
    RowEffectsModel,
    by_ease,
    row_dims,
    zero_sum_basis,
)


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of annotators and items.

    Attributes
    ----------
    step, population
        Mean and standard deviation of how much the log-odds of an answer fall with each
        label between it and the truth.
    precision, bias, extremity, spread
        Scales of the half-normal priors of the standard deviations between annotators:
        of their precision, bias and extremity, and of what is left in each row.
    difficulty
        Scale of the half-normal prior of how much items differ.
    prevalence
        Imagined items of each state.
    """

    step: float = 1.5
    population: float = 0.7
    precision: float = 0.7
    bias: float = 0.7
    extremity: float = 0.5
    spread: float = 0.5
    difficulty: float = 0.7
    prevalence: float = 1.0


def effects(coding: Coding, prior: Prior) -> RowEffects:
    """Return what moves the rows of annotators: precision, bias and extremity."""
    states, basis = coding.num_states, zero_sum_basis(coding.num_answers)
    near = _nearness(coding)
    place = np.arange(coding.num_answers) - (coding.num_answers - 1) / 2
    ends = (place / np.abs(place).max()) ** 2

    def everywhere(direction: Float[np.ndarray, " L"]) -> Float[np.ndarray, "K F 1"]:
        return np.broadcast_to(
            (direction @ basis)[:, None], (states, basis.shape[1], 1)
        )

    return RowEffects(
        group=coding.group,
        num_groups=coding.num_groups,
        prevalence=np.full(states, prior.prevalence),
        basis=basis,
        centre=prior.step * near @ basis,
        population=prior.population,
        effects=(
            Effect(
                name="precision",
                direction=(near @ basis)[:, :, None],
                scale=prior.precision,
            ),
            Effect(name="bias", direction=everywhere(place), scale=prior.bias),
            Effect(name="extremity", direction=everywhere(ends), scale=prior.extremity),
        ),
        spread=prior.spread,
        ease=near,
        difficulty=prior.difficulty,
    )


def emission(coding: Coding, parameters: Parameters) -> ByTables:
    """Return each annotator's confusion at each node of ease."""
    return by_ease(parameters[TYPICAL], parameters[DIFFICULTY], _nearness(coding))


def _nearness(coding: Coding) -> Any:
    """Return less how many labels each answer is from the right one (K, L)."""
    right = coding.votes.argmax(0)
    return -1.0 * abs(np.arange(coding.num_answers) - right[:, None])


MODEL = RowEffectsModel(
    prior=Prior(),
    dims=row_dims(precision="effect", bias="effect", extremity="effect"),
    engines=("gibbs", "nuts", "svi"),
    references=(
        "Agresti (2013), Categorical Data Analysis, chapter 8",
        "Lakshminarayanan and Teh (2013), arXiv 1305.0015",
    ),
    kinds=("choice",),
    effects=effects,
    emission=emission,
    substates=lambda _: NODES,
)
