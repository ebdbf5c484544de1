"""Items of all numbers of candidates laid end to end, for one short program of them.

What is compiled takes its time by the number of its steps, not by their length. So what
is done to each candidate, block and allocation alike is done to all of them at once,
and only the sums over partitions by the number of candidates. All that have one number
stand together, block by block (and candidate by candidate): then what is looked up is
near what was looked up before.

Where units were added (`consilience.truth.padding`), all else is filled up to few
sizes, too: with allocations in no way possible, and with what nothing refers to.

Given its unit, what a block weighs depends on an allocation only by how many one-label
exhaustive answers have their label in the block, and how many outside. So the weights
of all blocks and allocations are those of fewer *cells*, looked up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Shaped

from consilience.objects.layout.block_counts import Blocks, block_sizes
from consilience.objects.layout.covariates import BlockCovariates
from consilience.objects.layout.partitions import NEVER, members
from consilience.truth.arrays import AnyArray, pytree
from consilience.truth.padding import step_of_size
from consilience.truth.sizes import next_size

# Steps of the numbers of allocations of items of each number of candidates, of cells,
# and of what blocks take.
ALLOCATIONS = 2048
CELLS = 262_144
TAKINGS = 65_536


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


def filled_rows(
    rows: Shaped[np.ndarray, "N ..."], least: int, value: Any = 0
) -> Shaped[np.ndarray, "M ..."]:
    """Return the rows, filled up with others of one value to one of few sizes."""
    more = next_size(max(len(rows), 1), least) - len(rows)
    behind = np.full((more, *rows.shape[1:]), value, rows.dtype)
    return np.concatenate([rows, behind])


def filled(blocks: Blocks, step: int = ALLOCATIONS) -> Blocks:
    """Return the blocks with further allocations of the last unit, of no weight."""
    fill = partial(filled_rows, least=step_of_size(step, blocks.num_labels))
    return replace(
        blocks,
        of_unit=fill(blocks.of_unit, value=len(blocks.unit) - 1),
        exhaustive_singles=fill(blocks.exhaustive_singles),
        single_label=fill(blocks.single_label),
        log_multiplicity=fill(blocks.log_multiplicity, value=NEVER),
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
    start = {"slot": 0, "row": 0, "unit": 0, "cell": 0}
    arrays: dict[str, list[np.ndarray]] = {}
    for counts, columns in zip(blocks, covariates, strict=True):
        units, n = len(counts.unit), counts.num_labels
        names = _names_taken(counts, start["slot"], most)
        duplicates = _duplicates_taken(counts, labels)
        parts_by_name = {
            **_covariates_and_counts(counts, columns),
            **_completions(counts, start, most),
            "owner": start["unit"] + np.tile(np.arange(units), 1 << n),
            "size": np.repeat(block_sizes(n).astype(np.int32), units),
            **_counted_on("names", names, start["row"]),
            **_counted_on("duplicates", duplicates, start["row"]),
            "single": start["row"]
            + ((1 << np.arange(n))[:, None] * units + np.arange(units)).ravel(),
            "whole": start["row"] + ((1 << n) - 1) * units + np.arange(units),
        }
        for name, values in parts_by_name.items():
            arrays.setdefault(name, []).append(np.asarray(values))
        start["slot"] += units * n
        start["row"] += units << n
        start["unit"] += units
        start["cell"] += len(parts_by_name["row"])
    together = {name: np.concatenate(parts) for name, parts in arrays.items()}
    if padded:
        steps = dict.fromkeys(("row", "inside", "elsewhere"), CELLS)
        steps |= {name: TAKINGS for name in together if "." in name}
        for name, step in steps.items():
            together[name] = filled_rows(together[name], step)
    for name, values in together.items():
        if values.dtype == np.int64:
            together[name] = values.astype(np.int32)
    tables: dict[str, Any] = {"pairs": None}
    for table in ("names", "duplicates"):
        fields = (together.pop(f"{table}.{field}") for field in Takings._fields)
        tables[table] = Takings(*fields)
    return EndToEnd(**{**tables, **together}, most=most, labels=labels)


def _counted_on(
    table: str, takings: Takings, row: int
) -> dict[str, Shaped[np.ndarray, " T"]]:
    """Return takings by name, blocks counted on from those laid out before."""
    further = takings._replace(taker=row + takings.taker)
    return {f"{table}.{field}": values for field, values in further._asdict().items()}


def _covariates_and_counts(
    counts: Blocks, columns: BlockCovariates
) -> dict[str, AnyArray]:
    """Return what is laid out flat as it is."""
    tables: dict[str, AnyArray] = {
        "label": columns.label,
        "slope": columns.slope,
        "block": columns.block,
        "pair": columns.pair,
        "main": counts.main,
        "detected": counts.detected,
        "missed": counts.missed,
        "named": counts.named,
        "uniform": counts.uniform,
    }
    if columns.pairs is not None:
        tables["pairs"] = columns.pairs
    return {
        **{name: _flat(table) for name, table in tables.items()},
        "item": columns.item,
        "votes": counts.votes,
        "answered": counts.answered,
        "unit": counts.unit,
    }


def _completions(
    counts: Blocks, start: Mapping[str, int], most: int
) -> dict[str, AnyArray]:
    """Return allocations and their cells, counted on from those laid out before."""
    cell = _cells(counts)
    unit = start["unit"] + counts.of_unit
    return {
        "row": start["row"] + cell["row"],
        "inside": cell["inside"],
        "elsewhere": cell["elsewhere"],
        "cell": start["cell"] + cell["cell"].ravel(),
        "of_unit": unit,
        "style": unit * (most + 1) + counts.single_label,
        "log_multiplicity": counts.log_multiplicity,
    }


def _flat(table: AnyArray) -> np.ndarray:
    """Return the table of units and blocks as one of blocks, unit by unit."""
    units, several, *rest = table.shape
    return np.asarray(table).swapaxes(0, 1).reshape(units * several, *rest)


def _names_taken(blocks: Blocks, first: int, most: int) -> Takings:
    """Return which blocks take which number of namings of which candidate."""
    units, names = len(blocks.unit), np.asarray(blocks.names)
    unit, block, label = np.nonzero(names)
    taken = (first + label * units + unit) * (most + 1) + names[unit, block, label]
    return Takings(taken, block * units + unit, np.ones(len(taken)))


def _duplicates_taken(blocks: Blocks, labels: int) -> Takings:
    """Return which blocks take how many names of a block of which size."""
    duplicates = np.asarray(blocks.duplicates)
    unit, block, more = np.nonzero(duplicates)
    size = block_sizes(blocks.num_labels).astype(int)[block]
    times = duplicates[unit, block, more].astype(float)
    return Takings(size * labels + more, block * len(blocks.unit) + unit, times)


def _cells(blocks: Blocks) -> dict[str, Int[np.ndarray, "..."]]:
    """Return the cells of units that have so many candidates."""
    of_unit, exhaustive_singles = (
        np.asarray(blocks.of_unit),
        np.asarray(blocks.exhaustive_singles),
    )
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
