"""Responses counted by unit, annotator and answer, as a sparse matrix of SciPy.

Row u of the matrix is a unit (an item, or an item and a label), column c is a pair of
annotator and answer, and the entry says how often that annotator gave that answer
there. Two products are the whole cost of fitting a model of tables:

- matrix @ table sums, over the answers of a unit, a row of the table each (E-step);
- matrix.T @ belief sums, over the units with that answer, a row of belief (M-step).

Nothing is compiled, and nothing of it is loaded with JAX. `truth.arrays` has
the same products with derivatives, for models that are optimized or sampled by
gradients.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array

from consilience.truth.choice import answer_slot
from consilience.truth.space import (
    PriorCovariates,
    Space,
    prior_covariates,
    rows_of_units,
)

_SHARED: WeakValueDictionary[str, np.ndarray] = WeakValueDictionary()


@dataclass(frozen=True, eq=False)
class ResponseMatrix:
    """Responses and possible truths; letters as in `truth.space`."""

    space: Space
    by_pair: csr_array
    state: Int[np.ndarray, "#U S"]
    log_prior: Float[np.ndarray, "#U S"]
    prevalent: Float[np.ndarray, "#U 1"]
    prior_covariates: PriorCovariates
    votes: Float[np.ndarray, "L K"]
    group: Int[np.ndarray, " J"]
    layout: Any
    num_annotators: int
    num_groups: int
    num_states: int
    num_answers: int
    ragged: bool

    @property
    def num_units(self) -> int:
        """U, the number of units."""
        return int(self.by_pair.shape[0])

    @cached_property
    def transposed(self) -> csr_array:
        """The transpose of `by_pair`, by rows as well."""
        turned = self.by_pair.T.tocsr()
        if (turned.data == 1).all():
            turned.data = _ones(len(turned.data))
        return turned

    @property
    def has_covariates(self) -> bool:
        """Whether anything is known of candidates."""
        return bool(self.prior_covariates.value.shape[-1])

    @cached_property
    def guess(self) -> Float[np.ndarray, "U S"]:
        """A first guess of the truth: vote shares."""
        return vote_shares(self.space)

    def listed(
        self, dense: Float[np.ndarray, "#B K *rest"], units: slice = slice(None)
    ) -> Float[np.ndarray, "..."]:
        """Return the columns of the states listed for each unit, or for some."""
        if not self.ragged:
            return dense
        state = rows_of_units(self.state, units)
        if dense.shape[0] == 1:
            return dense[0][state]
        rows = np.arange(len(dense))[:, None]
        return dense[rows, state]

    def over_labels(self, listed: Float[np.ndarray, "U S"]) -> Float[np.ndarray, " K"]:
        """Sum over units what each has at the places of its list."""
        if not self.ragged:
            return listed.sum(0)
        place = np.broadcast_to(self.state, listed.shape)
        if self.has_covariates:
            real = self.prior_covariates.real
            place, listed = place[real], listed[real]
        return np.bincount(place.ravel(), listed.ravel(), self.num_states)

    def to_all_states(
        self, listed: Float[np.ndarray, "U S *rest"]
    ) -> Float[np.ndarray, "U K *rest"]:
        """Return a column for every state, zero where a unit does not list it."""
        if not self.ragged:
            return listed
        dense = np.zeros((len(listed), self.num_states, *listed.shape[2:]))
        units = np.arange(len(listed))
        for slot, state in enumerate(self.state.T):
            dense[units, state] += listed[:, slot]
        return dense


def response_matrix(space: Space, layout: Any = None) -> ResponseMatrix:
    """Count the responses of a space, beside what a model lays out itself."""
    num_answers = len(space.answers)
    columns = space.num_annotators * num_answers
    pair = space.annotator.astype(np.int64) * num_answers + space.answer
    index = np.int32 if max(columns, len(pair)) < np.iinfo(np.int32).max else np.int64
    start = np.searchsorted(space.unit, np.arange(space.num_units + 1))
    times = _ones(len(pair)) if (space.n == 1).all() else space.n.astype(float)
    counts = csr_array(
        (times, pair.astype(index), start.astype(index)),
        shape=(space.num_units, columns),
    )
    return ResponseMatrix(
        space=space,
        by_pair=counts,
        state=space.state,
        log_prior=space.log_prior,
        prevalent=space.prevalent,
        prior_covariates=prior_covariates(space),
        votes=space.votes,
        group=space.annotator_groups.code,
        layout=layout,
        num_annotators=space.num_annotators,
        num_groups=space.annotator_groups.number,
        num_states=len(space.states),
        num_answers=num_answers,
        ragged=space.ragged,
    )


def _ones(number: int) -> Float[np.ndarray, " N"]:
    """Return ones that all matrices of answers given once share."""
    there = _SHARED.get("ones")
    if there is None or len(there) < number:
        there = np.ones(number)
        _SHARED["ones"] = there
    return there[:number]


def tally(space: Space) -> Float[np.ndarray, "U S"]:
    """Count the votes that each listed state got; half votes count half."""
    of_states = space.answers == space.states
    slots = space.state.shape[1] if of_states else len(space.answers)
    code = space.unit.astype(np.int64) * slots + answer_slot(space)
    counts = np.bincount(code, space.n, space.num_units * slots)
    # Of no answers, NumPy counts whole numbers.
    votes = counts.astype(float, copy=False).reshape(space.num_units, slots)
    return votes if of_states else votes @ space.votes


def vote_shares(
    space: Space, units: Int[np.ndarray, " B"] | slice = slice(None)
) -> Float[np.ndarray, "B S"]:
    """Return the smoothed share of votes of each listed state, a first guess."""
    weight = tally(space)[units]
    weight += 1 / len(space.answers)
    if len(space.log_prior) > 1:
        weight *= np.exp(np.minimum(space.log_prior[units], 0))
    weight /= weight.sum(1, keepdims=True)
    return weight
