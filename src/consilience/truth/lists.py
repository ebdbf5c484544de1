"""Answers as places on the short list of their unit: for models of many labels.

With a thousand labels neither a table of labels by labels for each annotator nor one of
units by labels fits in memory. But only a few labels are on the list of a unit, so all
that is needed has a place for each slot of the lists: T slots of answers, which for
choice are the S slots of the states. Arrays have the units last, so that a sum over
slots adds long rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from scipy.sparse import csr_array

from consilience.truth.choice import answer_slot, listed_answers
from consilience.truth.named import LabelPairs
from consilience.truth.similarity import named_pairs
from consilience.truth.space import Space


@dataclass(frozen=True, slots=True, eq=False)
class Shortlists:
    """The answers by unit and slot of its list, in NumPy or JAX.

    `by_slot` and `terms` are matrices that multiply columns of numbers: of SciPy, or
    `truth.Incidence`. A term takes its parameters to the log weight of errors at each
    slot of states and of answers.
    """

    by_slot: Any
    count: Float[Any, "T U"]
    right: Bool[Any, "S T"]
    word: Int[Any, "T _"]
    terms: Mapping[str, Any]

    @property
    def real(self) -> Bool[Any, "T _"]:
        """Whether there is an answer in the slot; lists are padded."""
        return self.word >= 0

    @property
    def wrong(self) -> Bool[Any, "S T #U"]:
        """Which answers are on the list and wrong, for each slot of a state."""
        return self.real[None] & ~self.right[:, :, None]

    def log_weight(self, term: str, value: Any) -> Float[Any, "#S T #U"]:
        """Return what the parameters of a term add to the log weight of each error."""
        column = self.terms[term] @ value.reshape(-1, 1)
        return column.reshape(-1, *self.word.shape)


def shortlists(
    space: Space,
    *,
    popularity: bool = False,
    parent: Shaped[np.ndarray, " K"] | None = None,
    similar: LabelPairs | None = None,
    pairs: bool = False,
) -> Shortlists:
    """Lay out the answers of a space by unit and slot."""
    units, words = space.num_units, listed_answers(space)
    slots = words.shape[1]
    place = answer_slot(space).astype(np.int64) * units + space.unit
    right = np.eye(slots, dtype=bool)
    if space.answers != space.states:
        right = np.arange(slots) == space.votes.argmax(0)[:, None]
    state, answer = np.broadcast_arrays(words.T[:, None], words.T[None])
    terms: dict[str, Any] = {}
    if popularity:
        terms["popularity"] = _ones(words.T.ravel(), len(space.answers))
    if parent is not None:
        code = np.full(len(parent), -1)
        named = parent != ""
        code[named] = np.unique(parent[named].astype(str), return_inverse=True)[1]
        of = np.where(words >= 0, code[words], -1).T
        alike = (of[:, None] == of[None]) & (of >= 0)[None]
        terms["superclass"] = alike.reshape(-1, 1).astype(float)
    if similar is not None:
        terms["similarity"] = similar.at(state, answer).reshape(-1, 1)
    if pairs:
        named_together = named_pairs(space)
        index = named_together.place(state, answer).ravel()
        number = len(named_together.first)
        if number:
            terms["pairs"] = _ones(np.where(index < number, index, -1), number)
    return Shortlists(
        by_slot=csr_array(
            (space.n.astype(float), (place, space.annotator)),
            shape=(slots * units, space.num_annotators),
        ),
        count=np.bincount(place, space.n, slots * units).reshape(slots, units),
        right=right,
        word=words.T,
        terms=terms,
    )


def _ones(column: Int[np.ndarray, " cells"], number: int) -> csr_array:
    """Return a matrix with a one in the column of each row; -1: none."""
    row = np.flatnonzero(column >= 0)
    shape = (len(column), number)
    return csr_array((np.ones(len(row)), (row, column[row])), shape=shape)
