from .analysis import Agreement, agreement
from .estimators import (
    EBCC,
    MACE,
    BayesianDawidSkene,
    ClassConditional,
    CommunityBCC,
    DawidSkene,
    HierarchicalDawidSkene,
    MajorityVote,
    Multinomial,
    OneCoinDawidSkene,
    SharedErrors,
)
from .fitting import Effort, compare, cross_validate, fit
from .posterior import Fit, load
from .responses import Responses, describe, read, write
from .simulation import simulate

__all__ = [
    "EBCC",
    "MACE",
    "Agreement",
    "BayesianDawidSkene",
    "ClassConditional",
    "CommunityBCC",
    "DawidSkene",
    "Effort",
    "Fit",
    "HierarchicalDawidSkene",
    "MajorityVote",
    "Multinomial",
    "OneCoinDawidSkene",
    "Responses",
    "SharedErrors",
    "agreement",
    "compare",
    "cross_validate",
    "describe",
    "fit",
    "load",
    "read",
    "simulate",
    "write",
]
