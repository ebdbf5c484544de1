"""Consilience: Bayesian models of annotators, and the labels that they imply.

Names are loaded when first used, so that importing the package costs nothing.
"""

import lazy_loader

from consilience.deprecation import module_getattr

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__getattr__ = module_getattr(
    __name__,
    _load,
    {
        "Effort": "EngineOptions",
        "foresee_objects": "cross_validate_objects",
        "population": "study_summary",
    },
)
