"""Pairs of item and label, laid out for the model `contains`, and their information.

Pairs of one group of labels lie together, in blocks that are filled up, so that what
differs between groups is multiplied block by block.

The information of an annotator's answers need be known only roughly: it sets the
coordinates that engines move in, and by these how far annotators are found to differ
(`varying`).
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from consilience.ragged import places_within
from consilience.truth import ContainsSpace, Observations, next_size, tally
from consilience.truth.arrays import Incidence, incidence, pytree

# What an answer tells of a threshold, of what it would if the appearance were known
# and the votes said it: .17, .24 and .31 in studies of 2, 5 and 15 answers a label,
# drawn from the prior. What it tells of a discrimination, of how divided the votes are,
# and a *maybe* of a width, all else unknown: .1 to 1 and .4 to .95 in eighteen studies
# of 2, 5 and 9 answers a label, drawn from the prior; their geometric means.
INFORMATION, INFORMATION_ON_DISCRIMINATION, INFORMATION_ON_WIDTH = 0.25, 0.3, 0.65
WIDEST = 128  # places of a block: enough for a product of matrices to be fast


@pytree()
@dataclass(frozen=True, slots=True)
class Together:
    """Which pairs are of one item, are of similar labels, and were shown together."""

    parts: Incidence
    sets: Incidence
    items: Incidence
    share: Incidence
    item: Int[Array, " U"]
    of_set: Int[Array, " U"]
    shown: Int[Array, " U"]


@pytree("num_groups", "grouped", "several", "similar", "not_shown")
@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of item and label, laid out."""

    by_table: Incidence
    by_place: Incidence
    together: Together
    groups: Incidence
    covariates: Float[Array, "B width P"]
    divided: Float[Array, " U"]
    unit_group: Int[Array, " U"]
    num_groups: int
    grouped: bool
    several: bool
    similar: bool
    not_shown: bool


def laid_out(space: ContainsSpace) -> Pairs:
    """Lay the answers out by annotator and group of labels."""
    answers, units = len(space.answers), space.num_units
    group, number = space.groups.code, max(len(space.groups.names), 1)
    place, of_block, width = _block_layout(group, number)
    places = len(of_block) * width
    cell = space.annotator * number + group[space.unit]
    weight = None if (space.n == 1).all() else space.n.astype(float)
    shape = (places, space.num_annotators * number * answers)
    every = np.arange(units, dtype=np.int32)
    votes = tally(space) + 1 / answers
    divided = votes.prod(1) / votes.sum(1) ** 2
    columns = np.zeros((places, len(space.covariates.names)))
    columns[place] = space.covariates.value
    together, facts = _together(space, place, places)
    return Pairs(
        by_table=incidence(
            place[space.unit], cell * answers + space.answer, weight, shape
        ),
        by_place=incidence(every, place, None, (units, places)),
        together=together,
        groups=incidence(
            np.arange(len(of_block)), of_block, None, (len(of_block), number)
        ),
        covariates=jnp.asarray(columns.reshape(len(of_block), width, -1)),
        divided=jnp.asarray(divided),
        unit_group=jnp.asarray(group),
        num_groups=number,
        grouped=len(space.groups.names) > 0,
        **facts,
    )


def _block_layout(
    group: Int[np.ndarray, " U"], number: int
) -> tuple[Int[np.ndarray, " U"], Int[np.ndarray, " B"], int]:
    """Return the place of each unit, the group of each block, and the blocks' width."""
    count = np.bincount(group, minlength=number)
    width = WIDEST
    while width > 1 and width * number > len(group):
        width //= 2
    if number == 1:
        width = len(group)
    blocks = -(-count // width)
    start = (np.cumsum(blocks) - blocks) * width
    order = np.argsort(group, kind="stable")
    place = np.empty(len(group), np.int32)
    within = places_within(count)
    place[order] = start[group[order]] + within
    of_block = np.repeat(np.arange(number, dtype=np.int32), blocks)
    unused = next_size(len(of_block)) - len(of_block)
    return place, np.append(of_block, np.zeros(unused, np.int32)), width


def _together(
    space: ContainsSpace, place: Int[np.ndarray, " U"], places: int
) -> tuple[Together, dict[str, bool]]:
    units = space.num_units
    names = space.unit_item.astype(str)
    item = np.unique(names, return_inverse=True)[1].astype(np.int32)
    similar = space.similar_sets
    of_set = np.unique(similar.of_unit, return_inverse=True)[1].astype(np.int32)
    shown = np.unique(similar.shown, return_inverse=True)[1].astype(np.int32)
    pairs, parts, sets = (
        int(each.max(initial=-1)) + 1 for each in (item, shown, of_set)
    )
    _, one = np.unique(shown, return_index=True)
    _, first = np.unique(of_set, return_index=True)
    size = np.bincount(item)
    # Rows behind the last are of nothing; of similar studies they are as many.
    items_, sets_, parts_ = map(next_size, (pairs, sets, parts))
    made = Together(
        parts=incidence(shown, place, None, (parts_, places)),
        sets=incidence(of_set[one], np.arange(parts), None, (sets_, parts_)),
        items=incidence(item[first], np.arange(sets), None, (items_, sets_)),
        share=incidence(np.arange(units), item, 1 / size[item], (units, items_)),
        item=jnp.asarray(item),
        of_set=jnp.asarray(of_set),
        shown=jnp.asarray(shown),
    )
    facts = {
        "several": pairs < units,
        "similar": sets < units,
        "not_shown": sets < parts,
    }
    return made, facts


class Information(NamedTuple):
    """Approximate information of each annotator's answers, inverse variances."""

    discrimination: Float[Array, " J"]
    width: Float[Array, " J"]
    place: Float[Array, "J G"]


def information(observations: Observations) -> Information:
    """Return the approximate information of each annotator's answers.

    Of the logarithm of a discrimination, and of the place of a threshold: an answer
    tells a part of how far the votes are divided. Of the logarithm of a width: a part
    of how many are *maybe*.
    """
    pairs: Pairs = observations.layout
    count = jnp.broadcast_to(observations.scale, pairs.divided.shape)
    per_place = pairs.by_place.T @ jnp.stack([count * pairs.divided, count], 1)
    shape = (observations.num_annotators, pairs.num_groups, -1, 2)
    per_cell = (pairs.by_table.T @ per_place).reshape(shape)
    doubt = per_cell[..., 0].sum(2)
    return Information(
        discrimination=INFORMATION_ON_DISCRIMINATION * doubt.sum(1),
        width=INFORMATION_ON_WIDTH * per_cell[:, :, 1, 1].sum(1),
        place=INFORMATION * doubt,
    )
