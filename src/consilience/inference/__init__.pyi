from ._run import ENGINES, check_engine, choose, run, with_default_draws
from .options import EngineOptions
from .result import Result

__all__ = [
    "ENGINES",
    "EngineOptions",
    "Result",
    "check_engine",
    "choose",
    "run",
    "with_default_draws",
]
