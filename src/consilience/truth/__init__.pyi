from .choice import answer_slot, candidates, classes
from .coding import merge_identical
from .lists import Shortlists, shortlists
from .named import LabelPairs
from .observations import (
    Observations,
    blocks,
    minibatches,
    observe,
    vote_counts,
)
from .padding import padded
from .response_matrix import ResponseMatrix, tally
from .similarity import named_pairs
from .sizes import next_size
from .space import (
    ANONYMOUS,
    ChoiceSpace,
    ContainsSpace,
    ObjectsSpace,
    Space,
    check_lists,
    check_size,
)

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
