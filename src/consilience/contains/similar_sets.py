"""Similar labels of one item in sets, and which of a set were shown together.

Two labels are in one set if they are similar, or linked by labels of that item that
are. Of a set, two were shown together if at least half of the annotators of either were
asked about both, or if labels that were link them.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from scipy.sparse import coo_array, csr_array

from consilience.errors import CandidatesError
from consilience.ragged import places_within
from consilience.truth.space import ContainsSpace, SimilarSets
from consilience.when_used import csgraph

# Similarity from which a label leads: that at which the leading question was measured
# on the reassessed ImageNet labels, as a share of classifiers' guesses.
SIMILAR = 0.05
SHOWN = 0.5  # share of the annotators of either label that were asked about both


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
    return csgraph.connected_components(links, directed=False)[1]


def _shown(
    space: ContainsSpace, first: Int[np.ndarray, " P"], second: Int[np.ndarray, " P"]
) -> Bool[np.ndarray, " P"]:
    shape = (space.num_units, space.num_annotators)
    count = csr_array((np.ones(len(space.unit)), (space.unit, space.annotator)), shape)
    was_asked = (count > 0).astype(np.int32)
    num_annotators = np.asarray(was_asked.sum(1)).ravel()
    both = np.asarray((was_asked[first] * was_asked[second]).sum(1)).ravel()
    fewer = np.minimum(num_annotators[first], num_annotators[second])
    return both >= SHOWN * np.maximum(fewer, 1)


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
    return np.nan_to_num(listed)
