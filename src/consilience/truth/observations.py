"""A truth space laid out for the accelerator: the arrays that models see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from consilience.programs import keep_programs
from consilience.truth.arrays import (
    Incidence,
    incidence,
    incidences,
    no_incidence,
    pytree,
)
from consilience.truth.response_matrix import vote_shares
from consilience.truth.space import (
    PriorCovariates,
    Space,
    prior_covariates,
    real_places,
    rows_of_units,
)


@pytree("num_annotators", "num_groups", "num_states", "num_answers", "ragged")
@dataclass(frozen=True, slots=True)
class Observations:
    """Answers and possible truths as arrays; letters as in `truth.space`."""

    by_pair: Incidence
    unit: Int[Array, " N"]
    annotator: Int[Array, " N"]
    answer: Int[Array, " N"]
    state: Int[Array, "#U S"]
    log_prior: Float[Array, "#U S"]
    prevalent: Float[Array, "#U 1"]
    prior_covariates: PriorCovariates
    by_state: Incidence
    votes: Float[Array, "L K"]
    guess: Float[Array, "U S"]
    total: Float[Array, ""]
    scale: Float[Array, "#U"]
    asked: Float[Array, " J"]
    group: Int[Array, " J"]
    layout: Any
    num_annotators: int
    num_groups: int
    num_states: int
    num_answers: int
    ragged: bool

    @property
    def num_units(self) -> int:
        """U, the number of units."""
        return self.by_pair.shape[0]

    @property
    def has_covariates(self) -> bool:
        """Whether anything is known of candidates."""
        return bool(self.prior_covariates.value.shape[-1])

    def listed(self, dense: Float[Array, "#U K *rest"]) -> Float[Array, "#U S *rest"]:
        """Return the columns of the states listed for each unit."""
        if not self.ragged:
            return dense
        if dense.shape[0] == 1:
            units, slots = self.state.shape
            rest = dense.shape[2:]
            columns = self.by_state @ dense[0].reshape(self.num_states, -1)
            return jnp.moveaxis(columns.reshape(slots, units, *rest), 0, 1)
        rows = jnp.broadcast_to(dense, (self.state.shape[0], *dense.shape[1:]))
        state = self.state.reshape(*self.state.shape, *(1,) * (dense.ndim - 2))
        return jnp.take_along_axis(rows, state, axis=1)

    def over_labels(self, listed: Float[Array, "U S"]) -> Float[Array, " K"]:
        """Sum over units what each has at the places of its list."""
        column: Float[Array, "K 1"] = self.by_state.T @ listed.T.reshape(-1, 1)
        return column[:, 0]


def observe(
    space: Space, *, tables: bool = True, one_by_one: bool = False
) -> Observations:
    """Lay out a whole space; simulation asks for its answers one by one."""
    keep_programs()
    weight = None if (space.n == 1).all() else space.n.astype(float)
    shape = (space.num_units, space.num_annotators * len(space.answers))
    by_pair = no_incidence(shape)
    if tables:
        pair = space.annotator * len(space.answers) + space.answer
        by_pair = incidence(space.unit, pair, weight, shape)
    by_state = _by_state(space, [space.state])[0]
    answers = slice(None) if one_by_one else slice(0)
    return _assemble(space, by_pair, by_state, np.arange(space.num_units), answers)


def blocks(
    space: Space, size: int
) -> tuple[Observations, Float[np.ndarray, "blocks size"]]:
    """Cut the units into blocks in their order, stacked along a first axis.

    Models that look at each answer are not cut.
    """
    number = -(-space.num_units // size)
    places = np.arange(number * size)
    weight = (places < space.num_units).astype(float).reshape(number, size)
    dealt = np.minimum(places, space.num_units - 1).reshape(number, size)
    pair = space.annotator * len(space.answers) + space.answer
    start = np.searchsorted(space.unit, np.arange(space.num_units + 1))
    rows, columns, weights = [], [], []
    for units in dealt:
        length = start[units + 1] - start[units]
        first = np.repeat(start[units] - np.cumsum(length) + length, length)
        at = first + np.arange(length.sum())
        rows.append(np.repeat(np.arange(size, dtype=np.int32), length))
        columns.append(pair[at])
        weights.append(space.n[at].astype(float))
    shape = (size, space.num_annotators * len(space.answers))
    matrices = incidences(rows, columns, weights, shape)
    lists = _by_state(space, [rows_of_units(space.state, at) for at in dealt])
    scale = np.full(1, space.num_units / size)
    batches = [
        _assemble(space, matrix, by_state, units, scale=scale)
        for matrix, by_state, units in zip(matrices, lists, dealt, strict=True)
    ]
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *batches), weight


def _assemble(
    space: Space,
    by_pair: Incidence,
    by_state: Incidence,
    units: Int[np.ndarray, " B"],
    answers: slice = slice(0),
    scale: Float[np.ndarray, "#U"] | None = None,
) -> Observations:
    return Observations(
        by_pair=by_pair,
        unit=jnp.asarray(space.unit[answers]),
        annotator=jnp.asarray(space.annotator[answers]),
        answer=jnp.asarray(space.answer[answers]),
        state=jnp.asarray(rows_of_units(space.state, units)),
        log_prior=jax.device_put(rows_of_units(space.log_prior, units)),
        prevalent=jnp.asarray(rows_of_units(space.prevalent, units)),
        prior_covariates=PriorCovariates(
            *map(jnp.asarray, prior_covariates(space, units))
        ),
        by_state=by_state,
        votes=jnp.asarray(space.votes),
        guess=jax.device_put(vote_shares(space, units)),
        total=jnp.asarray(space.n.sum(dtype=float)),
        scale=jnp.ones(1) if scale is None else jnp.asarray(scale),
        asked=jnp.ones(space.num_annotators),
        group=jnp.asarray(space.annotator_groups.code),
        layout=None,
        num_annotators=space.num_annotators,
        num_groups=space.annotator_groups.number,
        num_states=len(space.states),
        num_answers=len(space.answers),
        ragged=space.ragged,
    )


def _by_state(
    space: Space, lists: Sequence[Int[np.ndarray, "#U S"]]
) -> Sequence[Incidence]:
    shape = (lists[0].size, len(space.states))
    if not space.ragged:
        return [no_incidence(shape)] * len(lists)
    places, states = [], []
    for state in lists:
        places.append(np.flatnonzero(real_places(state).T))
        states.append(state.T.ravel()[places[-1]])
    return incidences(places, states, None, shape)
