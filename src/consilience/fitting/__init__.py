"""From responses to a fit: one model, or the models compared and mixed."""

from consilience.fitting._fit import fit
from consilience.fitting.comparing import compare
from consilience.fitting.cross_validation import cross_validate
from consilience.fitting.foreseeing import foresee_objects
from consilience.fitting.inputs import check_seed
from consilience.fitting.predicting import predict
from consilience.fitting.sequential import Sequential
from consilience.inference import Effort

__all__ = [
    "Effort",
    "Sequential",
    "check_seed",
    "compare",
    "cross_validate",
    "fit",
    "foresee_objects",
    "predict",
]
