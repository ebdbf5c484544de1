"""Counts of each block of an item's candidates, for all models of objects.

Units are laid out by the number of their candidates, so that all shapes are static. A
*single-label response* names the main object alone, an *exhaustive* one all objects
that were detected; a response with one label may be either. So for each unit all ways
are listed in which its one-label answers may be split between the two (an *allocation*:
how many of those with each main label are exhaustive); given one, the counts of a block
do not depend on the rest of the partition.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from scipy.sparse import csr_array
from scipy.special import gammaln

from consilience.errors import FitError
from consilience.objects.partitions import (
    BY_MATRIX,
    NEVER,
    enumerated,
    members,
    sum_over_partitions,
)
from consilience.ragged import places_within
from consilience.truth.arrays import HOST, AnyArray, maths, pytree
from consilience.truth.padding import next_size, step_of_size
from consilience.truth.space import ObjectsSpace

MAX_CELLS = 300_000_000  # allocations x blocks (int32: 1.2 GB)
ALLOCATIONS = 2048  # steps of their numbers, of items of each number of candidates


@pytree("num_labels", "most")
@dataclass(frozen=True, slots=True)
class Blocks:
    """Counts of the units that have n candidates; B = 2^n blocks, V allocations."""

    unit: Int[np.ndarray, " U"]
    main: Int[AnyArray, "U B"]
    detected: Int[AnyArray, "U B"]
    missed: Int[AnyArray, "U B"]
    duplicates: Int[AnyArray, "U B n"]
    uniform: Float[AnyArray, "U B"]
    names: Int[AnyArray, "U B n"]
    named: Int[AnyArray, "U B"]
    votes: Int[AnyArray, " U"]
    answered: Int[AnyArray, " U"]
    of_unit: Int[AnyArray, " V"]
    exhaustive_singles: Int[AnyArray, "V n"]
    single_label: Int[AnyArray, " V"]
    log_multiplicity: Float[AnyArray, " V"]
    num_labels: int
    most: int


def count_blocks(space: ObjectsSpace) -> list[Blocks]:
    """Count all blocks of all units that have two candidates or more."""
    named, most = space.named, None
    if named.padded:
        most = next_size(int(np.bincount(space.unit, space.n).max(initial=1)))
    counts = []
    for number in np.unique(named.size[named.size > 1]).tolist():
        units = np.flatnonzero(named.size == number)
        place = np.full(space.num_units, -1)
        place[units] = np.arange(len(units))
        rows = np.flatnonzero(place[space.unit] >= 0)
        answers = Answers(
            place[space.unit[rows]], named.mask[rows], named.main[rows], space.n[rows]
        )
        counts.append(count_answers(answers, units, number, max_answers=most))
    return counts


class Answers(NamedTuple):
    """Units, masks, places of main labels, and numbers of some responses."""

    unit: Int[np.ndarray, " N"]
    mask: Int[np.ndarray, " N"]
    main: Int[np.ndarray, " N"]
    n: Int[np.ndarray, " N"]


def count_answers(
    answers: Answers,
    units: Int[np.ndarray, " U"],
    num_labels: int,
    *,
    max_answers: int | None = None,
) -> Blocks:
    """Count the blocks of units that have that many candidates."""
    mask, main = answers.mask, answers.main
    at = (answers.unit, np.arange(len(mask)))
    sums = csr_array((answers.n, at), shape=(len(units), len(mask)))

    def total(event: Bool[np.ndarray, "N *n"]) -> Int[np.ndarray, "U *n"]:
        """Return how many responses of each unit an event is true of."""
        return (sums @ event.astype(int)).astype(np.int32)

    block = np.arange(1 << num_labels)
    size = np.bitwise_count(block).astype(np.int64)
    named_size = np.bitwise_count(mask)
    exhaustive = (named_size > 1)[:, None]
    is_main = ((block >> main[:, None]) & 1) == 1
    together = mask[:, None] & block
    shared = np.bitwise_count(together).astype(np.int64)
    elsewhere = exhaustive & ~is_main
    detected, reported = elsewhere & (shared > 0), exhaustive & (shared > 0)
    multiple = detected & (shared > 1)
    uniform = np.where(multiple, np.log(np.maximum(shared, 1) / np.maximum(size, 1)), 0)
    names = [
        total(is_main & (main == label)[:, None] | detected & (together == 1 << label))
        for label in range(num_labels)
    ]
    of_main = main[:, None] == np.arange(num_labels)
    singles = total(of_main & (named_size == 1)[:, None])
    of_unit, exhaustive_singles, ways = _allocations(singles, len(block))
    votes = total(np.ones(len(mask), bool))
    return Blocks(
        unit=units,
        main=total(is_main),
        detected=total(detected),
        missed=total(elsewhere & (shared == 0)),
        duplicates=np.stack(
            [total(reported & (shared == more + 1)) for more in range(num_labels)],
            axis=-1,
        ),
        uniform=sums @ uniform,
        names=np.stack(names, axis=-1),
        named=np.sum(names, axis=0, dtype=np.int32),
        votes=votes,
        answered=total(mask > 0),
        of_unit=of_unit,
        exhaustive_singles=exhaustive_singles,
        single_label=singles.sum(1)[of_unit] - exhaustive_singles.sum(1),
        log_multiplicity=ways,
        num_labels=num_labels,
        most=int(votes.max(initial=1)) if max_answers is None else max_answers,
    )


def _allocations(
    alone: Int[np.ndarray, "U n"], num_blocks: int
) -> tuple[Int[np.ndarray, " V"], Int[np.ndarray, "V n"], Float[np.ndarray, " V"]]:
    """Return every way to take some of the one-label responses for exhaustive."""
    number = np.prod(alone + 1.0, axis=1)
    if number.sum() * num_blocks > MAX_CELLS:
        raise FitError(
            f"the one-label answers to some of {len(alone):,} items can be split in "
            f"{number.max():,.0f} ways between those who pick one object and those who "
            "list all; with so many answers an item, fit fewer of them"
        )
    count = number.astype(np.int64)
    of_unit = np.repeat(np.arange(len(alone)), count)
    rest = places_within(count)
    exhaustive_singles = np.empty((len(rest), alone.shape[1]), np.int32)
    for label in range(alone.shape[1]):
        rest, exhaustive_singles[:, label] = np.divmod(rest, alone[of_unit, label] + 1)
    of_all = alone[of_unit]
    ways = (
        gammaln(of_all + 1)
        - gammaln(exhaustive_singles + 1)
        - gammaln(of_all - exhaustive_singles + 1)
    )
    return of_unit.astype(np.int32), exhaustive_singles, ways.sum(1)


def starts(blocks: Blocks) -> Int[np.ndarray, " U1"]:
    """Return where the allocations of each unit begin, and where the last end."""
    return np.searchsorted(blocks.of_unit, np.arange(len(blocks.votes) + 1))


def log_sum_allocations(
    blocks: Blocks, logs: Float[AnyArray, "V k"]
) -> Float[AnyArray, "U k"]:
    """Return the log of the sum over the allocations of each unit."""
    largest = _largest(blocks, logs)
    xp = maths(logs).xp
    total = sum_allocations(blocks, xp.exp(logs - largest[blocks.of_unit]))
    return largest + xp.log(total)


def _largest(blocks: Blocks, logs: Float[AnyArray, "V k"]) -> Float[AnyArray, "U k"]:
    """Return the largest of the allocations of each unit, taken for a constant."""
    if maths(logs) is HOST:
        return np.maximum.reduceat(logs, starts(blocks)[:-1])
    largest: Float[AnyArray, "U k"] = jax.ops.segment_max(
        jax.lax.stop_gradient(logs),
        blocks.of_unit,
        len(blocks.votes),
        indices_are_sorted=True,
    )
    return jax.lax.stop_gradient(largest)


def sum_allocations(
    blocks: Blocks, shares: Float[AnyArray, "V k"]
) -> Float[AnyArray, "U k"]:
    """Return the sum over the allocations of each unit."""
    if maths(shares) is HOST:
        return np.add.reduceat(shares, starts(blocks)[:-1])
    return jax.ops.segment_sum(
        shares, blocks.of_unit, len(blocks.votes), indices_are_sorted=True
    )


def log_sum_allocations_and_sizes(
    blocks: Blocks, phi: Float[AnyArray, "V B"], rest: Float[AnyArray, " V"]
) -> Float[AnyArray, "U n"]:
    """Return the log of the sum over all allocations, and all partitions by their size.

    A size that is less probable than the smallest number is treated as if it were that.
    """
    if blocks.num_labels > BY_MATRIX:
        return log_sum_allocations(blocks, sum_over_partitions(phi) + rest[:, None])
    # Both sums at once: what is summed is then exponentiated once.
    xp = maths(phi).xp
    partitions = enumerated(blocks.num_labels)
    weight = phi @ partitions.incidence.astype(phi.dtype) + rest[:, None]
    largest = _largest(blocks, weight.max(1, keepdims=True))
    share = xp.exp(weight - largest[blocks.of_unit])
    size = partitions.num_blocks[:, None] == np.arange(1, blocks.num_labels + 1)
    total = sum_allocations(blocks, share @ size.astype(phi.dtype))
    return largest + xp.log(xp.maximum(total, np.finfo(total.dtype).tiny))


def block_sizes(num_labels: int) -> Float[np.ndarray, " B"]:
    """Return how many labels each block holds."""
    return members(num_labels).sum(1)


def filled_rows(
    rows: Shaped[np.ndarray, "N ..."], least: int, value: Any = 0
) -> Shaped[np.ndarray, "M ..."]:
    """Return the rows, filled up with others of one value to one of few sizes."""
    more = next_size(max(len(rows), 1), least) - len(rows)
    behind = np.full((more, *rows.shape[1:]), value, rows.dtype)
    return np.concatenate([rows, behind])


def fill_allocations(blocks: Blocks) -> Blocks:
    """Return the blocks with further allocations of the last unit, of no weight."""
    fill = partial(filled_rows, least=step_of_size(ALLOCATIONS, blocks.num_labels))
    return replace(
        blocks,
        of_unit=fill(blocks.of_unit, value=len(blocks.unit) - 1),
        exhaustive_singles=fill(blocks.exhaustive_singles),
        single_label=fill(blocks.single_label),
        log_multiplicity=fill(blocks.log_multiplicity, value=NEVER),
    )
