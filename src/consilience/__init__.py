"""Consilience: Bayesian models of annotators, and the labels that they imply.

Names are loaded when first used, so that importing the package costs nothing.
"""

import sys
import warnings
from importlib import import_module
from importlib.metadata import version
from typing import Any

import lazy_loader

if "IPython" in sys.modules:
    # NumPyro loads tqdm, which asks notebooks for widgets that nothing here uses.
    warnings.filterwarnings("ignore", "IProgress not found")

_attribute, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    """Load a name when it is first used; also packages whose classes are options."""
    if name in {"figures", "responses", "scoring"}:
        return import_module(f"consilience.{name}")
    return version(__name__) if name == "__version__" else _attribute(name)
