"""All items of kind objects laid out: counts, covariates, and both end to end.

What is compiled takes its time by the number of its steps, not by their length. So what
is done to each candidate, block and allocation alike is done to all items at once,
end to end, and only the sums over partitions by the number of candidates. All that have
one number stand together, block by block (and candidate by candidate): then what is
looked up is near what was looked up before.

Where units were added (`consilience.truth.padding`), all else is filled up to few
sizes, too: with allocations in no way possible, and with what nothing refers to.

Given its unit, what a block weighs depends on an allocation only by how many one-label
exhaustive answers have their label in the block, and how many outside. So the weights
of all blocks and allocations are those of fewer *cells*, looked up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from consilience.objects.block_counts import (
    Blocks,
    block_sizes,
    count_blocks,
    fill_allocations,
    filled_rows,
)
from consilience.objects.covariates import BlockCovariates, candidate_covariates
from consilience.objects.partitions import NEVER, members
from consilience.objects.pooling import ItemCounts, Pool, pool
from consilience.objects.space import Names, frequent_pairs, items_with
from consilience.truth.arrays import AnyArray, maths, pytree
from consilience.truth.space import ObjectsSpace

# Of so many responses, no way to see an item is e^700 times as likely as another.
PLAIN = 100
# Steps of the numbers of pairs, of cells, and of what blocks take.
PAIRS, CELLS, TAKINGS = 64, 262_144, 65_536


class Takings(NamedTuple):
    """Which entry of a table is taken by which block, and how often."""

    taken: Int[AnyArray, " T"]
    taker: Int[AnyArray, " T"]
    times: Float[AnyArray, " T"]


@pytree("most", "labels")
@dataclass(frozen=True, slots=True, kw_only=True)
class EndToEnd:
    """S candidates, R blocks, V allocations, C cells of U units, by size of unit."""

    label: Float[AnyArray, "S P"]
    slope: Float[AnyArray, "S X"]
    block: Float[AnyArray, "R Q"]
    pair: Float[AnyArray, "R W"]
    item: Float[AnyArray, "U Y"]
    pairs: Int[AnyArray, " Z"] | None
    main: Int[AnyArray, " R"]
    detected: Int[AnyArray, " R"]
    missed: Int[AnyArray, " R"]
    named: Int[AnyArray, " R"]
    uniform: Float[AnyArray, " R"]
    votes: Int[AnyArray, " U"]
    answered: Int[AnyArray, " U"]
    unit: Int[AnyArray, " U"]
    size: Int[AnyArray, " R"]
    owner: Int[AnyArray, " R"]
    names: Takings
    duplicates: Takings
    single: Int[AnyArray, " S"]
    whole: Int[AnyArray, " U"]
    row: Int[AnyArray, " C"]
    inside: Int[AnyArray, " C"]
    elsewhere: Int[AnyArray, " C"]
    cell: Int[AnyArray, " D"]
    of_unit: Int[AnyArray, " V"]
    style: Int[AnyArray, " V"]
    log_multiplicity: Float[AnyArray, " V"]
    most: int
    labels: int


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
    end_to_end: EndToEnd | None = None
    pair_items: Int[AnyArray, " P"] | None = None

    def in_order(
        self, tables: Sequence[Float[AnyArray, "_ _"]], num_states: int
    ) -> Float[AnyArray, "U K"]:
        """Return the log weights of numbers of objects, units in their order."""
        xp = maths(tables, self.place).xp
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
    if named.padded:
        blocks = tuple(map(fill_allocations, blocks))
    place = np.zeros(space.num_units, np.int32)
    start = 1
    for counts in blocks:
        place[counts.unit] = start + np.arange(len(counts.unit))
        start += len(counts.unit)
    covariates = tuple(columns.of(counts.unit, counts.num_labels) for counts in blocks)
    plain = slopes and len(blocks) > 0
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
        pair_items=pair_items,
    )


def end_to_end(
    blocks: Sequence[Blocks],
    covariates: Sequence[BlockCovariates],
    *,
    padded: bool = False,
) -> EndToEnd:
    """Lay out units one behind the other."""
    most = max(counts.most for counts in blocks)
    labels = max(counts.num_labels for counts in blocks)
    start = dict.fromkeys(("slot", "row", "unit", "cell"), 0)
    arrays: dict[str, list[np.ndarray]] = {}
    for counts, columns in zip(blocks, covariates, strict=True):
        units, n = len(counts.unit), counts.num_labels
        parts = _laid_out(counts, columns, start, most, labels)
        for name, values in parts.items():
            arrays.setdefault(name, []).append(np.asarray(values))
        start["slot"] += units * n
        start["row"] += units << n
        start["unit"] += units
        start["cell"] += len(parts["row"])
    together = {name: np.concatenate(parts) for name, parts in arrays.items()}
    if padded:
        steps = dict.fromkeys(("row", "inside", "elsewhere"), CELLS)
        steps |= {name: TAKINGS for name in together if "." in name}
        for name, step in steps.items():
            together[name] = filled_rows(together[name], step)
    for name, values in together.items():
        if values.dtype == np.int64:
            together[name] = values.astype(np.int32)
    takings = {
        table: Takings(*(together.pop(f"{table}.{name}") for name in Takings._fields))
        for table in ("names", "duplicates")
    }
    tables: dict[str, Any] = {"pairs": None, **together, **takings}
    return EndToEnd(**tables, most=most, labels=labels)


def _laid_out(
    counts: Blocks,
    columns: BlockCovariates,
    start: Mapping[str, int],
    most: int,
    labels: int,
) -> dict[str, AnyArray]:
    """Return items of one number of candidates, counted on from those laid out."""
    units, n = len(counts.unit), counts.num_labels
    place, block = np.arange(units), np.arange(1 << n)
    # Each table of units and blocks (or candidates), block by block.
    tables = {name: getattr(columns, name) for name in ("label", "slope", "block")}
    tables |= {"pair": columns.pair, "pairs": columns.pairs}
    tables |= {
        name: getattr(counts, name)
        for name in ("main", "detected", "missed", "named", "uniform")
    }
    flat = {
        name: np.concatenate(np.asarray(table).swapaxes(0, 1))
        for name, table in tables.items()
        if table is not None
    }
    cells = _cells(counts)
    cell, of_unit = cells.pop("cell"), start["unit"] + counts.of_unit
    parts = {
        **flat,
        **{name: getattr(counts, name) for name in ("votes", "answered", "unit")},
        "item": columns.item,
        "owner": start["unit"] + np.tile(place, 1 << n),
        "size": np.repeat(block_sizes(n).astype(np.int32), units),
        "single": start["row"] + ((1 << np.arange(n))[:, None] * units + place).ravel(),
        "whole": start["row"] + block[-1] * units + place,
        **cells,
        "row": start["row"] + cells["row"],
        "cell": start["cell"] + cell.ravel(),
        "of_unit": of_unit,
        "style": of_unit * (most + 1) + counts.single_label,
        "log_multiplicity": counts.log_multiplicity,
    }
    # Which number of namings of which candidate a block takes, and how many names of a
    # block of which size.
    names, duplicates = np.asarray(counts.names), np.asarray(counts.duplicates)
    unit, taker, label = np.nonzero(names)
    taken = (start["slot"] + label * units + unit) * (most + 1)
    taken += names[unit, taker, label]
    takings = {"names": Takings(taken, taker * units + unit, np.ones(len(taken)))}
    unit, taker, more = np.nonzero(duplicates)
    times = duplicates[unit, taker, more].astype(float)
    taken = block_sizes(n).astype(int)[taker] * labels + more
    takings["duplicates"] = Takings(taken, taker * units + unit, times)
    for table, each in takings.items():
        counted_on = each._replace(taker=start["row"] + each.taker)
        parts |= {f"{table}.{name}": at for name, at in counted_on._asdict().items()}
    return parts


def _cells(blocks: Blocks) -> dict[str, Int[np.ndarray, "..."]]:
    """Return the cells of units that have so many candidates."""
    of_unit, exhaustive_singles = blocks.of_unit, blocks.exhaustive_singles
    block = np.arange(1 << blocks.num_labels)
    inside = exhaustive_singles @ members(blocks.num_labels).T.astype(np.int64)
    elsewhere = exhaustive_singles.sum(1, keepdims=True) - inside
    row = block * len(blocks.unit) + of_unit[:, None].astype(np.int64)
    most = int(exhaustive_singles.sum(1).max(initial=0)) + 1
    code = (row * most + inside) * most + elsewhere
    code, cell = np.unique(code, return_inverse=True)
    rest, outside = np.divmod(code, most)
    block_and_unit, within = np.divmod(rest, most)
    return {
        "row": block_and_unit,
        "inside": within,
        "elsewhere": outside,
        "cell": cell.reshape(len(exhaustive_singles), -1).T,
    }
