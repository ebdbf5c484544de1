"""Annotator models, one per file; the file's name is the model's name."""

import math
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from functools import cache
from importlib import import_module
from numbers import Real
from pkgutil import iter_modules
from typing import Any

from consilience.errors import (
    OptionError,
    UnknownEngineError,
    UnknownModelError,
    not_among,
)
from consilience.model import NOTHING, AnnotatorModel, Heuristic

__all__ = ["fittable", "load", "names"]


def names() -> tuple[str, ...]:
    """Return the names of all models, in alphabetical order.

    Returns
    -------
    tuple of str
        Names that `load` and `consilience.fit` accept.

    See Also
    --------
    load : Load a model.

    Examples
    --------
    >>> from consilience import annotators
    >>> annotators.names()[:3]
    ('bayesian_dawid_skene', 'bwa', 'class_conditional')
    """
    return tuple(sorted(module.name for module in iter_modules(__path__)))


def load(
    name: str, prior: Mapping[str, float] | None = None
) -> AnnotatorModel[Any] | Heuristic[Any]:
    """Return a model, or a heuristic, by its name.

    Parameters
    ----------
    name : str
        One of `names()`.
    prior : mapping of str to float, optional
        Settings of its prior to change, by name.

    Returns
    -------
    AnnotatorModel or Heuristic
        The model.

    Raises
    ------
    UnknownModelError
        If there is no such model.
    OptionError
        If the prior has no such setting, or its value is neither the default nor a
        positive number (or zero, where that removes a part of the model).

    See Also
    --------
    names : Names of all models.

    Examples
    --------
    >>> from consilience import annotators
    >>> model = annotators.load("dawid_skene")
    >>> model.engines, model.references
    (('em',), ('Dawid and Skene (1979), section 3',))
    """
    if name not in names():
        raise UnknownModelError(not_among("model", name, names()))
    model: AnnotatorModel[Any] | Heuristic[Any] = import_module(
        f"{__name__}.{name}"
    ).MODEL
    if not prior:
        return model
    if not isinstance(prior, Mapping):
        msg = f"prior is {prior!r}; give a dictionary of settings by name"
        raise OptionError(msg)
    settings = asdict(model.prior)
    may_be_nothing = {
        each.name for each in fields(model.prior) if NOTHING in each.metadata
    }
    for setting, value in prior.items():
        if setting not in settings:
            raise OptionError(not_among(f"prior setting of {name}", setting, settings))
        if not isinstance(value, Real) or isinstance(value, bool):
            msg = f"prior setting {setting} is {value!r}; give a positive number"
            raise OptionError(msg)
        nothing = value == 0 and setting in may_be_nothing
        accepted = nothing or value == settings[setting]
        if not (accepted or (math.isfinite(value) and value > 0)):
            msg = f"prior setting {setting} is {value}; give a positive number"
            raise OptionError(msg)
    changed = {name: each for name, each in prior.items() if each != settings[name]}
    return _with_prior(model, tuple(sorted(changed.items()))) if changed else model


def fittable(
    name: str, prior: Mapping[str, float] | None = None
) -> AnnotatorModel[Any]:
    """Return a model that engines fit, by its name."""
    model = load(name, prior)
    if isinstance(model, Heuristic):
        msg = (
            f"{name} is a heuristic: no engine fits it; take another model "
            "(`consilience models`)"
        )
        raise UnknownEngineError(msg)
    return model


@cache
def _with_prior[M: (AnnotatorModel[Any], Heuristic[Any])](
    model: M, settings: tuple[tuple[str, float], ...]
) -> M:
    # One record for one prior, so that fits share what is compiled.
    return replace(model, prior=replace(model.prior, **dict(settings)))
