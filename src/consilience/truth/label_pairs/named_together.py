"""Pairs of labels that were named for one unit."""

import numpy as np

from consilience.truth.label_pairs.pairs import LabelPairs, no_pairs
from consilience.truth.space import Space

# Pairs of labels that are followed: those named together for the most units.
MAX_PAIRS = 20_000


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
