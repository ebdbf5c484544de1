from .annotators import plot_agreement as plot_agreement
from .annotators import plot_annotators as plot_annotators
from .confusion import plot_confusion as plot_confusion
from .confusion import plot_posterior_labels as plot_posterior_labels
from .predictive import plot_calibration as plot_calibration
from .predictive import plot_ppc as plot_ppc
