from .options import EngineOptions
from .result import ENGINES, Result, check_engine, choose, run, with_default_draws

__all__ = [
    "ENGINES",
    "EngineOptions",
    "Result",
    "check_engine",
    "choose",
    "run",
    "with_default_draws",
]
