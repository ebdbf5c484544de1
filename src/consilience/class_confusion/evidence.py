"""Evidence for the other labels of a class: answers besides the data set's label.

Each kind of evidence is a matrix, class by label, that says where answers about the
items of a class are to be expected. None looks at the answers about the class itself:
those are counted apart.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from consilience.class_confusion.label_counts import LabelCounts

_TRACE = 1e-3  # answers; keeps a label possible that nobody has given yet


def evidence(label_counts: LabelCounts) -> Mapping[str, Float[np.ndarray, "K K"]]:
    """Return each kind of evidence."""
    votes, asides = (
        label_counts.by_class(label_counts.votes),
        label_counts.by_class(label_counts.asides),
    )
    total = np.maximum(votes.sum(1), 1.0)[:, None]
    for square in (votes, asides):
        np.fill_diagonal(square, 0.0)
    share = votes / total
    popular = np.broadcast_to(votes.sum(0) + _TRACE, votes.shape)
    matrices = {
        "any": _normalise_rows(np.ones_like(votes)),
        "popular": _normalise_rows(popular),
    }
    if label_counts.parent is not None:
        same = (label_counts.parent[:, None] == label_counts.parent).astype(float)
        matrices["superclass"] = _normalise_rows(same)
        matrices["popular_superclass"] = _normalise_rows(same * popular)
    matrices["reverse"] = votes.T.copy()
    matrices["together"] = _zero_diagonal(share.T @ votes)
    if asides.any():
        matrices["reverse_aside"] = asides.T.copy()
        both = (asides / total).T @ votes + share.T @ asides
        matrices["together_aside"] = _zero_diagonal(both)
    return matrices


def _normalise_rows(matrix: Float[np.ndarray, "K K"]) -> Float[np.ndarray, "K K"]:
    """Return rows that sum to one, or to zero where there is nothing else to name."""
    hollow = _zero_diagonal(matrix)
    total = hollow.sum(1, keepdims=True)
    return hollow / np.where(total > 0, total, 1.0)


def _zero_diagonal(matrix: Float[np.ndarray, "K K"]) -> Float[np.ndarray, "K K"]:
    hollow = np.array(matrix)
    np.fill_diagonal(hollow, 0.0)
    return hollow
