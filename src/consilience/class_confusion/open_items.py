"""Items whose class is not known: how probable their answers are in each class.

Such an item is judged by the items that have a class: what is believed of a class given
these is what one more item of it would be called by. Items without a class say nothing
of one another.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.nn import softmax
from jaxtyping import Array, Float, Int

from consilience.class_confusion.dataset_label import (
    Lapses,
    log_probabilities,
    log_sum,
    possible_lapses,
)
from consilience.class_confusion.label_counts import LabelCounts
from consilience.class_confusion.likelihood import (
    MIN_CONCENTRATION,
    Counts,
    Hyperparameters,
    concentrations,
    log_rising_factorial,
    precision_about,
)


class OpenItems(NamedTuple):
    """Answers about items without a class.

    Letters: V items; N cells, an item and a label that it was called.
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
    share = counts.dataset_label.share[None, :]

    def at_nodes(lapses: Lapses, number: int) -> Float[Array, "n T"]:
        rows = log_probabilities(lapses, share, parameters.spread, parameters.lapse)
        return log_sum(rows, lapses.which, number)

    never = at_nodes(items.never, len(items.unit))
    top = never.max(1)
    log_chance = jnp.log(belief @ jnp.exp(never - top[:, None]).T) + top
    cell = at_nodes(items.cell, len(items.label))
    top = cell.max(1)
    of_cell = (belief[items.label] * jnp.exp(cell - top[:, None])).sum(1)
    return log_chance.at[items.label, items.item].set(jnp.log(of_cell) + top)


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
