"""Answers about objects one by one, with their annotators.

Where all annotators are alike, counts are enough
(`consilience.objects.layout.block_counts`). Where each has a style and a recall of
their own, the weight of a block is a sum over exhaustive answers; and an *allocation*
says of each one-label answer whether it is exhaustive, so that an item with s of them
has 2^s.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Shaped

from consilience.errors import TooLargeError
from consilience.objects.layout.block_counts import MAX_CELLS, Blocks
from consilience.objects.layout.padding import filled, filled_rows
from consilience.objects.layout.partitions import members
from consilience.ragged import places_within
from consilience.truth.arrays import Incidence, incidence, pytree
from consilience.truth.named import Named
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

    Attributes
    ----------
    exhaustive, detected, missed
        Who gave each answer that is certainly exhaustive, and which blocks without its
        main label it names, and does not.
    of_exhaustive
        Units x these answers.
    single, outside
        Who gave each answer of one label, and which blocks are without it.
    of_single
        Units x these answers.
    exhaustive_singles
        Allocations x these answers: those that are exhaustive.
    unit_of_exhaustive, unit_of_single
        Units of both.
    """

    exhaustive: Int[Array, " R"]
    detected: Float[Array, "R B"]
    missed: Float[Array, "R B"]
    of_exhaustive: Incidence
    single: Int[Array, " S"]
    outside: Float[Array, "S B"]
    of_single: Incidence
    exhaustive_singles: Incidence
    unit_of_exhaustive: Int[Array, " R"]
    unit_of_single: Int[Array, " S"]


@pytree()
@dataclass(frozen=True, slots=True)
class People:
    """Who answered what about objects."""

    responses: tuple[Responses, ...]
    identified: Bool[Array, " J"]
    answered: Float[Array, " J"]
    looked: Float[Array, " J"]
    annotator: Int[np.ndarray, " N"]


def lay_out_annotators(
    space: ObjectsSpace, blocks: tuple[Blocks, ...]
) -> tuple[tuple[Blocks, ...], People]:
    """Return who answered what, and the blocks with allocations answer by answer."""
    named = space.named
    number = np.bitwise_count(named.mask).astype(np.int64)
    pairs = [_responses(space, named, counts) for counts in blocks]
    each = np.repeat(space.annotator, space.n)
    beside = (named.size[space.unit] - 1) * (number > 1)
    num_annotators = space.num_annotators
    people = People(
        responses=tuple(responses for _, responses in pairs),
        identified=jax.device_put(space.identified),
        answered=jax.device_put(
            np.bincount(space.annotator, space.n * (number > 0), num_annotators)
        ),
        looked=jax.device_put(
            np.bincount(space.annotator, space.n * beside, num_annotators)
        ),
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
    space: ObjectsSpace, named: Named, blocks: Blocks
) -> tuple[Blocks, Responses]:
    units, num_labels = len(blocks.unit), blocks.num_labels
    answers = _one_by_one(space, named, blocks)
    number = np.bitwise_count(answers.mask)
    listed, single = answers.where(number > 1), answers.where(number == 1)
    some, longest = _some, dict[str, tuple[int, int]]()
    if named.padded:
        some = partial(filled_rows, least=step_of_size(ANSWERS, num_labels))
        most = blocks.most
        ways = min(1 << most, MAX_CELLS >> num_labels)
        longest = {
            "unit": (most, 1),
            "exhaustive_singles": (most, ways),
            "way": (1, ways),
        }
    per_answer, allocation, entry = _with_allocations(
        blocks, single, longest.get("way"), padded=named.padded
    )
    block = np.arange(1 << num_labels)
    without_main = ((block >> listed.main[:, None]) & 1) == 0
    names = (listed.mask[:, None] & block) > 0
    outside = 1 - members(num_labels)[:, single.main].T
    of_exhaustive, of_single = some(listed.unit), some(single.unit)
    responses = Responses(
        exhaustive=jax.device_put(some(listed.annotator)),
        detected=jax.device_put(some(names & without_main).astype(float)),
        missed=jax.device_put(some(~names & without_main).astype(float)),
        of_exhaustive=_sums(
            listed.unit,
            np.arange(len(listed.unit)),
            (units, len(of_exhaustive)),
            longest.get("unit"),
        ),
        single=jax.device_put(some(single.annotator)),
        outside=jax.device_put(some(outside)),
        of_single=_sums(
            single.unit,
            np.arange(len(single.unit)),
            (units, len(of_single)),
            longest.get("unit"),
        ),
        exhaustive_singles=_sums(
            allocation,
            entry,
            (len(per_answer.of_unit), len(of_single)),
            longest.get("exhaustive_singles"),
        ),
        unit_of_exhaustive=jax.device_put(of_exhaustive),
        unit_of_single=jax.device_put(of_single),
    )
    return per_answer, responses


def _one_by_one(space: ObjectsSpace, named: Named, blocks: Blocks) -> _Answers:
    """Return the answers about the units of the blocks, at their places there."""
    place = np.full(space.num_units, -1)
    place[blocks.unit] = np.arange(len(blocks.unit))
    row = np.repeat(np.arange(len(space.n)), space.n)
    row = row[place[space.unit[row]] >= 0]
    return _Answers(
        place[space.unit[row]], space.annotator[row], named.mask[row], named.main[row]
    )


def _with_allocations(
    blocks: Blocks,
    single: _Answers,
    longest: tuple[int, int] | None,
    *,
    padded: bool,
) -> tuple[Blocks, Int[np.ndarray, " E"], Int[np.ndarray, " E"]]:
    """Return the blocks with an allocation for each way to split one-label answers.

    Also the pairs of an allocation and an answer that is exhaustive in it.
    """
    units = len(blocks.unit)
    alone = np.bincount(single.unit, minlength=units)
    ways = 1 << alone
    if ways.sum() << blocks.num_labels > MAX_CELLS:
        msg = (
            f"the one-label answers to one item can be split in {int(ways.max()):,} "
            "ways between those who pick one object and those who list all, answer by "
            "answer; fit fewer of them, or the model objects"
        )
        raise TooLargeError(msg)
    of_unit, allocation, entry = _allocations(single.unit, ways)
    exhaustive_singles = np.zeros((len(of_unit), blocks.num_labels), np.int32)
    np.add.at(exhaustive_singles, (allocation, single.main[entry]), 1)
    split = replace(
        blocks,
        of_unit=of_unit,
        exhaustive_singles=exhaustive_singles,
        single_label=alone[of_unit] - exhaustive_singles.sum(1),
        log_multiplicity=np.zeros(len(of_unit)),
        by_unit=None,
        by_style=None,
    )
    if padded:
        split = filled(split, WAYS)
    by_unit = None
    if blocks.by_unit is not None:
        each = np.arange(len(of_unit), dtype=np.int32)
        shape = (len(split.of_unit), units)
        by_unit = incidence(each, of_unit, None, shape, longest=longest)
    split = replace(
        split,
        of_unit=jax.device_put(split.of_unit),
        exhaustive_singles=jax.device_put(split.exhaustive_singles),
        single_label=jax.device_put(split.single_label),
        log_multiplicity=jax.device_put(split.log_multiplicity),
        by_unit=by_unit,
    )
    return split, allocation, entry


def _some(rows: Shaped[np.ndarray, "R ..."]) -> Shaped[np.ndarray, "R1 ..."]:
    """Return the rows, or one of zeros where there are none."""
    return rows if len(rows) else np.zeros((1, *rows.shape[1:]), rows.dtype)


def _sums(
    row: Int[np.ndarray, " E"],
    column: Int[np.ndarray, " E"],
    shape: tuple[int, int],
    longest: tuple[int, int] | None,
) -> Incidence:
    """Return which columns each row sums; where there are none, one that is nothing."""
    if len(row) or longest is not None:
        return incidence(row, column, None, shape, longest=longest)
    nothing = np.zeros(1, int)
    return incidence(nothing, nothing, np.zeros(1), shape)


def _allocations(
    unit: Int[np.ndarray, " S"], ways: Int[np.ndarray, " U"]
) -> tuple[Int[np.ndarray, " V"], Int[np.ndarray, " E"], Int[np.ndarray, " E"]]:
    """Return the unit of each allocation, and its pairs with exhaustive answers."""
    of_unit = np.repeat(np.arange(len(ways)), ways)
    which = places_within(ways)
    order = np.argsort(unit, kind="stable")
    first = np.searchsorted(unit[order], np.arange(len(ways)))
    most = int(ways.max(initial=1)).bit_length() - 1
    allocation, bit = np.nonzero((which[:, None] >> np.arange(most)) & 1)
    entry = order[first[of_unit[allocation]] + bit]
    return of_unit.astype(np.int32), allocation, entry
