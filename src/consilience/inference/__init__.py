"""Ways to a posterior, one per file: each `fit(model, space, key, effort, report)`."""

from consilience.inference._run import (
    ENGINES,
    EngineOptions,
    check_engine,
    choose,
    run,
    with_default_draws,
)
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
