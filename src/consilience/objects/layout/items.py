"""All items of kind objects laid out: counts and covariates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from consilience.objects.layout.block_counts import Blocks, count_blocks
from consilience.objects.layout.by_annotator import (
    People,
    Responses,
    lay_out_annotators,
)
from consilience.objects.layout.covariate_names import Names, frequent_pairs, items_with
from consilience.objects.layout.covariates import BlockCovariates, candidate_covariates
from consilience.objects.layout.padding import (
    EndToEnd,
    end_to_end,
    fill_allocations,
    filled_rows,
)
from consilience.objects.layout.partitions import NEVER
from consilience.objects.layout.pooling import ItemCounts, Pool, pool
from consilience.truth.arrays import AnyArray, maths, pytree
from consilience.truth.space import ObjectsSpace

# Of so many responses, no way to see an item is e^700 times as likely as another.
PLAIN = 100
PAIRS = 64  # steps of the numbers of pairs, where they are few


@pytree("names")
@dataclass(frozen=True, slots=True)
class Items:
    """What a model of objects sees."""

    blocks: tuple[Blocks, ...]
    covariates: tuple[BlockCovariates, ...]
    place: Int[AnyArray, " U"]
    observed: Bool[AnyArray, " U"]
    answered: Int[AnyArray, " U"]
    names: Names
    people: People | None = None
    end_to_end: EndToEnd | None = None
    pair_items: Int[AnyArray, " P"] | None = None

    @property
    def responses_by_size(self) -> tuple[Responses | None, ...]:
        """Who answered what, by the number of candidates; None where none asks."""
        if self.people is None:
            return (None,) * len(self.blocks)
        return self.people.responses

    def in_order(
        self, tables: Sequence[Float[AnyArray, "_ _"]], num_states: int
    ) -> Float[AnyArray, "U K"]:
        """Return the log weights of numbers of objects, units in their order."""
        xp = maths(tables).xp
        alone = np.where(np.arange(num_states) == 0, 0.0, NEVER)[None]
        rows = [alone]
        for table in tables:
            wide = ((0, 0), (0, num_states - table.shape[1]))
            rows.append(xp.pad(table, wide, constant_values=NEVER))
        return xp.concatenate(rows)[self.place]


def items_of(
    space: ObjectsSpace,
    reference: Pool | None = None,
    item_counts: ItemCounts | None = None,
    *,
    names: Names | None = None,
    pooled: bool = True,
    slopes: bool = True,
    by_annotator: bool = False,
    pairs: bool = False,
) -> Items:
    """Lay out the items of a space."""
    among = reference is None
    if pooled and reference is None:
        reference = pool(space)
    named = space.named
    affinity_pairs = (
        names.pairs if names is not None else frequent_pairs(named) if pairs else ()
    )
    columns = candidate_covariates(
        space,
        reference if pooled else None,
        among=among,
        item_counts=item_counts,
        pairs=affinity_pairs,
    )
    columns = columns if names is None else columns.named(names)
    blocks = tuple(count_blocks(space))
    people = None
    if by_annotator:
        blocks, people = lay_out_annotators(space, blocks, slopes=slopes)
    elif named.padded:
        blocks = tuple(map(fill_allocations, blocks))
    place = np.zeros(space.num_units, np.int32)
    start = 1
    for counts in blocks:
        place[counts.unit] = start + np.arange(len(counts.unit))
        start += len(counts.unit)
    covariates = tuple(columns.of(counts.unit, counts.num_labels) for counts in blocks)
    plain = slopes and not by_annotator and len(blocks) > 0
    plain = plain and max(counts.votes.max() for counts in blocks) <= PLAIN
    pair_items = items_with(named, affinity_pairs) if affinity_pairs else None
    if pair_items is not None and named.padded:
        pair_items = filled_rows(pair_items, PAIRS)
    return Items(
        blocks=blocks,
        covariates=covariates,
        end_to_end=(
            end_to_end(blocks, covariates, padded=named.padded) if plain else None
        ),
        place=place,
        answered=np.bincount(space.unit, space.n, space.num_units).astype(np.int32),
        observed=named.observed,
        names=columns.names,
        people=people,
        pair_items=pair_items,
    )
