"""Similar labels of one item in sets, and which of a set were shown together.

Two labels are in one set if they are similar, or linked by labels of that item that
are. Of a set, two were shown together if at least half of the annotators of either were
asked about both, or if labels that were link them.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int
from scipy.sparse import coo_array, csr_array

from consilience.contains.context_labels import rivals, together
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
