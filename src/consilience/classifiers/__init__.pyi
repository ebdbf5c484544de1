from .classifier import Classifier, load_classifier
from .classify import Outcome, Pace, classify
from .export import About, export_network
from .images import Images, list_images
from .manifest import Manifest, read_manifest
from .predictions import Predictions, read_predictions

__all__ = [
    "About",
    "Classifier",
    "Images",
    "Manifest",
    "Outcome",
    "Pace",
    "Predictions",
    "classify",
    "export_network",
    "list_images",
    "load_classifier",
    "read_manifest",
    "read_predictions",
]
