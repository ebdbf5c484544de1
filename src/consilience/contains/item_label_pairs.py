"""Pairs of item and label, laid out for the model `contains`, and their information.

Pairs of one group of labels lie together, in blocks that are filled up, so that what
differs between groups is multiplied block by block.

The information of an annotator's answers need be known only roughly: it sets the
coordinates that engines move in, and by these how far annotators are found to differ
(`varying`).

**Similar labels of one item in sets, and which of a set were shown together.** Two
labels are in one set if they are similar, or linked by labels of that item that are. Of
a set, two were shown together if at least half of the annotators of either were asked
about both, or if labels that were link them.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Array, Bool, Float, Int
from scipy.sparse import coo_array, csr_array

from consilience.errors import CandidatesError
from consilience.ragged import places_within
from consilience.truth import ContainsSpace, Observations, next_size, tally
from consilience.truth.arrays.incidence import Incidence, incidence
from consilience.truth.arrays.maths import pytree
from consilience.truth.space import SimilarSets
from consilience.when_used import csgraph

# What an answer tells of a threshold, of what it would if the appearance were known
# and the votes said it: .17, .24 and .31 in studies of 2, 5 and 15 answers a label,
# drawn from the prior. What it tells of a discrimination, of how divided the votes are,
# and a *maybe* of a width, all else unknown: .1 to 1 and .4 to .95 in eighteen studies
# of 2, 5 and 9 answers a label, drawn from the prior; their geometric means.
INFORMATION, INFORMATION_ON_DISCRIMINATION, INFORMATION_ON_WIDTH = 0.25, 0.3, 0.65
WIDEST = 128  # places of a block: enough for a product of matrices to be fast
# Similarity from which a label leads: that at which the leading question was measured
# on the reassessed ImageNet labels, as a share of classifiers' guesses.
SIMILAR = 0.05
SHOWN = 0.5  # share of the annotators of either label that were asked about both


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


def together(
    space: ContainsSpace,
) -> tuple[Int[np.ndarray, " P"], Int[np.ndarray, " P"]]:
    """Return all pairs of units of one item, each once, the first below the second."""
    item, _ = pd.factorize(space.unit_item)
    order = np.argsort(item, kind="stable")
    number = np.bincount(item)
    start = np.cumsum(number) - number
    times = number[item[order]]
    first = np.repeat(order, times)
    within = places_within(times)
    second = order[start[item[first]] + within]
    once = first < second
    return first[once], second[once]


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


@dataclass(frozen=True, slots=True, eq=False)
class Rivals:
    """Two similar labels of one item, each the other's rival."""

    first: Int[np.ndarray, " E"]
    second: Int[np.ndarray, " E"]
    alike: Float[np.ndarray, " E"]


def rivals(space: ContainsSpace, alike: pd.DataFrame | None) -> Rivals:
    """Find all similar labels that one item was asked about."""
    first, second = together(space)
    label, names = pd.factorize(space.unit_label.astype(str), sort=True)
    if alike is not None:
        value = _given(alike, names, label[first], label[second])
    elif len(space.groups.names):
        code = space.groups.code
        named = space.groups.names[code[first]] != ""
        value = (named & (code[first] == code[second])).astype(float)
    else:
        value = np.zeros(len(first))
    kept = value > 0
    return Rivals(first[kept], second[kept], value[kept])


def _given(
    table: pd.DataFrame,
    names: np.ndarray,
    first: Int[np.ndarray, " P"],
    second: Int[np.ndarray, " P"],
) -> Float[np.ndarray, " P"]:
    missing = {"label_a", "label_b"} - set(table.columns)
    if missing:
        present = ", ".join(map(str, table.columns))
        msg = f"similarity has columns {present}; a column {min(missing)!r} is needed"
        raise CandidatesError(msg)
    index = pd.Index(names)
    one, other = (
        index.get_indexer(pd.Index(table[name].astype(str)))
        for name in ("label_a", "label_b")
    )
    value: Float[np.ndarray, " _"] = np.ones(len(table))
    if "value" in table:
        value = pd.to_numeric(table["value"], errors="coerce").to_numpy(float)
    if not (np.isfinite(value).all() and (value >= 0).all()):
        row = int(np.argmin(np.isfinite(value) & (value >= 0)))
        msg = (
            f"similarity, row {row + 1}: found {table['value'].iloc[row]!r}, expected "
            "a number of zero or more; fix it or leave the row out"
        )
        raise CandidatesError(msg)
    both_known = (one >= 0) & (other >= 0)
    if not both_known.any():
        msg = (
            "similarity names no two labels of the responses; check that both name "
            "them alike"
        )
        raise CandidatesError(msg)
    low, high = np.minimum(one, other)[both_known], np.maximum(one, other)[both_known]
    by_pair = pd.Series(value[both_known]).groupby(
        low.astype(np.int64) * len(names) + high
    )
    largest = by_pair.max()
    sought = np.minimum(first, second).astype(np.int64) * len(names)
    listed = largest.reindex(sought + np.maximum(first, second)).to_numpy(float)
    values: Float[np.ndarray, " P"] = np.nan_to_num(listed)
    return values


def similar_sets(space: ContainsSpace, table: pd.DataFrame | None) -> ContainsSpace:
    """Return the space with its similar labels in sets."""
    if table is None and not len(space.groups.names):
        return space
    context = rivals(space, table)
    number = space.num_units
    alike = context.alike >= SIMILAR
    of_set = _linked(context.first[alike], context.second[alike], number)
    first, second = together(space)
    inside = of_set[first] == of_set[second]
    first, second = first[inside], second[inside]
    shown_together = _shown(space, first, second)
    shown = _linked(first[shown_together], second[shown_together], number)
    return replace(space, similar_sets=SimilarSets(of_set, shown))


def _linked(
    first: Int[np.ndarray, " P"], second: Int[np.ndarray, " P"], number: int
) -> Int[np.ndarray, " U"]:
    """Return which units are linked, by a code each."""
    links = coo_array((np.ones(len(first), bool), (first, second)), (number, number))
    code: Int[np.ndarray, " U"] = csgraph.connected_components(links, directed=False)[1]
    return code


def _shown(
    space: ContainsSpace, first: Int[np.ndarray, " P"], second: Int[np.ndarray, " P"]
) -> Bool[np.ndarray, " P"]:
    shape = (space.num_units, space.num_annotators)
    count = csr_array((np.ones(len(space.unit)), (space.unit, space.annotator)), shape)
    was_asked = (count > 0).astype(np.int32)
    num_annotators = np.asarray(was_asked.sum(1)).ravel()
    both = np.asarray((was_asked[first] * was_asked[second]).sum(1)).ravel()
    fewer = np.minimum(num_annotators[first], num_annotators[second])
    enough: Bool[np.ndarray, " P"] = both >= SHOWN * np.maximum(fewer, 1)
    return enough
