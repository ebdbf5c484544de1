from .images.sources import Images, list_images
from .pooled.candidate_table import Candidates, candidates
from .pooled.co_confusion import co_confusion
from .pooled.predictions import Predictions
from .pooled.reading import read_predictions
from .running.classifier import Classifier, load_classifier
from .running.classifying import Outcome, classify
from .running.manifest import Manifest, read_manifest
from .running.preprocessing import Pace
from .wrapping.folder import Wrapped, wrap
from .wrapping.golden import check_golden

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
