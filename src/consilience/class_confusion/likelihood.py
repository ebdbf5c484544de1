r"""The likelihood of how items are called, given what is learned of all classes.

How often the items of a class are called by its own label is integrated exactly
(`dataset_label`); the other labels that they are called are Dirichlet-multinomial about
those that their class is called. Given items, what is believed of these is Dirichlet
still, nearly: an item with :math:`n` answers that give other labels counts as
:math:`n / (1 + (n - 1) \rho)` answers, with :math:`\rho = 1 / (1 + t)` the correlation
of two of them, and a label that is named aside as a share :math:`d` of an answer. So
the probability of the answers about an item, given the items of its class before it,
has a closed form, whose spread is that of the item and of the class together.

References
----------
Brier (1980), Analysis of contingency tables under cluster sampling, for the effective
numbers. Minka (2000), Estimating a Dirichlet distribution. The chain is assumed density
filtering: Maybeck (1982), Stochastic models, estimation and control, chapter 12.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.nn import sigmoid, softmax
from jax.scipy.special import gammaln, logsumexp
from jaxtyping import Array, Float, Int

from consilience.class_confusion.confusion_posterior import (
    ConfusionPosterior,
    beta_from_moments,
)
from consilience.class_confusion.dataset_label import (
    DatasetLabelCounts,
    LabelCounts,
    Lapses,
    dataset_label_and_others,
    dataset_label_counts,
    log_chance,
    possible_lapses,
)
from consilience.programs import double_precision
from consilience.truth.arrays import AnyArray

MIN_CONCENTRATION = 1e-12
KINDS = (
    "any",
    "popular",
    "superclass",
    "popular_superclass",
    "reverse",
    "together",
    "reverse_aside",
    "together_aside",
)
ASIDE = "reverse_aside"  # there where responses name labels besides their main one
# Positive numbers, whose logarithms are normal a priori.
POSITIVE = {
    "odds": "own_label_odds",
    "classes": "class_precision",
    "spread": "item_precision",
    "beside": "other_label_precision",
}
POWER = "own_label_power"


class Hyperparameters(NamedTuple):
    """What is learned of all classes, as `ConfusionPosterior` has it."""

    weight: Any
    odds: Any
    against: Any
    classes: Any
    spread: Any
    beside: Any
    lapse: Any
    aside: Any


class Counts(NamedTuple):
    """Answers and evidence as the likelihood takes them: arrays alone.

    Letters: I items; N cells, an item and a label other than its own that it was
    called, in the order of class, label and item; E kinds of evidence.
    """

    dataset_label: DatasetLabelCounts
    others: Float[np.ndarray, " I"]
    beside: Float[np.ndarray, " I"]
    item: Int[np.ndarray, " N"]
    first: Int[np.ndarray, " N"]
    votes: Float[np.ndarray, " N"]
    asides: Float[np.ndarray, " N"]
    place: Int[np.ndarray, " N"]
    class_: Int[np.ndarray, " I"]
    in_turn: Int[np.ndarray, " I"]
    turn: Int[np.ndarray, " I"]
    before: Int[np.ndarray, " I"]
    at_cell: Float[np.ndarray, "E N"]
    of_class: Float[np.ndarray, "E K"]
    items: Float[np.ndarray, " K"]


def count_arrays(
    label_counts: LabelCounts, stacked: Float[np.ndarray, "E K K"]
) -> Counts:
    """Lay out answers and evidence for the likelihood."""
    class_ = label_counts.dataset_label
    of_cell = class_[label_counts.item].astype(np.int64)
    order = np.lexsort((label_counts.item, label_counts.label, of_cell))
    order = order[label_counts.label[order] != of_cell[order]]
    item, label = label_counts.item[order], label_counts.label[order]
    place = of_cell[order] * label_counts.num_labels + label
    in_turn = np.argsort(class_, kind="stable")
    asides = label_counts.asides[order]
    return Counts(
        dataset_label=dataset_label_counts(label_counts),
        others=dataset_label_and_others(label_counts)[1].astype(float),
        beside=np.bincount(item, asides, len(class_)).astype(float),
        item=item,
        first=np.searchsorted(place, place),
        votes=label_counts.votes[order],
        asides=asides,
        place=place,
        class_=class_,
        in_turn=in_turn,
        turn=np.argsort(in_turn),
        before=np.searchsorted(class_[in_turn], class_[in_turn]),
        at_cell=stacked[:, class_[item], label],
        of_class=stacked.sum(2),
        items=np.bincount(class_, minlength=label_counts.num_labels).astype(float),
    )


def log_joint_shares(
    counts: Counts, parameters: Hyperparameters
) -> Float[Array, "K T"]:
    """Return log p(how often a class is called by its own label, answers)."""
    rest = jnp.log(jnp.maximum(parameters.weight @ counts.of_class, MIN_CONCENTRATION))
    typical = rest @ counts.items / jnp.maximum(counts.items.sum(), 1)
    mean = sigmoid(jnp.log(parameters.odds) - parameters.against * (rest - typical))
    label, share = counts.dataset_label, counts.dataset_label.share[None, :]
    log_likelihood = log_chance(
        label.lapses, share, parameters.spread, parameters.lapse, len(label.agreeing)
    )
    agreeing, otherwise = parameters.classes * mean, parameters.classes * (1 - mean)
    before = agreeing[:, None] * jnp.log(share) + otherwise[:, None] * jnp.log1p(-share)
    # By their sum, which is the integral unless classes are closer than nodes are.
    before -= logsumexp(before, axis=1, keepdims=True)
    return jnp.asarray(label.items @ log_likelihood + before)


def log_others(counts: Counts, parameters: Hyperparameters) -> Float[Array, " I"]:
    """Return log p(which other labels an item is called | items before it)."""
    information, counted = effective_votes(counts, parameters)
    of_class = parameters.weight @ counts.of_class
    whole = information * (counts.others + parameters.aside * counts.beside)
    so_far = sum_before(whole[counts.in_turn], counts.before)[counts.turn]
    rest = jnp.maximum(of_class[counts.class_] + so_far, MIN_CONCENTRATION)
    precision = precision_about(parameters.beside, rest)
    before = sum_before(counted, counts.first)
    concentration = parameters.weight @ counts.at_cell + before
    share = jnp.maximum(concentration / rest[counts.item], MIN_CONCENTRATION)
    # One call: log-Gamma dominates the time of compilation.
    log_rising = log_rising_factorial(
        jnp.concatenate([precision[counts.item] * share, precision]),
        jnp.concatenate([counts.votes, counts.others]),
    )
    of_item = jax.ops.segment_sum(
        log_rising[: len(share)], counts.item, len(counts.others)
    )
    return of_item - log_rising[len(share) :]


def effective_votes(
    counts: Counts, parameters: Hyperparameters
) -> tuple[Float[AnyArray, " I"], Float[AnyArray, " N"]]:
    """Return the weight of one answer about each item, and what each cell counts.

    Of so many correlated answers one weighs less than one alone.
    """
    number, spread = counts.others, parameters.beside
    information = (1 + spread) / (spread + number + (number < 1))
    votes = counts.votes + parameters.aside * counts.asides
    return information, information[counts.item] * votes


def precision_about(
    spread: Float[Array, ""], total: Float[Array, "*n"]
) -> Float[Array, "*n"]:
    """Return how closely items keep to a naming of which so many answers tell."""
    together = (1 + spread / (1 + total)) / (1 + spread)
    return 1 / together - 1


def log_rising_factorial(start: Float[Array, "*n"], steps: Any) -> Float[Array, "*n"]:
    """Return log of the product of so many numbers from a start, each one larger."""
    end, begin = gammaln(jnp.stack([start + steps, start]))
    return end - begin


def sum_before(values: Float[Array, " N"], start: Any) -> Float[Array, " N"]:
    """Sum what comes before each, back to the start of its group."""
    running = jnp.cumsum(values) - values
    return running - running[start]


def concentrations(
    evidence: Float[AnyArray, "E K K"], counts: Counts, parameters: Hyperparameters
) -> Float[Array, "K K"]:
    """Return the Dirichlet of each class among the other labels; zero for its own."""
    size = evidence.shape[1]
    _, counted = effective_votes(counts, parameters)
    given = jnp.zeros(size * size).at[counts.place].add(counted)
    prior = jnp.tensordot(parameters.weight, jnp.asarray(evidence), 1)
    others = 1 - jnp.eye(size)
    return (prior + given.reshape(size, size)) * others


def posterior_at(
    counts: Counts,
    matrices: Mapping[str, Float[np.ndarray, "K K"]],
    parameters: Hyperparameters,
) -> ConfusionPosterior:
    """Return how items are called, given what is learned of all classes."""
    stacked = np.stack(list(matrices.values()))
    with double_precision():
        whole = np.array(_jitted_concentrations(stacked, counts, parameters))
    concentration = np.maximum(whole, MIN_CONCENTRATION)
    np.fill_diagonal(concentration, 0.0)
    agreeing, otherwise = posterior_beta(counts, parameters)
    learned = {
        name: np.asarray(value, float).tolist()
        for name, value in parameters._asdict().items()
    }
    weights = dict(zip(matrices, learned.pop("weight"), strict=True))
    return ConfusionPosterior(
        agreeing=agreeing,
        otherwise=otherwise,
        concentration=concentration,
        weights=weights,
        **learned,
    )


def posterior_beta(
    counts: Counts, parameters: Hyperparameters
) -> tuple[Float[np.ndarray, " K"], Float[np.ndarray, " K"]]:
    """Return the Beta with the mean and the variance of each class's posterior."""
    with double_precision():
        belief = np.asarray(softmax(_jitted_shares(counts, parameters), axis=1))
    share = counts.dataset_label.share
    return beta_from_moments(belief @ share, belief @ share**2)


def weight_of(kind: str) -> str:
    """Return the name of the weight of a kind of evidence."""
    return f"{kind}_weight"


def hyperparameters(
    values: Mapping[str, Any], kinds: tuple[str, ...], stack: Callable[[list[Any]], Any]
) -> Hyperparameters:
    """Return parameters as the likelihood takes them."""
    return Hyperparameters(
        weight=stack([values[weight_of(kind)] for kind in kinds]),
        **{field: values[name] for field, name in POSITIVE.items()},
        against=values[POWER],
        lapse=values["lapse"],
        aside=values["aside_weight"] if ASIDE in kinds else 0.0,
    )


_jitted_shares = jax.jit(log_joint_shares)
_jitted_concentrations = jax.jit(concentrations)


class OpenItems(NamedTuple):
    """Answers about items without a class, which is to be inferred from the others.

    What is believed of a class given the items that have one is what one more item of
    it would be called by; items without a class say nothing of one another. Letters: V
    items; N cells, an item and a label that it was called.
    """

    unit: Int[np.ndarray, " V"]
    number: Float[np.ndarray, " V"]
    item: Int[np.ndarray, " N"]
    label: Int[np.ndarray, " N"]
    votes: Float[np.ndarray, " N"]
    never: Lapses
    cell: Lapses
    evidence: Float[np.ndarray, "E K K"]


def open_items(
    label_counts: LabelCounts,
    unit: Int[np.ndarray, " V"],
    stacked: Float[np.ndarray, "E K K"],
) -> OpenItems:
    """Lay out the answers about items without a class."""
    given = label_counts.votes > 0
    item, label, votes = (
        each[given]
        for each in (label_counts.item, label_counts.label, label_counts.votes)
    )
    number = np.bincount(item, votes, len(unit)).astype(float)
    agreeing, whole = np.rint(votes).astype(int), np.rint(number).astype(int)
    return OpenItems(
        unit=unit,
        number=number,
        item=item,
        label=label,
        votes=votes,
        never=possible_lapses(np.zeros(len(unit), int), whole),
        cell=possible_lapses(agreeing, whole[item] - agreeing),
        evidence=stacked if len(unit) else stacked[:, :0, :0],
    )


def log_likelihoods(
    items: OpenItems,
    counts: Counts,
    parameters: Hyperparameters,
    shares: Float[Array, "K T"],
) -> Float[Array, "V K"]:
    """Return log p(the answers about each item | its class, items that have one)."""
    by_own = _log_own_label(items, counts, parameters, softmax(shares, axis=1))
    return (by_own + _log_other_labels(items, counts, parameters)).T


def _log_own_label(
    items: OpenItems,
    counts: Counts,
    parameters: Hyperparameters,
    belief: Float[Array, "K T"],
) -> Float[Array, "K V"]:
    share, spread = counts.dataset_label.share[None, :], parameters.spread
    never, cell = (
        log_chance(lapses, share, spread, parameters.lapse, number)
        for lapses, number in (
            (items.never, len(items.unit)),
            (items.cell, len(items.label)),
        )
    )
    top = never.max(1)
    log_mean = jnp.log(belief @ jnp.exp(never - top[:, None]).T) + top
    top = cell.max(1)
    of_cell = (belief[items.label] * jnp.exp(cell - top[:, None])).sum(1)
    return log_mean.at[items.label, items.item].set(jnp.log(of_cell) + top)


def _log_other_labels(
    items: OpenItems, counts: Counts, parameters: Hyperparameters
) -> Float[Array, "K V"]:
    concentration = concentrations(items.evidence, counts, parameters)
    size = len(concentration)
    rest = jnp.maximum(concentration.sum(1), MIN_CONCENTRATION)
    precision = precision_about(parameters.beside, rest)[:, None]
    share = concentration[:, items.label] / rest[:, None]
    share = jnp.maximum(share, MIN_CONCENTRATION)
    rising = log_rising_factorial(precision * share, items.votes)
    rising = jnp.where(jnp.arange(size)[:, None] == items.label, 0.0, rising)
    by_item = jax.ops.segment_sum(rising.T, items.item, len(items.unit)).T
    agreeing = jnp.zeros((size, len(items.unit)))
    agreeing = agreeing.at[items.label, items.item].set(items.votes)
    others = items.number - agreeing
    precision = jnp.broadcast_to(precision, others.shape)
    return by_item - log_rising_factorial(precision, others)
