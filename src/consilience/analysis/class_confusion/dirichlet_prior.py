r"""Weights of the kinds of evidence, by the marginal likelihood of items in turn.

Items of a class differ, and answers about one item go together. How often the
items of a class are called by its own label is learned exactly (`naming_own_label`);
the other labels that they are called are Dirichlet-multinomial about those that their
class is called, with a spread :math:`t`. The naming of the class (`naming`) is, before
anyone is asked,

.. math::

   \phi_c \sim \mathrm{Dirichlet}(r_c), \quad r_{cl} = \sum_e q_e B_{ecl}, \qquad
   \kappa_c \sim \mathrm{Beta}\bigl(\nu m_c, \; \nu (1 - m_c)\bigr), \quad
   \frac{m_c}{1 - m_c} = o \Bigl(\sum_l r_{cl}\Bigr)^{-g}

with :math:`B_{ecl}` what evidence :math:`e` says of label :math:`l` and :math:`q_e` its
weight: the more there is for other labels, the seldomer the own one is given. Given
items, :math:`\phi_c` is Dirichlet still, nearly: an item with :math:`n` answers that
give other labels counts as :math:`n / (1 + (n - 1) \rho)` answers, with
:math:`\rho = 1 / (1 + t)` the correlation of two of them, and a label that is named
aside as a share :math:`d` of an answer. So the probability of the answers about an
item, given the items of its class before it, has a closed form, whose spread is that of
the item and of the class together. The product over items, and over classes, is the
marginal likelihood that weights, :math:`o, g, \nu, s, t, \epsilon` and :math:`d`
maximise.

References
----------
Brier (1980), Analysis of contingency tables under cluster sampling, for the effective
numbers. Minka (2000), Estimating a Dirichlet distribution. The chain is assumed density
filtering: Maybeck (1982), Stochastic models, estimation and control, chapter 12.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.nn import sigmoid, softmax
from jax.scipy.special import gammaln, logsumexp
from jaxtyping import Array, Float, Int
from scipy.optimize import minimize
from scipy.special import expit

from consilience.analysis.class_confusion.confusion_posterior import (
    ConfusionPosterior,
    beta_from_moments,
)
from consilience.analysis.class_confusion.dataset_label import (
    DatasetLabelCounts,
    dataset_label_and_others,
    dataset_label_counts,
    log_joint,
)
from consilience.analysis.class_confusion.evidence import evidence
from consilience.analysis.class_confusion.label_counts import LabelCounts

# Of log weights: between a hundredth of an answer and a hundred, nineteen in twenty.
_CENTRE, _SPREAD = 0.0, 2.3
# Of the log-odds of a lapse: between one answer in a thousand and one in four, nineteen
# times in twenty. Judgement: where answers say little of it, lapses are few.
_LAPSE, _LAPSE_SPREAD = -4.0, 1.5
_MIN_CONCENTRATION = 1e-12
_START = (0.0, -1.0, 1.0, 1.0, 0.0, _LAPSE, -2.0)  # of what is learned beside weights


class Hyperparameters(NamedTuple):
    """What is learned of all classes, as `ConfusionPosterior` has it.

    Attributes
    ----------
    weight
        Weight of each kind of evidence.
    odds, against, classes, spread, beside, lapse, aside
        Of all.
    """

    weight: Any
    odds: Any
    against: Any
    classes: Any
    spread: Any
    beside: Any
    lapse: Any
    aside: Any


class _Counts(NamedTuple):
    """Answers and evidence as the likelihood takes them: arrays alone.

    Letters: I items; N cells, an item and a label other than its own that it was
    called, in the order of class, label and item; E kinds of evidence.

    Attributes
    ----------
    dataset_label
        Answers that give items' own labels, and that do not.
    others, beside
        Answers about each item that give other labels, and name such aside.
    item, first, votes, asides
        Of each cell: its item, where its class and label begin, answers that give it,
        and that name it aside.
    class_, in_turn, turn, before
        The class of each item; items in the order of classes, the place of each in it,
        and where the class of each in that order begins.
    at_cell, of_class
        What evidence says of the label of each cell, and of all others of each class.
    """

    dataset_label: DatasetLabelCounts
    others: Float[np.ndarray, " I"]
    beside: Float[np.ndarray, " I"]
    item: Int[np.ndarray, " N"]
    first: Int[np.ndarray, " N"]
    votes: Float[np.ndarray, " N"]
    asides: Float[np.ndarray, " N"]
    class_: Int[np.ndarray, " I"]
    in_turn: Int[np.ndarray, " I"]
    turn: Int[np.ndarray, " I"]
    before: Int[np.ndarray, " I"]
    at_cell: Float[np.ndarray, "E N"]
    of_class: Float[np.ndarray, "E K"]


@dataclass(frozen=True, slots=True, eq=False)
class HyperparameterPosterior:
    """What the answers say of all weights, as a Normal distribution of `place`.

    Attributes
    ----------
    label_counts
        How items were called.
    evidence
        Where each kind of evidence expects answers.
    counts
        Both, as the likelihood takes them.
    place
        The best logs of weights and of what follows them in `Hyperparameters`, log-odds
        of a lapse and of `aside`.
    root
        Root of their covariance.
    """

    label_counts: LabelCounts
    evidence: Mapping[str, Float[np.ndarray, "K K"]]
    counts: _Counts
    place: Float[np.ndarray, " P"]
    root: Float[np.ndarray, "P P"]

    @property
    def best(self) -> ConfusionPosterior:
        """How items are called, by the best weights."""
        return self._posterior_at(self.place)

    def draw(self, generator: np.random.Generator) -> ConfusionPosterior:
        """How items are called, by weights that may be so as well."""
        noise = self.root @ generator.standard_normal(len(self.place))
        return self._posterior_at(self.place + noise)

    def _posterior_at(self, place: Float[np.ndarray, " P"]) -> ConfusionPosterior:
        label_counts = self.label_counts
        parameters = _hyperparameters(place, np.exp, expit)
        prior = np.tensordot(
            parameters.weight, np.stack(list(self.evidence.values())), 1
        )
        other = label_counts.label != label_counts.dataset_label[label_counts.item]
        information = _relative_information(
            label_counts, label_counts.votes * other, parameters.beside
        )
        counted = information * (
            label_counts.votes + parameters.aside * label_counts.asides
        )
        concentration = np.maximum(
            prior + label_counts.by_class(counted), _MIN_CONCENTRATION
        )
        np.fill_diagonal(concentration, 0.0)
        agreeing, otherwise = _posterior_beta(self.counts, parameters)
        return ConfusionPosterior(
            agreeing=agreeing,
            otherwise=otherwise,
            concentration=concentration,
            weights=dict(zip(self.evidence, parameters.weight.tolist(), strict=True)),
            odds=float(parameters.odds),
            against=float(parameters.against),
            classes=float(parameters.classes),
            spread=float(parameters.spread),
            beside=float(parameters.beside),
            lapse=float(parameters.lapse),
            aside=float(parameters.aside) if label_counts.asides.any() else 0.0,
        )


def learn(label_counts: LabelCounts) -> HyperparameterPosterior:
    """Learn how items are called.

    Parameters
    ----------
    label_counts
        How they were called; items in the order in which they are taken up.
    """
    matrices = evidence(label_counts)
    counts = _count_arrays(label_counts, np.stack(list(matrices.values())))
    start = np.append(np.zeros(len(matrices)), _START)
    with jax.enable_x64(True):  # noqa: FBT003 (the way JAX spells it)

        def maximize(place: Float[np.ndarray, " P"]) -> tuple[float, np.ndarray]:
            value, slope = _slopes(counts, place)
            return float(value), np.asarray(slope, float)

        mode = minimize(maximize, start, jac=True, method="L-BFGS-B").x
        curved = _curvature(counts, mode) * len(label_counts.dataset_label)
    # Where the answers say next to nothing, the prior's own spread is what is left.
    _, scale = _prior(len(mode))
    strength, axes = np.linalg.eigh(curved * np.outer(scale, scale))
    root = scale[:, None] * axes / np.sqrt(np.maximum(strength, 1.0))
    return HyperparameterPosterior(label_counts, matrices, counts, mode, root)


def _curvature(
    counts: _Counts, place: Float[np.ndarray, " P"], step: float = 1e-4
) -> Float[np.ndarray, "P P"]:
    """Return second derivatives, as differences of slopes."""
    rows = [
        np.asarray(
            _slopes(counts, place + by)[1] - _slopes(counts, place - by)[1], float
        )
        for by in step * np.eye(len(place))
    ]
    curved: Float[np.ndarray, "P P"] = np.array(rows) / (2 * step)
    symmetric: Float[np.ndarray, "P P"] = (curved + curved.T) / 2
    return symmetric


def _hyperparameters(place: Any, exp: Any, share: Any) -> Hyperparameters:
    """Return what a place without bounds stands for."""
    weight, others = place[: -len(_START)], place[-len(_START) :]
    return Hyperparameters(
        exp(weight), *(exp(value) for value in others[:-2]), *map(share, others[-2:])
    )


def _prior(number: int) -> tuple[Float[np.ndarray, " P"], Float[np.ndarray, " P"]]:
    """Return the mean and the standard deviation of each number of a place."""
    centre, scale = np.full(number, _CENTRE), np.full(number, _SPREAD)
    centre[-2], scale[-2] = _LAPSE, _LAPSE_SPREAD
    return centre, scale


def _relative_information(
    label_counts: LabelCounts, votes: Float[np.ndarray, " N"], spread: Any
) -> Float[np.ndarray, " N"]:
    """Return the weight of one answer about the item of each cell."""
    number = np.bincount(label_counts.item, votes, len(label_counts.dataset_label))
    information: Float[np.ndarray, " N"] = np.asarray(
        _effective_weight(number, spread)
    )[label_counts.item]
    return information


def _effective_weight(number: Any, spread: Any) -> Any:
    """Return the weight of one of so many correlated answers, relative to one alone."""
    return (1 + spread) / (spread + number + (number < 1))


def _count_arrays(
    label_counts: LabelCounts, stacked: Float[np.ndarray, "E K K"]
) -> _Counts:
    class_ = label_counts.dataset_label
    of_cell = class_[label_counts.item].astype(np.int64)
    order = np.lexsort((label_counts.item, label_counts.label, of_cell))
    order = order[label_counts.label[order] != of_cell[order]]
    item, label = label_counts.item[order], label_counts.label[order]
    group = of_cell[order] * label_counts.num_labels + label
    in_turn = np.argsort(class_, kind="stable")
    asides = label_counts.asides[order]
    return _Counts(
        dataset_label=dataset_label_counts(label_counts),
        others=dataset_label_and_others(label_counts)[1].astype(float),
        beside=np.bincount(item, asides, len(class_)),
        item=item,
        first=np.searchsorted(group, group),
        votes=label_counts.votes[order],
        asides=asides,
        class_=class_,
        in_turn=in_turn,
        turn=np.argsort(in_turn),
        before=np.searchsorted(class_[in_turn], class_[in_turn]),
        at_cell=stacked[:, class_[item], label],
        of_class=stacked.sum(2),
    )


def _loss(counts: _Counts, place: Float[Array, " P"]) -> Float[Array, ""]:
    """Return minus the log marginal likelihood and prior, an item."""
    parameters = _hyperparameters(place, jnp.exp, sigmoid)
    likelihood = logsumexp(_log_joint_shares(counts, parameters), axis=1).sum()
    likelihood += _log_others(counts, parameters)
    centre, scale = _prior(len(place))
    prior = (((place - centre) / scale) ** 2).sum() / 2
    return (prior - likelihood) / len(counts.others)


def _log_joint_shares(
    counts: _Counts, parameters: Hyperparameters
) -> Float[Array, "K T"]:
    """Return log p(how often a class is called by its own label, answers)."""
    rest = jnp.maximum(parameters.weight @ counts.of_class, _MIN_CONCENTRATION)
    mean = sigmoid(jnp.log(parameters.odds) - parameters.against * jnp.log(rest))
    return log_joint(
        counts.dataset_label,
        mean,
        parameters.classes,
        parameters.spread,
        parameters.lapse,
    )


def _posterior_beta(
    counts: _Counts, parameters: Hyperparameters
) -> tuple[Float[np.ndarray, " K"], Float[np.ndarray, " K"]]:
    """Return the Beta with the mean and the variance of each class's posterior."""
    with jax.enable_x64(True):  # noqa: FBT003 (the way JAX spells it)
        belief = np.asarray(softmax(_jitted_shares(counts, parameters), axis=1))
    share = counts.dataset_label.share
    return beta_from_moments(belief @ share, belief @ share**2)


def _log_others(counts: _Counts, parameters: Hyperparameters) -> Float[Array, ""]:
    """Return the log probability of which other labels are given, items in turn."""
    information = _effective_weight(counts.others, parameters.beside)
    counted = information[counts.item] * (
        counts.votes + parameters.aside * counts.asides
    )
    of_class = parameters.weight @ counts.of_class
    whole = (information * (counts.others + parameters.aside * counts.beside))[
        counts.in_turn
    ]
    so_far = _sum_before(whole, counts.before)[counts.turn]
    rest = jnp.maximum(of_class[counts.class_] + so_far, _MIN_CONCENTRATION)
    precision = _precision(parameters.beside, rest)
    concentration = parameters.weight @ counts.at_cell + _sum_before(
        counted, counts.first
    )
    share = jnp.maximum(concentration / rest[counts.item], _MIN_CONCENTRATION)
    # One call: log-Gamma dominates the time of compilation.
    log_rising = _log_rising_factorial(
        jnp.concatenate([precision[counts.item] * share, precision]),
        jnp.concatenate([counts.votes, counts.others]),
    )
    return log_rising[: len(share)].sum() - log_rising[len(share) :].sum()


_slopes = jax.jit(jax.value_and_grad(_loss, argnums=1))
_jitted_shares = jax.jit(_log_joint_shares)


def _precision(
    spread: Float[Array, ""], total: Float[Array, " I"]
) -> Float[Array, " I"]:
    """Return how closely items keep to a naming of which so many answers tell."""
    together = (1 + spread / (1 + total)) / (1 + spread)
    return 1 / together - 1


def _log_rising_factorial(start: Float[Array, " N"], steps: Any) -> Float[Array, " N"]:
    end, begin = gammaln(jnp.stack([start + steps, start]))
    return end - begin


def _sum_before(values: Float[Array, " N"], start: Any) -> Float[Array, " N"]:
    """Sum what comes before each, back to the start of its group."""
    running = jnp.cumsum(values) - values
    return running - running[start]
