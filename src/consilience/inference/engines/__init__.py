"""Engines, one per file; the name of the file is the name of the engine.

An engine's module has

- `fit(model, space, seed, effort, report)`, which returns a `Result`; what the effort
  leaves open has the engine's own default;
- `NEEDS_DRAWS`, whether it can do nothing without draws;
- `HAS_CLOSED_FORM`, whether it fits models of tables without JAX.

An engine is loaded when it is used: those that follow gradients load JAX and NumPyro.
"""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any


@cache
def names() -> tuple[str, ...]:
    """Return the names of all engines, in alphabetical order."""
    return tuple(sorted(module.name for module in iter_modules(__path__)))


def load(name: str) -> Any:
    """Return the module of an engine."""
    return import_module(f"{__name__}.{name}")
