r"""How much each kind of evidence weighs, by the marginal likelihood of items in turn.

Items of a class differ, and answers about one item go together: the answers about an
item are Dirichlet-multinomial, with concentration :math:`s` about the naming
:math:`\theta_c` of its class, and that is Dirichlet before anyone is asked,

.. math::

   \theta_c \sim \mathrm{Dirichlet}\Big(\sum_e q_e B_{ec}\Big),

with :math:`B_{ecl}` what evidence :math:`e` says of label :math:`l` and :math:`q_e` its
weight. Given items, :math:`\theta_c` is Dirichlet still, nearly: an item with
:math:`n` answers counts as :math:`n / (1 + (n - 1) \rho)` answers, with
:math:`\rho = 1 / (1 + s)` the correlation of two answers about an item, and a label
named aside as a share :math:`d` of an answer. So the probability of the answers about
an item, given the items of its class before it, has a closed form, whose spread is that
of the item and of the class together; the product over items is the marginal
likelihood that weights, :math:`s` and :math:`d` maximise.

References
----------
Brier (1980), Analysis of contingency tables under cluster sampling, for the effective
numbers. Minka (2000), Estimating a Dirichlet distribution. The chain is assumed density
filtering: Maybeck (1982), Stochastic models, estimation and control, chapter 12.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax.nn import sigmoid
from jax.scipy.special import gammaln
from jaxtyping import Array, Float, Int
from scipy.optimize import minimize

from consilience.analysis.naming_evidence import evidence
from consilience.analysis.namings import Namings

# Of log weights: between a hundredth of an answer and a hundred, nineteen in twenty.
_CENTRE, _SPREAD = 0.0, 2.3
_LEAST = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Naming:
    """How the items of each class are called, learned.

    Attributes
    ----------
    concentration
        Of the Dirichlet of each class.
    weights
        Of each kind of evidence, in answers.
    correlation
        Of two answers about one item, given its class.
    aside
        What naming a label aside is worth, in answers.
    """

    concentration: Float[np.ndarray, "K K"]
    weights: Mapping[str, float]
    correlation: float
    aside: float

    @property
    def probability(self) -> Float[np.ndarray, "K K"]:
        """Posterior mean of P(label | class)."""
        total = self.concentration.sum(1, keepdims=True)
        mean: Float[np.ndarray, "K K"] = self.concentration / total
        return mean


@dataclass(frozen=True, slots=True, eq=False)
class _Chain:
    """Cells in the order of class, label and item, and items of class and place."""

    cell: Int[np.ndarray, " N"]
    group_start: Int[np.ndarray, " N"]
    item: Int[np.ndarray, " I"]
    class_start: Int[np.ndarray, " I"]


def learn(namings: Namings) -> Naming:
    """Learn how items are called.

    Parameters
    ----------
    namings
        How they were called; items in the order in which they are taken up.
    """
    matrices = evidence(namings)
    names, stacked = list(matrices), np.stack(list(matrices.values()))
    with jax.enable_x64(True):  # noqa: FBT003 (the way JAX spells it)
        loss = jax.jit(jax.value_and_grad(_loss(namings, stacked)))

        def climb(place: Float[np.ndarray, " P"]) -> tuple[float, np.ndarray]:
            value, slope = loss(place)
            return float(value), np.asarray(slope, float)

        start = np.append(np.zeros(len(names)), [1.0, -2.0])
        found = minimize(climb, start, jac=True, method="L-BFGS-B").x
    weights, correlation = np.exp(found[:-2]), 1 / (1 + np.exp(found[-2]))
    aside = float(1 / (1 + np.exp(-found[-1])))
    counted = namings.votes + aside * namings.asides
    each = _worth(namings, correlation)[namings.item]
    concentration = np.tensordot(weights, stacked, 1) + namings.by_class(each * counted)
    return Naming(
        concentration=np.maximum(concentration, _LEAST),
        weights=dict(zip(names, weights.tolist(), strict=True)),
        correlation=float(correlation),
        aside=aside if namings.asides.any() else 0.0,
    )


def _worth(namings: Namings, correlation: float) -> Float[np.ndarray, " I"]:
    """Return what one answer about each item is worth."""
    answers = np.bincount(namings.item, namings.votes, len(namings.own))
    worth: Float[np.ndarray, " I"] = 1 / (1 + np.maximum(answers - 1, 0) * correlation)
    return worth


def _loss(namings: Namings, stacked: Float[np.ndarray, "E K K"]):  # type: ignore[no-untyped-def]  # noqa: ANN202 (a closure for JAX)
    """Return minus the log marginal likelihood and prior, a function of all logs."""
    chain = _chain(namings)
    own, item, label = namings.own, namings.item[chain.cell], namings.label[chain.cell]
    votes, asides = namings.votes[chain.cell], namings.asides[chain.cell]
    items = len(own)
    answers = np.bincount(namings.item, namings.votes, items)
    beside = np.bincount(namings.item, namings.asides, items)
    at_cell = jnp.asarray(stacked[:, own[item], label])
    of_class = jnp.asarray(stacked.sum(2)[:, own])

    def loss(place: Float[Array, " P"]) -> Float[Array, ""]:
        weight, spread, aside = jnp.exp(place[:-2]), jnp.exp(place[-2]), place[-1]
        worth = 1 / (1 + jnp.maximum(answers - 1, 0) / (1 + spread))
        share = sigmoid(aside)
        counted = worth[item] * (votes + share * asides)
        here = weight @ at_cell + _before(counted, chain.group_start)
        of_item = (worth * (answers + share * beside))[chain.item]
        total = (
            jnp.zeros(items).at[chain.item].set(_before(of_item, chain.class_start))
            + weight @ of_class
        )
        together = (1 + spread / (1 + total)) / (1 + spread)
        precision = 1 / together - 1
        mean = here / total[item]
        terms = _rising(precision[item] * jnp.maximum(mean, _LEAST), votes).sum()
        terms -= _rising(precision, answers).sum()
        prior = ((place[:-2] - _CENTRE) ** 2).sum() / (2 * _SPREAD**2)
        return (prior - terms) / items

    return loss


def _rising(start: Float[Array, " N"], steps: np.ndarray) -> Float[Array, " N"]:
    return gammaln(start + steps) - gammaln(start)


def _before(values: Float[Array, " N"], start: np.ndarray) -> Float[Array, " N"]:
    """Sum what comes before each, back to the start of its group."""
    running = jnp.cumsum(values) - values
    return running - running[start]


def _chain(namings: Namings) -> _Chain:
    own = namings.own[namings.item]
    cell = np.lexsort((namings.item, namings.label, own))
    group = own[cell].astype(np.int64) * namings.num_labels + namings.label[cell]
    item = np.argsort(namings.own, kind="stable")
    return _Chain(
        cell=cell,
        group_start=np.searchsorted(group, group),
        item=item,
        class_start=np.searchsorted(namings.own[item], namings.own[item]),
    )
