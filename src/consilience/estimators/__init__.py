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

from consilience.estimators.bayesian_dawid_skene import BayesianDawidSkene
from consilience.estimators.dawid_skene import DawidSkene
from consilience.estimators.hierarchical_dawid_skene import HierarchicalDawidSkene
from consilience.estimators.majority_vote import MajorityVote
from consilience.estimators.multinomial import Multinomial

__all__ = [
    "BayesianDawidSkene",
    "DawidSkene",
    "HierarchicalDawidSkene",
    "MajorityVote",
    "Multinomial",
]
