from .analysis import Agreement, agreement
from .estimators import (
    BayesianDawidSkene,
    DawidSkene,
    HierarchicalDawidSkene,
    MajorityVote,
    Multinomial,
)
from .fitting import Effort, fit
from .posterior import Fit, load
from .responses import Responses, describe, read, write
from .simulation import simulate

__all__ = [
    "Agreement",
    "BayesianDawidSkene",
    "DawidSkene",
    "Effort",
    "Fit",
    "HierarchicalDawidSkene",
    "MajorityVote",
    "Multinomial",
    "Responses",
    "agreement",
    "describe",
    "fit",
    "load",
    "read",
    "simulate",
    "write",
]
