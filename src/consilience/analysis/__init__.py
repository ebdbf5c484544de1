"""Analyses of responses without a model, and of decisions given a fit."""

from consilience.analysis.class_confusion.comparison import (
    ComparedConfusion,
    compare_confusion,
)
from consilience.analysis.class_confusion.human_confusion import (
    HumanConfusion,
    human_confusion,
)
from consilience.analysis.decisions.decision import Decision, decide
from consilience.analysis.decisions.filtering import filtering
from consilience.analysis.decisions.frequencies import (
    frequencies,
    selection_frequencies,
)
from consilience.analysis.decisions.label_sets import label_sets
from consilience.analysis.decisions.more_answers import more_answers
from consilience.analysis.goodness_of_fit.predictive_checks import predictive_checks
from consilience.analysis.goodness_of_fit.replicated import replicate_answers
from consilience.analysis.model_evaluation.evaluation import Evaluation, evaluate
from consilience.analysis.model_evaluation.model_calibration import (
    model_calibration,
    validity_by_rank,
)
from consilience.analysis.model_evaluation.predicted_frequencies import (
    error_frequencies,
    predicted_frequencies,
)
from consilience.analysis.reliability.agreement import Agreement, By, agreement
from consilience.analysis.study.label_pairs import called_otherwise, cooccurring
from consilience.analysis.study.leading_question import leading_question
from consilience.analysis.study.rival_labels import rival_labels
from consilience.analysis.study.summary import study_summary
from consilience.analysis.study.valid_labels import valid_label_counts, valid_labels

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
    "error_frequencies",
    "evaluate",
    "filtering",
    "frequencies",
    "human_confusion",
    "label_sets",
    "leading_question",
    "model_calibration",
    "more_answers",
    "predicted_frequencies",
    "predictive_checks",
    "replicate_answers",
    "rival_labels",
    "selection_frequencies",
    "study_summary",
    "valid_label_counts",
    "valid_labels",
    "validity_by_rank",
]
