"""Annotator models, one per file; the file's name is the model's name."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from consilience.errors import UnknownModelError
from consilience.model import AnnotatorModel

__all__ = ["load", "names"]


def names() -> tuple[str, ...]:
    """Names of all models, in alphabetical order."""
    return tuple(sorted(module.name for module in iter_modules(__path__)))


def load(name: str) -> AnnotatorModel[Any]:
    """Return the model called `name`.

    Raises
    ------
    UnknownModelError
        There is no such model.
    """
    if name not in names():
        msg = f"there is no model {name!r}; choose one of {', '.join(names())}"
        raise UnknownModelError(msg)
    model: AnnotatorModel[Any] = import_module(f"{__name__}.{name}").MODEL
    return model
