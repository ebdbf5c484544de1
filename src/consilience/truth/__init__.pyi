from .arrays.grid import next_size
from .choice.candidates import answer_slot, candidates
from .choice.classes import classes
from .choice.shortlists import Shortlists, shortlists
from .coding import merge_identical
from .observations import (
    Observations,
    blocks,
    minibatches,
    observe,
    vote_counts,
)
from .padding import padded
from .pairs import LabelPairs
from .response_matrix import ResponseMatrix
from .similarity import named_pairs
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
