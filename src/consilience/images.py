"""From images to questions: classify them, pool candidates of labels, write tasks."""

from consilience.classifiers import (
    Candidates,
    Predictions,
    candidates,
    classify,
    co_confusion,
    read_predictions,
)
from consilience.tasks import write_tasks

__all__ = [
    "Candidates",
    "Predictions",
    "candidates",
    "classify",
    "co_confusion",
    "read_predictions",
    "write_tasks",
]
