from ._fit import fit
from .comparing import compare
from .cross_validation import cross_validate
from .inputs import EngineOptions
from .object_cross_validation import cross_validate_objects
from .predicting import predict
from .sequential import Sequential
from .sharded import ShardedFit, fit_shards

__all__ = [
    "EngineOptions",
    "Sequential",
    "ShardedFit",
    "compare",
    "cross_validate",
    "cross_validate_objects",
    "fit",
    "fit_shards",
    "predict",
]
