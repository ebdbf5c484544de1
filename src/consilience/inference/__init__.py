"""Ways to a posterior, one per file: each `fit(model, space, key, effort, report)`."""

from consilience.inference.result import Result
from consilience.inference.run import ENGINES, Effort, check_engine, choose, run

__all__ = ["ENGINES", "Effort", "Result", "check_engine", "choose", "run"]
