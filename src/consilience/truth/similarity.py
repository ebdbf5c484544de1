"""How alike two labels are, as the user says: by a dictionary, or a classifier."""

from dataclasses import replace

import numpy as np
import pandas as pd
from jaxtyping import Shaped

from consilience.errors import DataError
from consilience.truth.named import LabelPairs, no_pairs
from consilience.truth.space import ChoiceSpace, Space

_COLUMNS = ("label_a", "label_b", "value")
# Pairs of labels that are followed: those named together for the most units.
MAX_PAIRS = 20_000


def similarity(space: ChoiceSpace, table: pd.DataFrame) -> ChoiceSpace:
    """Return the space with the similarity of its labels."""
    labels = np.array(space.states, object)
    return replace(space, similar=similar_labels(labels, table))


def similar_labels(names: Shaped[np.ndarray, " L"], table: pd.DataFrame) -> LabelPairs:
    """Return how alike labels are."""
    for column in _COLUMNS:
        if column not in table:
            columns = ", ".join(map(str, table.columns))
            msg = f"similarity has columns {columns}; a column {column!r} is needed"
            raise DataError(msg)
    labels = pd.Index(names)
    codes = [
        labels.get_indexer(pd.Index(table[column].astype(str)))
        for column in _COLUMNS[:2]
    ]
    value = pd.to_numeric(table["value"], errors="coerce").to_numpy(float)
    wrong = (codes[0] < 0) | (codes[1] < 0) | ~np.isfinite(value)
    if wrong.any():
        first = table.iloc[int(np.argmax(wrong))]
        msg = (
            f"similarity of {first['label_a']!r} and {first['label_b']!r} is "
            f"{first['value']!r}; expected two of the {len(labels)} labels and a number"
        )
        raise DataError(msg)
    low, high = np.minimum(*codes), np.maximum(*codes)
    pairs = pd.DataFrame({"first": low, "second": high, "value": value})
    pairs = pairs[low != high].drop_duplicates()
    twice = pairs.duplicated(["first", "second"])
    if twice.any():
        one, other = labels[pairs.loc[twice, ["first", "second"]].to_numpy()[0]]
        msg = (
            f"similarity of {one!r} and {other!r} is given twice, with different "
            "values; keep one"
        )
        raise DataError(msg)
    pairs = pairs.sort_values(["first", "second"])
    return LabelPairs(
        pairs["first"].to_numpy(np.int32),
        pairs["second"].to_numpy(np.int32),
        pairs["value"].to_numpy(float),
    )


def named_pairs(space: Space, most: int = MAX_PAIRS) -> LabelPairs:
    """Return the pairs of labels that were both named for one unit, often enough."""
    num_labels = len(space.answers)
    answered = np.unique(space.unit.astype(np.int64) * num_labels + space.answer)
    unit, label = np.divmod(answered, num_labels)
    together = []
    for apart in range(1, int(np.bincount(unit).max())):
        same = unit[apart:] == unit[:-apart]
        together.append(label[:-apart][same] * num_labels + label[apart:][same])
    if not together:
        return no_pairs()
    code, times = np.unique(np.concatenate(together), return_counts=True)
    kept = np.sort(np.argsort(-times, kind="stable")[:most])
    first, second = np.divmod(code[kept], num_labels)
    return LabelPairs(
        first.astype(np.int32), second.astype(np.int32), times[kept].astype(float)
    )
