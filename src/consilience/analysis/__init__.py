"""Analyses of responses without a model, and of decisions given a fit."""

from consilience.analysis.class_confusion import (
    HumanConfusion,
    human_confusion,
)
from consilience.analysis.compared_confusion import (
    ComparedConfusion,
    compare_confusion,
)
from consilience.analysis.conformal import label_sets
from consilience.analysis.decisions import Decision, decide, filtering
from consilience.analysis.evaluation import Evaluation, evaluate
from consilience.analysis.further_answers import more_answers
from consilience.analysis.label_pairs import called_otherwise, cooccurring
from consilience.analysis.leading import leading_question
from consilience.analysis.model_shares import (
    error_frequencies,
    model_calibration,
    predicted_frequencies,
    validity_by_rank,
)
from consilience.analysis.predictive import predictive_checks
from consilience.analysis.reliability import Agreement, By, agreement
from consilience.analysis.replicated import replicate_answers
from consilience.analysis.selection import (
    frequencies,
    selection_frequencies,
)
from consilience.analysis.study_shares import (
    rival_labels,
    study_summary,
    valid_label_counts,
    valid_labels,
)

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
