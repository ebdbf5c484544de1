"""Analyses of responses without a model, and of decisions given a fit."""

from consilience.analysis.annotator_test import Judges, judges
from consilience.analysis.class_confusion import HumanConfusion, human_confusion
from consilience.analysis.conformal import label_sets
from consilience.analysis.confusion import ComparedConfusion
from consilience.analysis.decisions import Decision, decide, filtering, leading_question
from consilience.analysis.evaluation import Evaluation, evaluate
from consilience.analysis.further_answers import more_answers
from consilience.analysis.predictive import predictive_checks
from consilience.analysis.rates import Rates, rate
from consilience.analysis.reliability import Agreement, By, agreement
from consilience.analysis.replicated import replicate_answers
from consilience.analysis.selection import frequencies, selection_frequencies
from consilience.analysis.study import cooccurring, study_summary
from consilience.analysis.true_ratings import MeanRatings, mean_ratings
from consilience.analysis.valid_counts import (
    rival_labels,
    valid_label_counts,
    valid_labels,
)
from consilience.fitting import gold_curve, gold_design
from consilience.posterior import drift

__all__ = [
    "Agreement",
    "By",
    "ComparedConfusion",
    "Decision",
    "Evaluation",
    "HumanConfusion",
    "Judges",
    "MeanRatings",
    "Rates",
    "agreement",
    "cooccurring",
    "decide",
    "drift",
    "evaluate",
    "filtering",
    "frequencies",
    "gold_curve",
    "gold_design",
    "human_confusion",
    "judges",
    "label_sets",
    "leading_question",
    "mean_ratings",
    "more_answers",
    "predictive_checks",
    "rate",
    "replicate_answers",
    "rival_labels",
    "selection_frequencies",
    "study_summary",
    "valid_label_counts",
    "valid_labels",
]
