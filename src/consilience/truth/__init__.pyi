from .choice import answer_slot, candidates, classes, named_pairs
from .coding import merge_identical
from .named import LabelPairs
from .observations import Observations, blocks, minibatches, observe
from .padding import next_size, padded
from .response_matrix import ResponseMatrix, tally
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
    "tally",
]
