r"""How much each kind of evidence weighs, by the marginal likelihood of items in turn.

Items of a class differ, and answers about one item go together. How often an item is
called by its own label is Beta about how often its class is, with a spread :math:`s`,
but for lapses (`naming_lapses`); the other labels that it is called are Dirichlet-
multinomial about those that its class is called, with a spread :math:`t`. The naming
:math:`\theta_c` of the class is Dirichlet before anyone is asked,

.. math::

   \theta_c \sim \mathrm{Dirichlet}\Big(\sum_e q_e B_{ec}\Big),

with :math:`B_{ecl}` what evidence :math:`e` says of label :math:`l` and :math:`q_e` its
weight. Given items, :math:`\theta_c` is Dirichlet still, nearly: an item with
:math:`n` answers counts as :math:`n / (1 + (n - 1) \rho)` answers, with
:math:`\rho = 1 / (1 + s)` the correlation of two answers about an item, and a label
named aside as a share :math:`d` of an answer. So the probability of the answers about
an item, given the items of its class before it, has a closed form, whose spread is that
of the item and of the class together; the product over items is the marginal likelihood
that weights, :math:`s, t, \epsilon` and :math:`d` maximise.

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
from jax.nn import sigmoid
from jax.scipy.special import gammaln
from jaxtyping import Array, Float, Int
from scipy.optimize import minimize
from scipy.special import expit

from consilience.analysis.naming_evidence import evidence
from consilience.analysis.naming_lapses import kept, log_chances
from consilience.analysis.namings import Namings

# Of log weights: between a hundredth of an answer and a hundred, nineteen in twenty.
_CENTRE, _SPREAD = 0.0, 2.3
# Of the log-odds of a lapse: between one answer in a thousand and one in four, nineteen
# times in twenty. Judgement: where answers say little of it, lapses are few.
_LAPSE, _LAPSE_SPREAD = -4.0, 1.5
_LEAST = 1e-12
_OTHERS = 4  # what is learned beside weights: two spreads, lapses, and aside


@dataclass(frozen=True, slots=True, eq=False)
class Naming:
    """How the items of each class are called, learned.

    Attributes
    ----------
    concentration
        Of the Dirichlet of each class.
    weights
        Of each kind of evidence, in answers.
    spread, beside
        How closely items keep to the naming of their class, in answers: in how often
        they are called by their own label, and among the other labels.
    lapse
        Share of answers that give another label whatever the item shows.
    aside
        What naming a label aside is worth, in answers.
    """

    concentration: Float[np.ndarray, "K K"]
    weights: Mapping[str, float]
    spread: float
    beside: float
    lapse: float
    aside: float

    @property
    def correlation(self) -> float:
        """Correlation of two answers about one item, given its class."""
        return 1 / (1 + self.spread)

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
        The best logs of weights and of the two spreads, log-odds of a lapse and of
        `aside`.
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
        spread, beside, lapse, aside = _others(place, np.exp, expit)
        counted = namings.votes + aside * namings.asides
        stacked = np.stack(list(self.evidence.values()))
        each = _worth(namings, 1 / (1 + spread))[namings.item]
        concentration = np.tensordot(weights, stacked, 1)
        concentration += namings.by_class(each * counted)
        return Naming(
            concentration=np.maximum(concentration, _LEAST),
            weights=dict(zip(names, weights.tolist(), strict=True)),
            spread=float(spread),
            beside=float(beside),
            lapse=float(lapse),
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

        start = np.append(np.zeros(len(names)), [1.0, 0.0, _LAPSE, -2.0])
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


def _others(place: Any, exp: Any, share: Any) -> tuple[Any, Any, Any, Any]:
    """Return the spreads, the share of lapses, and what an aside is worth."""
    return exp(place[-4]), exp(place[-3]), share(place[-2]), share(place[-1])


def _scale(number: int) -> Float[np.ndarray, " P"]:
    scale = np.full(number, _SPREAD)
    scale[-2] = _LAPSE_SPREAD
    return scale


def _centre(number: int) -> Float[np.ndarray, " P"]:
    centre = np.full(number, _CENTRE)
    centre[-2] = _LAPSE
    return centre


def _worth(namings: Namings, correlation: float) -> Float[np.ndarray, " I"]:
    """Return what one answer about each item is worth."""
    answers = np.bincount(namings.item, namings.votes, len(namings.own))
    worth: Float[np.ndarray, " I"] = 1 / (1 + np.maximum(answers - 1, 0) * correlation)
    return worth


def _loss(namings: Namings, stacked: Float[np.ndarray, "E K K"]):  # type: ignore[no-untyped-def]  # noqa: ANN202 (a closure for JAX)
    """Return minus the log marginal likelihood and prior, a function of all logs."""
    chain, counts = _chain(namings), kept(namings)
    own, item, label = namings.own, namings.item[chain.cell], namings.label[chain.cell]
    votes, asides = namings.votes[chain.cell], namings.asides[chain.cell]
    items, other = len(own), label != own[item]
    of_others = np.where(other, votes, 0.0)
    answers = counts.own + counts.others
    beside = np.bincount(namings.item, namings.asides, items)
    own_beside = np.bincount(item, np.where(other, 0.0, asides), items)
    at_cell = jnp.asarray(stacked[:, own[item], label])
    at_own = jnp.asarray(stacked[:, own, own])
    of_class = jnp.asarray(stacked.sum(2)[:, own])

    def loss(place: Float[Array, " P"]) -> Float[Array, ""]:
        weight = jnp.exp(place[:-_OTHERS])
        spread, apart, lapse, aside = _others(place, jnp.exp, sigmoid)
        worth = 1 / (1 + jnp.maximum(answers - 1, 0) / (1 + spread))
        counted = worth[item] * (votes + aside * asides)
        here = weight @ at_cell + _before(counted, chain.group_start)
        total = weight @ of_class + by_class(worth * (answers + aside * beside))
        mine = weight @ at_own + by_class(worth * (counts.own + aside * own_beside))
        rest = jnp.maximum(total - mine, _LEAST)
        rows = log_chances(counts, mine / total, _precision(spread, total), lapse)
        precision = _precision(apart, rest)
        share = jnp.maximum(here / rest[item], _LEAST)
        named = _rising(precision[item] * share, of_others)
        each = _log_sum(rows, counts.item, items) - _rising(precision, counts.others)
        prior = (((place - _centre(len(place))) / _scale(len(place))) ** 2).sum() / 2
        return (prior - each.sum() - named.sum()) / items

    def by_class(values: Float[Array, " I"]) -> Float[Array, " I"]:
        """Sum over the items of a class that come before each."""
        sums = _before(values[chain.item], chain.class_start)
        found: Float[Array, " I"] = jnp.zeros(items).at[chain.item].set(sums)
        return found

    return loss


def _precision(
    spread: Float[Array, ""], total: Float[Array, " I"]
) -> Float[Array, " I"]:
    """Return how closely items keep to a naming of which so many answers tell."""
    together = (1 + spread / (1 + total)) / (1 + spread)
    return 1 / together - 1


def _log_sum(
    rows: Float[Array, " R"], item: Int[np.ndarray, " R"], items: int
) -> Float[Array, " I"]:
    top = jax.lax.stop_gradient(jax.ops.segment_max(rows, item, items))
    return top + jnp.log(jax.ops.segment_sum(jnp.exp(rows - top[item]), item, items))


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
