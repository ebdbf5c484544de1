"""Estimators for scikit-learn, so that users of crowd-kit change one import.

Each takes a data frame with the columns `task, worker, label` or `item, annotator,
label`, under whichever of these names, and answers under the caller's own: ids and
labels come back as the objects that went in, and so does the name of the index. What is
learned has crowd-kit's names and meaning. Where labels tie, the first in sorted order
is taken.

Estimators with the name of a published algorithm run it. Those that are models of
`consilience.fit` as well (DawidSkene, OneCoinDawidSkene, GLAD and MACE) fit the model
if `engine` is another than "classical"; what is learned are then posterior means, and
`fit_` is the fit.

References
----------
Ustalov, Pavlichenko and Tseitlin (2024), Learning from crowds with Crowd-Kit.
"""

from consilience.estimators.base import (
    Aggregator,
    ModelAggregator,
    ProbabilisticAggregator,
)
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
from consilience.estimators.by_votes import (
    KOS,
    MMSR,
    GoldMajorityVote,
    MajorityVote,
    Wawa,
    ZeroBasedSkill,
)
from consilience.estimators.classically import ClassicalAggregator
from consilience.estimators.label_quality import label_quality_multiannotator
from consilience.estimators.multilabel import BinaryRelevance

__all__ = [
    "BWA",
    "EBCC",
    "GLAD",
    "KOS",
    "MACE",
    "MMSR",
    "Aggregator",
    "AutoAggregator",
    "BayesianDawidSkene",
    "BinaryRelevance",
    "ClassConditional",
    "ClassicalAggregator",
    "CommunityBCC",
    "DawidSkene",
    "GoldMajorityVote",
    "HierarchicalDawidSkene",
    "ItemDifficulty",
    "LogisticRandomEffects",
    "MajorityVote",
    "ModelAggregator",
    "Multinomial",
    "OneCoinDawidSkene",
    "ProbabilisticAggregator",
    "SharedErrors",
    "Wawa",
    "ZeroBasedSkill",
    "label_quality_multiannotator",
]
