from .options import EngineOptions, check_seed
from .result import ENGINES, Result, check_engine, choose, run, with_default_draws

__all__ = [
    "ENGINES",
    "EngineOptions",
    "Result",
    "check_engine",
    "check_seed",
    "choose",
    "run",
    "with_default_draws",
]
