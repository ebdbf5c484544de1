"""Similar labels of one item in sets, and which of a set were shown together.

Two labels are in one set if they are similar, or linked by labels of that item that
are. Of a set, two were shown together if at least half of the annotators of either were
asked about both, or if labels that were link them.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from scipy.sparse import coo_array, csr_array

from consilience.errors import DataError
from consilience.ragged import places_within
from consilience.truth.named import LabelPairs
from consilience.truth.space import ContainsSpace, SimilarSets
from consilience.when_used import csgraph

# Similarity from which a label leads: that at which the leading question was measured
# on the reassessed ImageNet labels, as a share of classifiers' guesses.
SIMILAR = 0.05
SHOWN = 0.5  # share of the annotators of either label that were asked about both


def similar_sets(space: ContainsSpace, table: pd.DataFrame | None) -> ContainsSpace:
    """Return the space with its similar labels in sets."""
    groups, number = space.groups, space.num_units
    if table is None and not len(groups.names):
        return space
    first, second = _of_one_item(space)
    if table is not None:
        alike = _similarity(space, table, first, second) >= SIMILAR
    else:
        alike = groups.code[first] == groups.code[second]
        alike &= groups.names[groups.code[first]] != ""
    of_set = _linked(first[alike], second[alike], number)
    inside = of_set[first] == of_set[second]
    first, second = first[inside], second[inside]
    shown_together = _shown(space, first, second)
    shown = _linked(first[shown_together], second[shown_together], number)
    return replace(space, similar_sets=SimilarSets(of_set, shown))


def _of_one_item(
    space: ContainsSpace,
) -> tuple[Int[np.ndarray, " P"], Int[np.ndarray, " P"]]:
    """Return all pairs of units of one item, each once, the first below the second."""
    item, _ = pd.factorize(space.unit_item)
    order = np.argsort(item, kind="stable")
    number = np.bincount(item)
    start = np.cumsum(number) - number
    times = number[item[order]]
    first = np.repeat(order, times)
    second = order[start[item[first]] + places_within(times)]
    once = first < second
    return first[once], second[once]


def _linked(
    first: Int[np.ndarray, " P"], second: Int[np.ndarray, " P"], number: int
) -> Int[np.ndarray, " U"]:
    """Return which units are linked, by a code each."""
    links = coo_array((np.ones(len(first), bool), (first, second)), (number, number))
    return csgraph.connected_components(links, directed=False)[1]


def _shown(
    space: ContainsSpace, first: Int[np.ndarray, " P"], second: Int[np.ndarray, " P"]
) -> Bool[np.ndarray, " P"]:
    """Return whether enough annotators of either unit were asked about both."""
    shape = (space.num_units, space.num_annotators)
    count = csr_array((np.ones(len(space.unit)), (space.unit, space.annotator)), shape)
    was_asked = (count > 0).astype(np.int32)
    num_annotators = np.asarray(was_asked.sum(1)).ravel()
    both = np.asarray((was_asked[first] * was_asked[second]).sum(1)).ravel()
    fewer = np.minimum(num_annotators[first], num_annotators[second])
    return both >= SHOWN * np.maximum(fewer, 1)


def _similarity(
    space: ContainsSpace,
    table: pd.DataFrame,
    first: Int[np.ndarray, " P"],
    second: Int[np.ndarray, " P"],
) -> Float[np.ndarray, " P"]:
    """Return how alike the labels of each two units are; zero where none says so."""
    missing = {"label_a", "label_b"} - set(table.columns)
    if missing:
        present = ", ".join(map(str, table.columns))
        msg = f"similarity has columns {present}; a column {min(missing)!r} is needed"
        raise DataError(msg)
    label, names = pd.factorize(space.unit_label.astype(str), sort=True)
    pair = [
        pd.Index(names).get_indexer(pd.Index(table[name].astype(str)))
        for name in ("label_a", "label_b")
    ]
    value = np.ones(len(table))
    if "value" in table:
        value = pd.to_numeric(table["value"], errors="coerce").to_numpy(float)
    wrong = ~(np.isfinite(value) & (value >= 0))
    if wrong.any():
        row = int(np.argmax(wrong))
        msg = (
            f"similarity, row {row + 1}: found {table['value'].iloc[row]!r}, expected "
            "a number of zero or more; fix it or leave the row out"
        )
        raise DataError(msg)
    low, high = np.minimum(*pair).astype(np.int64), np.maximum(*pair)
    if not (low >= 0).any():
        msg = (
            "similarity names no two labels of the responses; check that both name "
            "them alike"
        )
        raise DataError(msg)
    code = (low * len(names) + high)[low >= 0]
    largest = pd.Series(value[low >= 0]).groupby(code).max()
    listed = LabelPairs(
        *np.divmod(largest.index.to_numpy(), len(names)), largest.to_numpy()
    )
    return listed.at(label[first], label[second])
