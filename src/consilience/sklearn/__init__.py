"""Estimators for scikit-learn, so that users of crowd-kit change one import.

Each takes a data frame with the columns `task, worker, label` or `item, annotator,
label`, under whichever of these names, and answers under the caller's own: ids and
labels come back as the objects that went in, and so does the name of the index. What is
learned has crowd-kit's names and meaning. Where labels tie, the first in sorted order
is taken.

Estimators of models fit them as `consilience.fit` does, DawidSkene and
OneCoinDawidSkene by EM; `fit_` is the fit. GLAD and MACE run the published algorithm
unless `engine` is another than "classical"; the others are votes and their weights.

References
----------
Ustalov, Pavlichenko and Tseitlin (2024), Learning from crowds with Crowd-Kit.
"""

from consilience.sklearn.base import (
    Aggregator,
    ModelAggregator,
    ProbabilisticAggregator,
)
from consilience.sklearn.classical import GLAD, MACE, ClassicalAggregator
from consilience.sklearn.label_quality import label_quality_multiannotator
from consilience.sklearn.models import (
    BWA,
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
    OneCoinDawidSkene,
    SharedErrors,
)
from consilience.sklearn.pairwise import (
    BradleyTerry,
    NoisyBradleyTerry,
    PairwiseAggregator,
)
from consilience.sklearn.votes import (
    KOS,
    MMSR,
    BinaryRelevance,
    GoldMajorityVote,
    MajorityVote,
    Wawa,
    ZeroBasedSkill,
)

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
    "BradleyTerry",
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
    "NoisyBradleyTerry",
    "OneCoinDawidSkene",
    "PairwiseAggregator",
    "ProbabilisticAggregator",
    "SharedErrors",
    "Wawa",
    "ZeroBasedSkill",
    "label_quality_multiannotator",
]
