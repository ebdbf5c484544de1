"""Aggregation methods compared on data sets with gold labels."""

from importlib import import_module
from typing import Any

from consilience.deprecation import warn_renamed

_SCORING = ("Metric", "Score", "ScoreOptions", "score")


def __getattr__(name: str) -> Any:
    """Answer to names that have moved to `consilience.scoring`, with a warning."""
    if name in _SCORING:
        warn_renamed(f"{__name__}.{name}", f"consilience.scoring.{name}")
        return getattr(import_module("consilience.scoring"), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
