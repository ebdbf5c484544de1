from ._fit import fit
from .comparing import compare
from .cross_validation import cross_validate
from .inputs import Effort, check_seed
from .objects.cross_validation import foresee_objects
from .predicting import predict
from .sequential import Sequential

__all__ = [
    "Effort",
    "Sequential",
    "check_seed",
    "compare",
    "cross_validate",
    "fit",
    "foresee_objects",
    "predict",
]
