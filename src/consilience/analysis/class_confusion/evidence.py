"""What other answers say of what the items of a class are called beside its own label.

Each kind of evidence is a matrix, class by label, that says where answers about the
items of a class are to be expected. None looks at the answers about the class itself:
those are counted apart.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from consilience.analysis.class_confusion.counted_labels import LabelCounts

_TRACE = 1e-3  # answers; keeps a label possible that nobody has given yet


def evidence(namings: LabelCounts) -> Mapping[str, Float[np.ndarray, "K K"]]:
    """Return each kind of evidence.

    Parameters
    ----------
    namings
        How the items were called.

    Returns
    -------
    By name; of the other labels than the class's own. Rows of these sum to one: `any`
    (every label), `popular` (labels that other classes are called), `superclass`
    (labels of the superclass), `popular_superclass`. The others are numbers of answers:
    `reverse` (items of the label that are called by the class), `together` (items of
    third classes that are called by both); the same of labels named aside,
    `reverse_aside` and `together_aside`. What nothing is known of is left out.
    """
    votes, asides = namings.by_class(namings.votes), namings.by_class(namings.asides)
    total = np.maximum(votes.sum(1), 1.0)[:, None]
    for each in (votes, asides):
        np.fill_diagonal(each, 0.0)
    share = votes / total
    popular = np.broadcast_to(votes.sum(0) + _TRACE, votes.shape)
    matrices = {
        "any": _rows(np.ones_like(votes)),
        "popular": _rows(popular),
    }
    if namings.parent is not None:
        same = (namings.parent[:, None] == namings.parent).astype(float)
        matrices["superclass"] = _rows(same)
        matrices["popular_superclass"] = _rows(same * popular)
    matrices["reverse"] = votes.T.copy()
    matrices["together"] = _hollow(share.T @ votes)
    if asides.any():
        matrices["reverse_aside"] = asides.T.copy()
        both = (asides / total).T @ votes + share.T @ asides
        matrices["together_aside"] = _hollow(both)
    return matrices


def _rows(matrix: Float[np.ndarray, "K K"]) -> Float[np.ndarray, "K K"]:
    """Return rows that sum to one, or to zero where there is nothing else to name."""
    hollow = _hollow(matrix)
    total = hollow.sum(1, keepdims=True)
    return hollow / np.where(total > 0, total, 1.0)


def _hollow(matrix: Float[np.ndarray, "K K"]) -> Float[np.ndarray, "K K"]:
    hollow = np.array(matrix)
    np.fill_diagonal(hollow, 0.0)
    return hollow
