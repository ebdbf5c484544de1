from ._candidates import candidates
from ._classes import classes
from ._shortlists import Shortlists, shortlists
from .answer_slots import answer_slot
from .grid import next_size
from .label_pairs import LabelPairs
from .merging import merge_identical
from .named_together import named_pairs
from .observations import (
    Observations,
    blocks,
    minibatches,
    observe,
    vote_counts,
)
from .padding import padded
from .response_matrix import ResponseMatrix
from .space import (
    ANONYMOUS,
    ChoiceSpace,
    ContainsSpace,
    ObjectsSpace,
    Space,
    check_lists,
    check_size,
)
from .votes import tally

__all__ = [
    "ANONYMOUS",
    "ChoiceSpace",
    "ContainsSpace",
    "LabelPairs",
    "ObjectsSpace",
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
    "merge_identical",
    "minibatches",
    "named_pairs",
    "next_size",
    "observe",
    "padded",
    "shortlists",
    "tally",
    "vote_counts",
]
