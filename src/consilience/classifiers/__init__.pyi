from .candidate_table import Candidates, candidates, co_confusion
from .classifier import Classifier, check_golden, load_classifier
from .classifying import Outcome, Pace, classify
from .images import Images, list_images
from .manifest import Manifest, read_manifest
from .predictions import Predictions, read_predictions
from .wrapping import Wrapped, wrap

__all__ = [
    "Candidates",
    "Classifier",
    "Images",
    "Manifest",
    "Outcome",
    "Pace",
    "Predictions",
    "Wrapped",
    "candidates",
    "check_golden",
    "classify",
    "co_confusion",
    "list_images",
    "load_classifier",
    "read_manifest",
    "read_predictions",
    "wrap",
]
