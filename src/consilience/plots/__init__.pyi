from .annotators import plot_agreement, plot_annotators
from .confusion import plot_confusion, plot_posterior_labels
from .predictive import plot_calibration, plot_ppc

__all__ = [
    "plot_agreement",
    "plot_annotators",
    "plot_calibration",
    "plot_confusion",
    "plot_posterior_labels",
    "plot_ppc",
]
