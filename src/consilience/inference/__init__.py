"""Ways to a posterior, one per file: each `fit(model, space, key, effort, report)`."""

from consilience.inference._run import (
    ENGINES,
    Effort,
    check_engine,
    choose,
    effort_of,
    run,
)
from consilience.inference.result import Result

__all__ = ["ENGINES", "Effort", "Result", "check_engine", "choose", "effort_of", "run"]
