"""Estimators for scikit-learn, so that users of crowd-kit change one import.

Each takes a data frame with the columns `task, worker, label` or `item, annotator,
label`, under whichever of these names, and answers under the caller's own: ids and
labels come back as the objects that went in. What is learned has crowd-kit's names and
meaning, as posterior means. Where labels tie, the first in sorted order is taken;
`fit_.items()` says which items tied.

References
----------
Ustalov, Pavlichenko and Tseitlin (2024), Learning from crowds with Crowd-Kit.
"""

from consilience.estimators.base import Aggregator
from consilience.estimators.by_confusion import (
    EBCC,
    AutoAggregator,
    BayesianDawidSkene,
    ClassConditional,
    CommunityBCC,
    DawidSkene,
    HierarchicalDawidSkene,
    ItemDifficulty,
    LogisticRandomEffects,
    Multinomial,
)
from consilience.estimators.by_skill import (
    BWA,
    GLAD,
    MACE,
    OneCoinDawidSkene,
    SharedErrors,
)
from consilience.estimators.majority_vote import MajorityVote

__all__ = [
    "BWA",
    "EBCC",
    "GLAD",
    "MACE",
    "Aggregator",
    "AutoAggregator",
    "BayesianDawidSkene",
    "ClassConditional",
    "CommunityBCC",
    "DawidSkene",
    "HierarchicalDawidSkene",
    "ItemDifficulty",
    "LogisticRandomEffects",
    "MajorityVote",
    "Multinomial",
    "OneCoinDawidSkene",
    "SharedErrors",
]
