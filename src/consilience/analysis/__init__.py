"""What answers show before any model, and what a fit says of rules about them."""

from consilience.analysis._agreement import Agreement, By, agreement
from consilience.analysis._filtering import filtering
from consilience.analysis._frequencies import frequencies, selection_frequencies
from consilience.analysis._human_confusion import HumanConfusion, human_confusion
from consilience.analysis._leading_question import leading_question
from consilience.analysis._more_answers import more_answers
from consilience.analysis._population import population
from consilience.analysis._predicted_frequencies import predicted_frequencies
from consilience.analysis._valid_labels import valid_labels
from consilience.analysis.compared_confusion import (
    ComparedConfusion,
    compare_confusion,
)
from consilience.analysis.decision import Decision, decide
from consilience.analysis.evaluation import Evaluation, evaluate
from consilience.analysis.label_pairs import called_otherwise, cooccurring

__all__ = [
    "Agreement",
    "By",
    "ComparedConfusion",
    "Decision",
    "Evaluation",
    "HumanConfusion",
    "agreement",
    "called_otherwise",
    "compare_confusion",
    "cooccurring",
    "decide",
    "evaluate",
    "filtering",
    "frequencies",
    "human_confusion",
    "leading_question",
    "more_answers",
    "population",
    "predicted_frequencies",
    "selection_frequencies",
    "valid_labels",
]
