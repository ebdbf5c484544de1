"""What answers show before any model, and what a fit says of rules about them."""

from consilience.analysis.agreement import Agreement, agreement
from consilience.analysis.evaluation import Evaluation, evaluate
from consilience.analysis.filtering import filtering
from consilience.analysis.human_confusion import HumanConfusion, human_confusion

__all__ = [
    "Agreement",
    "Evaluation",
    "HumanConfusion",
    "agreement",
    "evaluate",
    "filtering",
    "human_confusion",
]
