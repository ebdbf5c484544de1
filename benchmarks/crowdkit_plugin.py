"""A pytest plugin that puts our estimators in the place of crowd-kit's.

Every name that `crowdkit.aggregation` has for classification is set to ours before the
suite is collected, so that `from crowdkit.aggregation import DawidSkene` imports ours.
What crowd-kit builds on its own base class takes ours as well.
"""

import crowdkit.aggregation
import crowdkit.aggregation.classification
from crowdkit.aggregation import base

import consilience as cs

NAMES = (
    "GLAD",
    "KOS",
    "MACE",
    "MMSR",
    "BinaryRelevance",
    "DawidSkene",
    "GoldMajorityVote",
    "MajorityVote",
    "OneCoinDawidSkene",
    "Wawa",
    "ZeroBasedSkill",
)

for name in NAMES:
    for package in (crowdkit.aggregation, crowdkit.aggregation.classification):
        if hasattr(package, name):
            setattr(package, name, getattr(cs.sklearn, name))
setattr(base, "BaseClassificationAggregator", cs.sklearn.Aggregator)  # noqa: B010 (a type)
