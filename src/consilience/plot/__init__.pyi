from .annotator_axes import agreement as agreement
from .annotator_axes import annotators as annotators
from .confusion_axes import confusion as confusion
from .confusion_axes import posterior_labels as posterior_labels
from .predictive import calibration as calibration
from .predictive import ppc as ppc
from .ranking_axes import ranking as ranking
