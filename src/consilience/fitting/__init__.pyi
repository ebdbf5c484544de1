from ._fit import fit as fit
from .comparing import compare as compare
from .cross_validation import cross_validate as cross_validate
from .inputs import EngineOptions as EngineOptions
from .predicting import predict as predict
from .sequential import Sequential as Sequential
from .sharded import ShardedFit as ShardedFit
from .sharded import fit_shards as fit_shards
