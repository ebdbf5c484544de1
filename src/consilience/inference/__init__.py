"""Inference: engines that fit a model, chosen by name."""

from consilience.inference._run import (
    ENGINES,
    check_engine,
    choose,
    run,
    with_default_draws,
)
from consilience.inference.options import EngineOptions
from consilience.inference.result import Result

__all__ = [
    "ENGINES",
    "EngineOptions",
    "Result",
    "check_engine",
    "choose",
    "run",
    "with_default_draws",
]
