"""Counts of the labels given to each item, beside its class."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

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
    return np.flatnonzero(answered & (class_ >= 0)), np.flatnonzero(
        answered & (class_ < 0)
    )


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
