from .agreement import plot_agreement
from .annotators import plot_annotators
from .calibration import plot_calibration
from .confusion import plot_confusion
from .posterior_labels import plot_posterior_labels
from .predictive import plot_ppc

__all__ = [
    "plot_agreement",
    "plot_annotators",
    "plot_calibration",
    "plot_confusion",
    "plot_posterior_labels",
    "plot_ppc",
]
