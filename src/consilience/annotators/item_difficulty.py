r"""Item difficulty: all annotators are alike, but some items are harder than others.

.. math::

   y_{ij} \mid z_i = k \sim \mathrm{Cat}(\mathrm{softmax}(V \mu_k - x_i \chi_k e_k)),
   \qquad x_i \sim N(0, 1)

.. math::

   \mu_k \sim N(V^\top m_k, \tau^2 I), \quad \chi_k \sim N^+(0, 1)

with :math:`e_k` one at the answer that is right and zero elsewhere, :math:`V` a basis
of the vectors that sum to zero, :math:`m_k` two for the truth and :math:`\tau = .5`.
The difficulty :math:`x_i` is integrated out inside the item, on nodes. In Paun et al.
every answer's logit varies with the item, a vector of difficulties; here only that of
the right answer, one number. With two answers that is the same; with more, an item can
be hard here, but not tempt to one wrong answer more than others of its label do.

It needs no ids. Answers to one item are alike beyond their label, so that many who
agree on a hard item are not as many independent votes.
"""

from dataclasses import dataclass
from typing import Any

from consilience.model import (
    ByTables,
    HalfNormal,
    Model,
    Normal,
    correct_answer,
    log_softmax,
    namespace,
    normal_nodes,
    sample,
    sample_prevalence,
    subtypes,
    zero_sum_basis,
)


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of answers and items.

    Attributes
    ----------
    logit, population
        Mean and standard deviation of the log-odds of the truth over another answer;
        with no ids to go by, only they say which state is which.
    difficulty
        Scale of the half-normal prior of how much items differ.
    prevalence
        Imagined items of each state.
    nodes
        Nodes that the difficulty of an item is integrated on.
    """

    logit: float = 2.0
    population: float = 0.5
    difficulty: float = 1.0
    prevalence: float = 1.0
    nodes: int = 31


def program(data: Any, prior: Prior) -> ByTables:
    """Sample the prevalence, log-odds that all share, and how much items differ."""
    basis, right = zero_sum_basis(data.num_answers), correct_answer(data)
    log_prevalence = sample_prevalence(data, prior.prevalence)
    usual = Normal(prior.logit * data.votes.T @ basis, prior.population)
    population = sample("population", usual, "true_class", "contrast")
    half = HalfNormal(prior.difficulty)
    difficulty = sample("difficulty", half, "true_class")
    node, log_share = normal_nodes(prior.nodes)
    harder = (difficulty[:, None] * node)[:, :, None] * right[:, None]
    table = log_softmax((population @ basis.T)[None, :, None] - harder)
    share = namespace(table).asarray(log_share[None])
    return subtypes(log_prevalence, table, share)


MODEL = Model(
    program=program,
    prior=Prior(),
    engines=("em", "nuts"),
    references=("Paun et al. (2018), section 3.5",),
    axes={"confusion": ("true_class", "given_class")},
    substates=lambda prior: prior.nodes,
)
