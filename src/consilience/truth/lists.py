"""Answers as places on the short list of their unit: for models of many labels.

With a thousand labels neither a table of labels by labels for each annotator nor one of
units by labels fits in memory. But only a few labels are on the list of a unit, so all
that is needed has a place for each slot of the lists: T slots of answers, which for
choice are the S slots of the states. Arrays have the units last, so that a sum over
slots adds long rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Shaped

from consilience.truth.arrays import Incidence, incidence, pytree
from consilience.truth.choice import answer_slot, listed_answers
from consilience.truth.named import LabelPairs
from consilience.truth.similarity import named_pairs
from consilience.truth.space import Space


@pytree("num_pairs")
@dataclass(frozen=True, slots=True)
class Shortlists:
    """The answers by unit and slot of its list."""

    by_slot: Incidence
    count: Float[Array, "T U"]
    right: Bool[Array, "S T"]
    word: Int[Array, "T _"]
    label: Incidence
    kin: Bool[Array, "S T #U"] | None
    similar: Float[Array, "S T #U"] | None
    by_pair_of_labels: Incidence | None
    num_pairs: int

    @property
    def real(self) -> Bool[Array, "T _"]:
        """Whether there is an answer in the slot; lists are padded."""
        return self.word >= 0

    @property
    def wrong(self) -> Bool[Array, "S T #U"]:
        """Which answers are on the list and wrong, for each slot of a state."""
        return self.real[None] & ~self.right[:, :, None]


def shortlists(
    space: Space,
    *,
    parent: Shaped[np.ndarray, " K"] | None = None,
    similar: LabelPairs | None = None,
    pairs: bool = False,
) -> Shortlists:
    """Lay out the answers of a space by unit and slot."""
    units, words = space.num_units, listed_answers(space)
    slots = words.shape[1]
    place = answer_slot(space).astype(np.int64) * units + space.unit
    weight = None if (space.n == 1).all() else space.n.astype(float)
    count = np.bincount(place, space.n, slots * units).reshape(slots, units)
    real = words >= 0
    cell = np.flatnonzero(real.T)
    right = np.eye(slots, dtype=bool)
    if space.answers != space.states:
        right = np.arange(slots) == space.votes.argmax(0)[:, None]
    cells = _Cells(words)
    label_pairs = named_pairs(space) if pairs else None
    return Shortlists(
        by_slot=incidence(
            place, space.annotator, weight, (slots * units, space.num_annotators)
        ),
        count=jnp.asarray(count),
        right=jnp.asarray(right),
        word=jnp.asarray(words.T),
        label=incidence(
            cell, words.T.ravel()[cell], None, (real.size, len(space.answers))
        ),
        kin=None if parent is None else jnp.asarray(cells.kin(parent)),
        similar=None if similar is None else jnp.asarray(cells.similar(similar)),
        by_pair_of_labels=None if label_pairs is None else cells.by_pair(label_pairs),
        num_pairs=0 if label_pairs is None else len(label_pairs.first),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Every pair of a state and an answer on one list."""

    words: Int[np.ndarray, "#U T"]

    def kin(self, parent: Shaped[np.ndarray, " K"]) -> Bool[np.ndarray, "S T #U"]:
        code = np.full(len(parent), -1)
        named = parent != ""
        code[named] = np.unique(parent[named].astype(str), return_inverse=True)[1]
        of = np.where(self.words >= 0, code[self.words], -1).T
        alike: Bool[np.ndarray, "S T #U"] = (of[:, None] == of[None]) & (of >= 0)[None]
        return alike

    def similar(self, pairs: LabelPairs) -> Float[np.ndarray, "S T #U"]:
        return pairs.at(*self._labels())

    def by_pair(self, pairs: LabelPairs) -> Incidence:
        index = pairs.place(*self._labels()).ravel()
        cell = np.flatnonzero(index < len(pairs.first))
        shape = (len(index), max(len(pairs.first), 1))
        return incidence(cell, index[cell], None, shape)

    def _labels(self) -> tuple[Int[np.ndarray, "S T #U"], Int[np.ndarray, "S T #U"]]:
        """Return the labels of state and answer of each cell."""
        labels = self.words.T
        state, answer = np.broadcast_arrays(labels[:, None], labels[None])
        return state, answer
