from .arrays.grid import next_size
from .choice.answer_slots import answer_slot
from .choice.candidates import candidates
from .choice.classes import classes
from .choice.shortlists import Shortlists, shortlists
from .label_pairs.named_together import named_pairs
from .label_pairs.pairs import LabelPairs
from .merging import merge_identical
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
