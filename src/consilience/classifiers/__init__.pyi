from ._co_confusion import co_confusion
from .candidate_table import Candidates, candidates
from .classifier import Classifier, load_classifier
from .classifying import Outcome, classify
from .export import About, export_network
from .images import Images, list_images
from .manifest import Manifest, read_manifest
from .pace import Pace
from .predictions import Predictions, read_predictions

__all__ = [
    "About",
    "Candidates",
    "Classifier",
    "Images",
    "Manifest",
    "Outcome",
    "Pace",
    "Predictions",
    "candidates",
    "classify",
    "co_confusion",
    "export_network",
    "list_images",
    "load_classifier",
    "read_manifest",
    "read_predictions",
]
