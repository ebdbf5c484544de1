from .estimators import (
    BayesianDawidSkene,
    DawidSkene,
    HierarchicalDawidSkene,
    MajorityVote,
    Multinomial,
)
from .fitting import fit, simulate
from .posterior import Fit, load
from .responses import Responses, describe, read, write

__all__ = [
    "BayesianDawidSkene",
    "DawidSkene",
    "Fit",
    "HierarchicalDawidSkene",
    "MajorityVote",
    "Multinomial",
    "Responses",
    "describe",
    "fit",
    "load",
    "read",
    "simulate",
    "write",
]
