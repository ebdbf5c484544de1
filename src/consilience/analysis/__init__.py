"""What answers show before any model, and what a fit says of rules about them."""

from consilience.analysis.agreement import Agreement, agreement
from consilience.analysis.compared_confusion import (
    ComparedConfusion,
    compare_confusion,
)
from consilience.analysis.decision import Decision, decide
from consilience.analysis.evaluation import Evaluation, evaluate
from consilience.analysis.filtering import filtering
from consilience.analysis.frequencies import frequencies, selection_frequencies
from consilience.analysis.human_confusion import HumanConfusion, human_confusion
from consilience.analysis.label_pairs import called_otherwise, cooccurring
from consilience.analysis.leading_question import leading_question
from consilience.analysis.more_answers import more_answers
from consilience.analysis.population import population
from consilience.analysis.predicted_frequencies import predicted_frequencies
from consilience.analysis.valid_labels import valid_labels

__all__ = [
    "Agreement",
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
