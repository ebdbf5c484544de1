"""Answers about objects one by one, with their annotators.

Where all annotators are alike, counts are enough
(`consilience.objects.block_counts`). Where each has a style and a recall of
their own, the weight of a block is a sum over exhaustive answers; and an *allocation*
says of each one-label answer whether it is exhaustive, so that an item with s of them
has 2^s.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Bool, Float, Int

from consilience.errors import FitError
from consilience.objects.block_counts import (
    MAX_CELLS,
    Blocks,
    fill_allocations,
    filled_rows,
)
from consilience.objects.partitions import members
from consilience.ragged import places_within
from consilience.truth.arrays import AnyArray, Incidence, incidence, pytree
from consilience.truth.padding import step_of_size
from consilience.truth.space import ObjectsSpace

# Steps of the numbers of answers, of all and about items of each number of candidates.
ROWS = 8192
ANSWERS = 1024
WAYS = 4096  # the same of allocations, of which there are more than of counts


@pytree()
@dataclass(frozen=True, slots=True)
class Responses:
    """Answers about the units that have n candidates; R exhaustive, S of one label.

    An answer is certainly exhaustive, or of one label. Of the former it is known which
    blocks without its main label it names, and does not; of the latter which blocks are
    without it, and in which allocations it is exhaustive.
    """

    exhaustive: Int[AnyArray, " R"]
    detected: Float[AnyArray, "R B"]
    missed: Float[AnyArray, "R B"]
    of_exhaustive: Incidence
    single: Int[AnyArray, " S"]
    outside: Float[AnyArray, "S B"]
    of_single: Incidence
    exhaustive_singles: Incidence
    unit_of_exhaustive: Int[AnyArray, " R"]
    unit_of_single: Int[AnyArray, " S"]


@pytree()
@dataclass(frozen=True, slots=True)
class People:
    """Who answered what about objects."""

    responses: tuple[Responses, ...]
    identified: Bool[AnyArray, " J"]
    answered: Float[AnyArray, " J"]
    looked: Float[AnyArray, " J"]
    annotator: Int[np.ndarray, " N"]


def lay_out_annotators(
    space: ObjectsSpace, blocks: tuple[Blocks, ...], *, slopes: bool
) -> tuple[tuple[Blocks, ...], People]:
    """Return who answered what, and the blocks with allocations answer by answer."""
    named, num_annotators = space.named, space.num_annotators
    number = np.bitwise_count(named.mask).astype(np.int64)
    pairs = [_responses(space, counts, slopes=slopes) for counts in blocks]
    each = np.repeat(space.annotator, space.n)
    beside = (named.size[space.unit] - 1) * (number > 1)
    answered, looked = (
        np.bincount(space.annotator, space.n * times, num_annotators)
        for times in (number > 0, beside)
    )
    people = People(
        responses=tuple(responses for _, responses in pairs),
        identified=jax.device_put(space.identified),
        answered=jax.device_put(answered),
        looked=jax.device_put(looked),
        annotator=filled_rows(each, ROWS) if named.padded else each,
    )
    return tuple(counts for counts, _ in pairs), people


class _Answers(NamedTuple):
    """Answers one by one, also those of one annotator that are alike."""

    unit: Int[np.ndarray, " N"]
    annotator: Int[np.ndarray, " N"]
    mask: Int[np.ndarray, " N"]
    main: Int[np.ndarray, " N"]

    def where(self, chosen: Bool[np.ndarray, " N"]) -> "_Answers":
        """Return some of them."""
        return _Answers(*(codes[chosen] for codes in self))


def _responses(
    space: ObjectsSpace, blocks: Blocks, *, slopes: bool
) -> tuple[Blocks, Responses]:
    units, num_labels, padded = len(blocks.unit), blocks.num_labels, space.named.padded
    place = np.full(space.num_units, -1)
    place[blocks.unit] = np.arange(units)
    row = np.repeat(np.arange(len(space.n)), space.n)
    row = row[place[space.unit[row]] >= 0]
    mask, main = space.named.mask[row], space.named.main[row]
    answers = _Answers(place[space.unit[row]], space.annotator[row], mask, main)
    number = np.bitwise_count(answers.mask)
    listed, single = answers.where(number > 1), answers.where(number == 1)
    ways = min(1 << blocks.most, MAX_CELLS >> num_labels)
    some = partial(
        filled_rows, least=step_of_size(ANSWERS, num_labels) if padded else 1
    )
    alone = np.bincount(single.unit, minlength=units)
    of_unit, allocation, entry = _allocations(single.unit, alone, num_labels)
    exhaustive_singles = np.zeros((len(of_unit), num_labels), np.int32)
    np.add.at(exhaustive_singles, (allocation, single.main[entry]), 1)
    split = replace(
        blocks,
        of_unit=of_unit,
        exhaustive_singles=exhaustive_singles,
        single_label=alone[of_unit] - exhaustive_singles.sum(1),
        log_multiplicity=np.zeros(len(of_unit)),
    )
    if padded:
        split = fill_allocations(split, WAYS)

    def sums(
        row: Int[np.ndarray, " E"],
        column: Int[np.ndarray, " E"],
        shape: tuple[int, int],
        longest: tuple[int, int],
    ) -> Incidence:
        """Return which columns each row sums; where there are none, one of nothing."""
        if len(row) or padded:
            longest_here = longest if padded else None
            return incidence(row, column, None, shape, longest=longest_here)
        nothing = np.zeros(1, int)
        return incidence(nothing, nothing, np.zeros(1), shape)

    def by_unit(some: _Answers, filled: Int[np.ndarray, " M"]) -> Incidence:
        each = np.arange(len(some.unit))
        return sums(some.unit, each, (units, len(filled)), (blocks.most, 1))

    if slopes:
        every = np.arange(len(of_unit), dtype=np.int32)
        of_ways = sums(every, of_unit, (len(split.of_unit), units), (1, ways))
        split = replace(split, by_unit=of_ways)
    block = np.arange(1 << num_labels)
    without_main = ((block >> listed.main[:, None]) & 1) == 0
    names = (listed.mask[:, None] & block) > 0
    of_exhaustive, of_single = some(listed.unit), some(single.unit)
    responses = Responses(
        exhaustive=some(listed.annotator),
        detected=some(names & without_main).astype(float),
        missed=some(~names & without_main).astype(float),
        of_exhaustive=by_unit(listed, of_exhaustive),
        single=some(single.annotator),
        outside=some(1 - members(num_labels)[:, single.main].T),
        of_single=by_unit(single, of_single),
        exhaustive_singles=sums(
            allocation, entry, (len(split.of_unit), len(of_single)), (blocks.most, ways)
        ),
        unit_of_exhaustive=of_exhaustive,
        unit_of_single=of_single,
    )
    return split, jax.device_put(responses)


def _allocations(
    unit: Int[np.ndarray, " S"], alone: Int[np.ndarray, " U"], num_labels: int
) -> tuple[Int[np.ndarray, " V"], Int[np.ndarray, " E"], Int[np.ndarray, " E"]]:
    """Return the unit of each way to split one-label answers, and what it holds.

    That is the pairs of an allocation and an answer that is exhaustive in it.
    """
    ways = 1 << alone
    if ways.sum() << num_labels > MAX_CELLS:
        raise FitError(
            f"the one-label answers to one item can be split in {int(ways.max()):,} "
            "ways between those who pick one object and those who list all, answer by "
            "answer; fit fewer of them, or the model objects"
        )
    of_unit = np.repeat(np.arange(len(ways), dtype=np.int32), ways)
    order = np.argsort(unit, kind="stable")
    first = np.searchsorted(unit[order], np.arange(len(ways)))
    bits = np.arange(alone.max(initial=0))
    allocation, bit = np.nonzero((places_within(ways)[:, None] >> bits) & 1)
    return of_unit, allocation, order[first[of_unit[allocation]] + bit]
