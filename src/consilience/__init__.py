"""Consilience: Bayesian models of annotators, and the labels that they imply.

Names are loaded when first used, so that importing the package costs nothing.
"""

import sys
import warnings
from importlib import import_module
from importlib.metadata import version
from typing import Any

import lazy_loader

from consilience.deprecation import module_getattr

if "IPython" in sys.modules:
    # NumPyro loads tqdm, which asks notebooks for widgets that nothing here uses.
    warnings.filterwarnings("ignore", "IProgress not found")

_attribute, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def _load(name: str) -> Any:
    if name == "plots":
        return import_module("consilience.plots")
    return version(__name__) if name == "__version__" else _attribute(name)


__getattr__ = module_getattr(
    __name__,
    _load,
    {
        "Effort": "EngineOptions",
        "foresee_objects": "cross_validate_objects",
        "population": "study_summary",
    },
)
