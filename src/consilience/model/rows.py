r"""Confusion rows moved by effects of the annotator, and answers eased by the item.

The answers of annotator j about an item of state k have the log-odds

.. math::

   \eta_{jk} = V \beta_{jk} + \chi x_i d_k, \qquad
   \beta_{jk} \sim N\Big(\mu_{gk} + \sum_e \omega_{ge} A_{ek} u_{ej},\
   \sigma_{gk}^2 I\Big),
   \quad u_{ej} \sim N(0, I), \ x_i \sim N(0, 1)

with g the group of the annotator and :math:`V` a basis of the vectors that sum to zero.
An effect e of the annotator (a skill, a habit) moves all rows along directions
:math:`A_{ek}`, so that the rows of one annotator are correlated; its standard deviation
:math:`\omega_{ge}` is learned, as are the population :math:`\mu_{gk}` and the standard
deviation of what is left, :math:`\sigma_{gk}`, all of them for each group of
annotators, and how much items differ in ease, :math:`\chi`. The ease of an item is
integrated out on nodes.

**Integrals over a standard normal, as sums over a few nodes.**

.. math::

   \int f(x)\, N(x \mid 0, 1)\, dx \approx \sum_t w_t f(x_t)

What an item has of its own and nobody asks for by name (how hard it is) is integrated
out inside the item: each node is a state finer than the truth.

The nodes are equally spaced (the trapezoidal rule, which for a smooth function that
fades at both ends errs exponentially little; Trefethen and Weideman 2014), not those of
Gauss and Hermite, of which half lie where the normal has no weight. With many answers
the integrand is a narrow bump, and what counts is the spacing. Of ten answers with an
effect of standard deviation two, the log of the integral errs by 5e-6 at 31 equal
steps, by 8e-3 at 31 Gauss-Hermite nodes; of forty, by .03 and .5.

References
----------
Trefethen and Weideman (2014), The exponentially convergent trapezoidal rule, section 5.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from consilience.model.by_tables import (
    ByTables,
    correct_answer,
    sample_prevalence,
    subtypes,
)
from consilience.model.language import (
    HalfNormal,
    Normal,
    deterministic,
    log_softmax,
    namespace,
    sample,
)

# The confusion for an item of average ease, and how much items differ.
TYPICAL, DIFFICULTY = "typical_confusion", "difficulty"
# Of the ease of an item. In a simulated study of hard items, 9 moved the posterior of
# the truth by .002 in the mean, as another seed does.
NODES = 5
# Reach and spacing that balance what is cut off, exp(-reach^2 / 2), against what falls
# between the nodes, for bumps of a third of the normal's width: 5 at 31 nodes. Both
# errors fall as nodes are added.
REACH = 0.9


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Effect:
    """An effect of the annotator on all confusion rows.

    `direction` says where it moves each row; `scale` is that of the half-normal prior
    of its standard deviation, and `axis` the name of its numbers' axis.
    """

    name: str
    direction: Float[Any, "K F P"]
    scale: float
    axis: str = "effect"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RowEffects:
    """What moves the confusion rows of annotators: the distribution of their logs.

    Gibbs sampling knows it as it stands; every other engine runs its program.
    """

    group: Int[Any, " J"]
    num_groups: int
    basis: Float[np.ndarray, "L F"]
    centre: Float[Any, "K F"]
    population: float
    effects: tuple[Effect, ...]
    spread: float
    ease: Float[Any, "K L"]
    difficulty: float = 0.0

    @property
    def nodes(self) -> int:
        """Nodes of the ease of an item; one, where items are all alike."""
        return NODES if self.difficulty else 1

    def program(self, data: Any) -> Any:
        """Sample all that moves the rows; return log confusions (J, K, T, L)."""
        del data
        row, group = ("annotator", "true_class"), self.group
        population = Normal(self.centre, self.population)
        dims = ("annotator_group", "true_class")
        mean = sample("population", population, *dims, "contrast")[group]
        xp = namespace(mean)
        spread = sample("spread", HalfNormal(self.spread), *dims)[group]
        for effect in self.effects:
            half = HalfNormal(effect.scale)
            deviation = sample(f"{effect.name}_spread", half, "annotator_group")[group]
            standard = Normal(np.zeros(effect.direction.shape[-1]))
            values = sample(effect.name, standard, "annotator", effect.axis)
            moved = xp.einsum("j,kfp,jp->jkf", deviation, effect.direction, values)
            mean = mean + moved
        distance = sample("distance", Normal(), *row, "contrast")
        difficulty = None
        if self.difficulty:
            difficulty = sample(DIFFICULTY, HalfNormal(self.difficulty))
        rows = mean + spread[:, :, None] * distance
        typical = log_softmax(rows @ self.basis.T)
        deterministic(TYPICAL, lambda: xp.exp(typical), *row, "given_class")
        return self._eased(typical, difficulty)

    def at(self, values: Mapping[str, Any]) -> Any:
        """Return log confusions (J, K, T, L) by what draws report."""
        return self._eased(values[TYPICAL], values.get(DIFFICULTY))

    def _eased(self, typical: Any, difficulty: Any) -> Any:
        if not self.difficulty:
            return typical[:, :, None]
        eased = difficulty * (normal_nodes(NODES)[0][:, None] * self.ease[:, None])
        return log_softmax(typical[:, :, None] + eased)


def rows_about_truth(
    data: Any, prior: Any, effects: tuple[Effect, ...] = (), difficulty: float = 0.0
) -> RowEffects:
    """Return rows whose population has the prior log-odds of the right answer."""
    basis, right = zero_sum_basis(data.num_answers), correct_answer(data)
    return RowEffects(
        group=data.group,
        num_groups=data.num_groups,
        basis=basis,
        centre=prior.logit * right @ basis,
        population=prior.population,
        effects=effects,
        spread=prior.spread,
        ease=right,
        difficulty=difficulty,
    )


def sample_rows(data: Any, items: float, rows: RowEffects) -> ByTables:
    """Sample prevalence and rows; return the answers that they give."""
    log_prevalence = sample_prevalence(data, items)
    dims = ("annotator", "true_class", "node", "given_class")
    log_confusion = sample("rows", rows, *dims)
    log_share = normal_nodes(rows.nodes)[1][None]
    share = namespace(log_confusion).asarray(log_share)
    return subtypes(log_prevalence, log_confusion, share)


def zero_sum_basis(size: int) -> Float[np.ndarray, "L F"]:
    """Return an orthonormal basis of the vectors of that size that sum to zero.

    Helmert's contrasts: each answer against the mean of those before it.
    """
    basis = np.zeros((size, size - 1))
    for column in range(1, size):
        basis[:column, column - 1] = 1.0
        basis[column, column - 1] = -column
    return basis / np.linalg.norm(basis, axis=0)


def normal_nodes(
    number: int, reach: float | None = None
) -> tuple[Float[np.ndarray, " T"], Float[np.ndarray, " T"]]:
    """Return nodes and the logarithms of their weights, which sum to one."""
    reach = REACH * np.sqrt(number) if reach is None else reach
    node = np.linspace(-reach, reach, number) if number > 1 else np.zeros(1)
    weight = np.exp(-0.5 * node**2)
    return node, np.log(weight / weight.sum())
