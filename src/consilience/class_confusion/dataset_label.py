r"""Counts of labels: how often items are called by their own, but for lapses.

Of the answers about item i a share :math:`\epsilon` are lapses, which give another
label whatever the item shows; the rest give its own with chance :math:`u_i`, which is
Beta about how often its class is called so, and that is Beta before anyone is asked:

.. math::

   u_i \sim \mathrm{Beta}\bigl(s \kappa_c, \; s (1 - \kappa_c)\bigr), \qquad
   \kappa_c \sim \mathrm{Beta}\bigl(\nu m_c, \; \nu (1 - m_c)\bigr)

Which of the others were lapses is summed out, k of n answers giving the own label,

.. math::

   \sum_{h=k}^{n} \binom{n-k}{h-k} \epsilon^{n-h} (1-\epsilon)^h
   \frac{B\bigl(s\kappa + k, \; s(1-\kappa) + h - k\bigr)}
   {B\bigl(s\kappa, \; s(1-\kappa)\bigr)} ,

and so is :math:`\kappa_c`, on nodes that are equally spaced in log-odds: of a density
that is about normal there, the error is :math:`10^{-8}` at a spacing of one standard
deviation.

References
----------
Wichmann and Hill (2001), The psychometric function I, section 2, for lapses. Trefethen
and Weideman (2014), The exponentially convergent trapezoidal rule, for the nodes.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jax.scipy.special import gammaln as log_gamma
from jax.scipy.special import xlogy
from jaxtyping import Array, Float, Int
from scipy.special import expit, gammaln

from consilience.truth.arrays import Incidence, incidence
from consilience.truth.space import ChoiceSpace


@dataclass(frozen=True, slots=True, eq=False)
class LabelCounts:
    """How items were called.

    Letters: I items, K labels; a cell is an item and a label that it was called, and
    stands once.
    """

    dataset_label: Int[np.ndarray, " I"]
    item: Int[np.ndarray, " N"]
    label: Int[np.ndarray, " N"]
    votes: Float[np.ndarray, " N"]
    asides: Float[np.ndarray, " N"]
    parent: Int[np.ndarray, " K"] | None
    num_labels: int

    def by_class(self, cells: Float[np.ndarray, " N"]) -> Float[np.ndarray, "K K"]:
        """Sum the evidence of each cell over the items of a class."""
        size = self.num_labels
        place = self.dataset_label[self.item] * size + self.label
        summed = np.bincount(place, cells, size * size)
        return summed.astype(float, copy=False).reshape(size, size)


def classes_of(space: ChoiceSpace) -> Int[np.ndarray, " U"]:
    """Return the class of each unit; -1 where several labels are possible."""
    shape = (space.num_units, space.state.shape[1])
    possible = np.broadcast_to(np.isfinite(space.log_prior) & space.real, shape)
    states = np.broadcast_to(space.state, shape)
    first = states[np.arange(len(states)), possible.argmax(1)]
    return np.where(possible.sum(1) == 1, first, -1).astype(np.int64)


def answered_units(
    space: ChoiceSpace, class_: Int[np.ndarray, " U"]
) -> tuple[Int[np.ndarray, " I"], Int[np.ndarray, " V"]]:
    """Return the units with answers: those that have a class, and those without."""
    answered = np.bincount(space.unit, space.n, space.num_units) > 0
    has_class = class_ >= 0
    return np.flatnonzero(answered & has_class), np.flatnonzero(answered & ~has_class)


def label_counts(
    space: ChoiceSpace, units: Int[np.ndarray, " I"], class_: Int[np.ndarray, " U"]
) -> LabelCounts:
    """Return how some units were called."""
    size, asides = len(space.states), space.asides
    rank = np.full(space.num_units, -1)
    rank[units] = np.arange(len(units))
    item = rank[np.concatenate([space.unit, asides.unit])]
    label = np.concatenate([space.answer, asides.label]).astype(np.int64)
    n = np.concatenate([space.n, asides.n]).astype(float)
    votes = np.where(np.arange(len(n)) < len(space.n), n, 0.0)
    kept = item >= 0
    cells, cell = np.unique(item[kept] * size + label[kept], return_inverse=True)
    parent, groups = pd.factorize(space.parent.astype(str))
    return LabelCounts(
        dataset_label=class_[units],
        item=cells // size,
        label=cells % size,
        # Of no answers, NumPy counts whole numbers.
        votes=np.bincount(cell, votes[kept], len(cells)).astype(float),
        asides=np.bincount(cell, (n - votes)[kept], len(cells)).astype(float),
        parent=None if list(groups) == [""] else parent,
        num_labels=size,
    )


_REACH = 9.0  # of the nodes, in log-odds
# Of their spacing. That the answers about one item tell no more of its class than four
# independent ones holds where items differ as they did in the study of ImageNet.
_MIN_SPACING, _MAX_SPACING, _MAX_ANSWERS = 0.01, 0.2, 4


class Lapses(NamedTuple):
    """What may have been lapses: a row for each number of answers that were none."""

    which: Int[np.ndarray, " R"]
    agreeing: Int[np.ndarray, " R"]
    heeded: Int[np.ndarray, " R"]
    lapses: Float[np.ndarray, " R"]
    ways: Float[np.ndarray, " R"]


class DatasetLabelCounts(NamedTuple):
    """Answers that give items' own labels, and others: alike items counted once.

    Letters: U patterns of answers; T nodes.
    """

    agreeing: Int[np.ndarray, " U"]
    lapses: Lapses
    items: Incidence
    share: Float[np.ndarray, " T"]


def dataset_label_and_others(
    label_counts: LabelCounts,
) -> tuple[Int[np.ndarray, " I"], Int[np.ndarray, " I"]]:
    """Count the answers about each item that give its own label, and the others."""
    mine = label_counts.label == label_counts.dataset_label[label_counts.item]
    items = len(label_counts.dataset_label)
    agreeing, others = (
        np.rint(np.bincount(label_counts.item, label_counts.votes * counted, items))
        for counted in (mine, ~mine)
    )
    return agreeing.astype(int), others.astype(int)


def possible_lapses(
    agreeing: Int[np.ndarray, " U"], others: Int[np.ndarray, " U"]
) -> Lapses:
    """List what may have been lapses, of patterns or of items."""
    which = np.repeat(np.arange(len(agreeing)), others + 1)
    heeded = np.arange(len(which)) - (np.cumsum(others + 1) - others - 1)[which]
    lapses = others[which] - heeded
    ways = gammaln(others[which] + 1) - gammaln(heeded + 1) - gammaln(lapses + 1)
    return Lapses(
        which, agreeing[which], agreeing[which] + heeded, lapses.astype(float), ways
    )


def dataset_label_counts(label_counts: LabelCounts) -> DatasetLabelCounts:
    """Count the items of each class that were called their own label so often."""
    pairs = np.stack(dataset_label_and_others(label_counts), axis=1)
    # One without answers stands for none at all.
    every = np.append(pairs, np.zeros((int(not len(pairs)), 2), int), axis=0)
    patterns, of_item = np.unique(every, axis=0, return_inverse=True)
    of_item = of_item.ravel()[: len(pairs)]
    classes, size = label_counts.num_labels, len(patterns)
    code = label_counts.dataset_label * size + of_item
    cells, number = np.unique(code, return_counts=True)
    most_answers = np.bincount(
        label_counts.dataset_label, np.minimum(pairs.sum(1), _MAX_ANSWERS)
    ).max(initial=1)
    # The least a class may be known to, where half of the answers give its label.
    spacing = np.clip(2 / np.sqrt(most_answers), _MIN_SPACING, _MAX_SPACING)
    node = np.linspace(-_REACH, _REACH, 1 + round(2 * _REACH / spacing))
    agreeing, others = patterns.T
    return DatasetLabelCounts(
        agreeing=agreeing,
        lapses=possible_lapses(agreeing, others),
        items=incidence(
            cells // size, cells % size, number.astype(float), (classes, size)
        ),
        share=expit(node),
    )


def log_beta_functions(*arguments: tuple[Any, Any, Any]) -> list[Any]:
    """Return the log of Beta functions, each of two numbers and their sum.

    All of them use one call of log-Gamma, which dominates the time of compilation.
    """
    arrays = [jnp.asarray(number, float) for triple in arguments for number in triple]
    values = log_gamma(jnp.concatenate([array.ravel() for array in arrays]))
    ends = np.cumsum([array.size for array in arrays])[:-1]
    parts = [
        part.reshape(array.shape)
        for part, array in zip(jnp.split(values, ends), arrays, strict=True)
    ]
    return [
        one + other - both
        for one, other, both in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    ]


def log_probabilities(
    lapses: Lapses, share: Any, precision: Any, lapse: Any
) -> Float[Array, "R T"]:
    """Return the log probability of each row: which answers, and how many lapses."""
    agreeing, heeded = lapses.agreeing[:, None], lapses.heeded[:, None]
    yes, no = precision * share, precision * (1 - share)
    posterior, prior = log_beta_functions(
        (yes + agreeing, no + heeded - agreeing, precision + heeded),
        (yes, no, precision),
    )
    which = xlogy(lapses.lapses[:, None], lapse) + heeded * jnp.log1p(-lapse)
    return jnp.asarray(lapses.ways[:, None] + which + posterior - prior)


def log_chance(
    lapses: Lapses, share: Any, precision: Any, lapse: Any, number: int
) -> Float[Array, "U T"]:
    """Return the log probability of each of so many patterns, lapses summed out."""
    rows, which = log_probabilities(lapses, share, precision, lapse), lapses.which
    top = jax.lax.stop_gradient(jax.ops.segment_max(rows, which, number))
    whole = jax.ops.segment_sum(jnp.exp(rows - top[which]), which, number)
    return top + jnp.log(whole)
