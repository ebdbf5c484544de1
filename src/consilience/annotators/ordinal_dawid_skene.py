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
    NODES,
    ByTables,
    Effect,
    Model,
    RowEffects,
    sample_rows,
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


def program(data: Any, prior: Prior) -> ByTables:
    """Sample the prevalence, annotators with a precision, bias and extremity."""
    basis = zero_sum_basis(data.num_answers)
    labels = np.arange(data.num_answers)
    near = -1.0 * abs(labels - data.votes.argmax(0)[:, None])
    place = labels - (data.num_answers - 1) / 2
    ends = (place / np.abs(place).max()) ** 2

    def everywhere(direction: Float[np.ndarray, " L"]) -> Float[np.ndarray, "K F 1"]:
        shape = (data.num_states, basis.shape[1], 1)
        return np.broadcast_to((direction @ basis)[:, None], shape)

    precision = (near @ basis)[:, :, None]
    rows = RowEffects(
        group=data.group,
        num_groups=data.num_groups,
        basis=basis,
        centre=prior.step * near @ basis,
        population=prior.population,
        effects=(
            Effect(name="precision", direction=precision, scale=prior.precision),
            Effect(name="bias", direction=everywhere(place), scale=prior.bias),
            Effect(name="extremity", direction=everywhere(ends), scale=prior.extremity),
        ),
        spread=prior.spread,
        ease=near,
        difficulty=prior.difficulty,
    )
    return sample_rows(data, prior.prevalence, rows)


MODEL = Model(
    program=program,
    prior=Prior(),
    engines=("gibbs", "nuts"),
    references=(
        "Agresti (2013), Categorical Data Analysis, chapter 8",
        "Lakshminarayanan and Teh (2013), arXiv 1305.0015",
    ),
    kinds=("choice",),
    substates=lambda _: NODES,
)
