r"""How much each kind of evidence weighs, by the marginal likelihood of items in turn.

Items of a class differ, and answers about one item go together: the answers about an
item are Dirichlet-multinomial about the naming :math:`\theta_c` of its class, with a
concentration that is :math:`s_1` for some items and :math:`s_2` for the others, a share
:math:`\pi` and the rest (some are all alike to people, others each a case of its own);
and :math:`\theta_c` is Dirichlet before anyone is asked,

.. math::

   \theta_c \sim \mathrm{Dirichlet}\Big(\sum_e q_e B_{ec}\Big),

with :math:`B_{ecl}` what evidence :math:`e` says of label :math:`l` and :math:`q_e` its
weight. Given items, :math:`\theta_c` is Dirichlet still, nearly: an item with
:math:`n` answers counts as :math:`n / (1 + (n - 1) \rho)` answers, with
:math:`\rho = \pi / (1 + s_1) + (1 - \pi) / (1 + s_2)` the correlation of two answers
about an item, and a label named aside as a share :math:`d` of an answer. So the
probability of the answers about an item, given the items of its class before it, has a
closed form, whose spread is that of the item and of the class together; the product
over items is the marginal likelihood that weights, :math:`s_1, s_2, \pi` and :math:`d`
maximise.

References
----------
Brier (1980), Analysis of contingency tables under cluster sampling, for the effective
numbers. Minka (2000), Estimating a Dirichlet distribution. The chain is assumed density
filtering: Maybeck (1982), Stochastic models, estimation and control, chapter 12.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.nn import logsumexp, sigmoid
from jax.scipy.special import gammaln
from jaxtyping import Array, Float, Int
from scipy.optimize import minimize

from consilience.analysis.naming_evidence import evidence
from consilience.analysis.namings import Namings

# Of log weights: between a hundredth of an answer and a hundred, nineteen in twenty.
_CENTRE, _SPREAD = 0.0, 2.3
# Half the log of how much closer some items keep to their class than others do: a
# factor of e is one standard deviation. Judgement: few answers say little of it.
_APART = 0.5
_LEAST = 1e-12
_OTHERS = 4  # what is learned beside weights: two spreads, a share, and aside


@dataclass(frozen=True, slots=True, eq=False)
class Naming:
    """How the items of each class are called, learned.

    Attributes
    ----------
    concentration
        Of the Dirichlet of each class.
    weights
        Of each kind of evidence, in answers.
    spreads, shares
        How closely items keep to the naming of their class, in answers, and how many
        keep to it as closely.
    aside
        What naming a label aside is worth, in answers.
    """

    concentration: Float[np.ndarray, "K K"]
    weights: Mapping[str, float]
    spreads: Float[np.ndarray, " 2"]
    shares: Float[np.ndarray, " 2"]
    aside: float

    @property
    def correlation(self) -> float:
        """Correlation of two answers about one item, given its class."""
        return float((self.shares / (1 + self.spreads)).sum())

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


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What the answers say of all weights, as a Normal distribution of `place`.

    Attributes
    ----------
    namings
        How items were called.
    evidence
        Where each kind of evidence expects answers.
    place
        The best logs of weights; the mean log of the spreads and half their difference,
        log-odds of the share and of `aside`.
    root
        Root of their covariance.
    """

    namings: Namings
    evidence: Mapping[str, Float[np.ndarray, "K K"]]
    place: Float[np.ndarray, " P"]
    root: Float[np.ndarray, "P P"]

    @property
    def best(self) -> Naming:
        """How items are called, by the best weights."""
        return self._at(self.place)

    def draw(self, generator: np.random.Generator) -> Naming:
        """How items are called, by weights that may be so as well."""
        noise = self.root @ generator.standard_normal(len(self.place))
        return self._at(self.place + noise)

    def _at(self, place: Float[np.ndarray, " P"]) -> Naming:
        namings, names = self.namings, list(self.evidence)
        weights = np.exp(place[:-_OTHERS])
        spreads, share, aside = _others(place, np.exp, _share)
        shares = np.array([share, 1 - share])
        counted = namings.votes + aside * namings.asides
        stacked = np.stack(list(self.evidence.values()))
        each = _worth(namings, float((shares / (1 + spreads)).sum()))[namings.item]
        concentration = np.tensordot(weights, stacked, 1)
        concentration += namings.by_class(each * counted)
        return Naming(
            concentration=np.maximum(concentration, _LEAST),
            weights=dict(zip(names, weights.tolist(), strict=True)),
            spreads=spreads,
            shares=shares,
            aside=float(aside) if namings.asides.any() else 0.0,
        )


def learn(namings: Namings) -> Learned:
    """Learn how items are called.

    Parameters
    ----------
    namings
        How they were called; items in the order in which they are taken up.
    """
    matrices = evidence(namings)
    names, stacked = list(matrices), np.stack(list(matrices.values()))
    with jax.enable_x64(True):  # noqa: FBT003 (the way JAX spells it)
        slopes = jax.jit(jax.value_and_grad(_loss(namings, stacked)))

        def climb(place: Float[np.ndarray, " P"]) -> tuple[float, np.ndarray]:
            value, slope = slopes(place)
            return float(value), np.asarray(slope, float)

        start = np.append(np.zeros(len(names)), [1.0, 0.5, 0.0, -2.0])
        found = minimize(climb, start, jac=True, method="L-BFGS-B").x
        curved = _curvature(lambda at: climb(at)[1], found) * len(namings.own)
    # Where the answers say next to nothing, the prior's own spread is what is left.
    scale = _scale(len(found))
    strength, axes = np.linalg.eigh(curved * np.outer(scale, scale))
    root = scale[:, None] * axes / np.sqrt(np.maximum(strength, 1.0))
    return Learned(namings, matrices, found, root)


def _curvature(
    slope: Callable[[Float[np.ndarray, " P"]], np.ndarray],
    place: Float[np.ndarray, " P"],
    step: float = 1e-4,
) -> Float[np.ndarray, "P P"]:
    """Return second derivatives, as differences of slopes."""
    steps = step * np.eye(len(place))
    rows = [(slope(place + by) - slope(place - by)) / (2 * step) for by in steps]
    curved: Float[np.ndarray, "P P"] = np.array(rows)
    symmetric: Float[np.ndarray, "P P"] = (curved + curved.T) / 2
    return symmetric


def _others(place: Any, exp: Any, share: Any) -> tuple[Any, Any, Any]:
    """Return the spreads, the share of the first, and what an aside is worth."""
    spreads = exp(place[-4] + place[-3] * np.array([1.0, -1.0]))
    return spreads, share(place[-2]), share(place[-1])


def _scale(number: int) -> Float[np.ndarray, " P"]:
    scale = np.full(number, _SPREAD)
    scale[-3] = _APART
    return scale


def _share(odds: float) -> float:
    return float(1 / (1 + np.exp(-odds)))


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
        weight = jnp.exp(place[:-_OTHERS])
        spreads, first, aside = _others(place, jnp.exp, sigmoid)
        shares = jnp.stack([first, 1 - first])
        worth = 1 / (1 + jnp.maximum(answers - 1, 0) * (shares / (1 + spreads)).sum())
        counted = worth[item] * (votes + aside * asides)
        here = weight @ at_cell + _before(counted, chain.group_start)
        of_item = (worth * (answers + aside * beside))[chain.item]
        total = (
            jnp.zeros(items).at[chain.item].set(_before(of_item, chain.class_start))
            + weight @ of_class
        )
        mean = jnp.maximum(here / total[item], _LEAST)
        terms = jnp.stack(
            [
                jnp.log(share) + of_spread(spread, mean, total)
                for share, spread in zip(shares, spreads, strict=True)
            ]
        )
        prior = (((place - _CENTRE) / _scale(len(place))) ** 2).sum() / 2
        return (prior - logsumexp(terms, axis=0).sum()) / items

    def of_spread(
        spread: Float[Array, ""], mean: Float[Array, " N"], total: Float[Array, " I"]
    ) -> Float[Array, " I"]:
        """Return log p(answers about each item), of items that keep so close."""
        together = (1 + spread / (1 + total)) / (1 + spread)
        precision = 1 / together - 1
        cells = _rising(precision[item] * mean, votes)
        named: Float[Array, " I"] = jax.ops.segment_sum(cells, item, items)
        return named - _rising(precision, answers)

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
