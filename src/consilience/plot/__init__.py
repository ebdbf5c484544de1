"""Plots of fits and analyses on matplotlib.

Each function draws on the axes that it is given, or on new ones, and returns them. It
shows nothing and changes no setting of matplotlib, so that styles and backends are the
caller's. Names are loaded when first used.
"""

from importlib.util import find_spec
from typing import Any, Never

import lazy_loader

from consilience.errors import UnavailableError

_attribute, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    """Load a function; without matplotlib it is one that says so."""
    missing = name in __all__ and find_spec("matplotlib") is None
    return _unavailable if missing else _attribute(name)


def _unavailable(*_: object, **__: object) -> Never:
    raise UnavailableError(
        "plots: matplotlib not found, which is needed to draw them; "
        'pip install "consilience[plots]"'
    )
