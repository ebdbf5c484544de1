from ._fit import fit
from .comparison.comparing import compare
from .comparison.cross_validation import cross_validate
from .inputs import EngineOptions, check_seed
from .objects.cross_validation import cross_validate_objects
from .previous.predicting import predict
from .previous.sequential import Sequential

__all__ = [
    "EngineOptions",
    "Sequential",
    "check_seed",
    "compare",
    "cross_validate",
    "cross_validate_objects",
    "fit",
    "predict",
]
