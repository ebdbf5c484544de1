from ._candidates import candidates
from ._classes import classes
from ._shortlists import Shortlists, shortlists
from .answer_slots import answer_slot
from .label_pairs import LabelPairs
from .merging import merge_alike
from .named_together import seen_pairs
from .observations import (
    Observations,
    blocks,
    minibatches,
    observe,
    vote_counts,
)
from .response_matrix import ResponseMatrix
from .space import (
    ANONYMOUS,
    Space,
    check_lists,
    check_size,
)
from .votes import tally

__all__ = [
    "ANONYMOUS",
    "LabelPairs",
    "Observations",
    "ResponseMatrix",
    "Shortlists",
    "Space",
    "answer_slot",
    "blocks",
    "candidates",
    "check_lists",
    "check_size",
    "classes",
    "merge_alike",
    "minibatches",
    "observe",
    "seen_pairs",
    "shortlists",
    "tally",
    "vote_counts",
]
