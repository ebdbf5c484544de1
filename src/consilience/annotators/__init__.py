"""Annotator models, one per file; the file's name is the model's name.

A model from outside is one more module with a `MODEL`: an installed package names it as
an entry point in the group `consilience.models`, and `consilience.fit` takes the model
itself, or the name of its module.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from numbers import Real
from pkgutil import iter_modules
from typing import Any

from consilience.errors import (
    OptionError,
    not_among,
)
from consilience.model import NOTHING, Heuristic, Model

__all__ = ["find", "fittable", "load", "names"]

_GROUP = "consilience.models"
_IMPORTED: dict[str, Model[Any]] = {}  # models of one's own that were asked for


def names() -> tuple[str, ...]:
    """Return the names of all models, in alphabetical order.

    They are those of the library, those that installed packages name as entry points in
    the group `consilience.models`, and those that `find` was given.

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
    return tuple(sorted({*_files(), *_installed(), *_IMPORTED}))


def find(model: str | Model[Any]) -> str:
    """Return the name of a model, or of a model of one's own after it was imported.

    Parameters
    ----------
    model : str or Model
        One of `names()`; the name of a module that has a `MODEL`, with a dot in it; or
        a model itself.

    Returns
    -------
    str
        Name that `load` accepts from now on.

    Raises
    ------
    OptionError
        If there is no such model, or module, or it has no `MODEL`.

    See Also
    --------
    load : Load a model by its name.

    Examples
    --------
    >>> from consilience import annotators
    >>> annotators.find("dawid_skene")
    'dawid_skene'
    """
    if isinstance(model, Model):
        home = (model.rule or model.program).__module__
        if home.startswith(f"{__name__}."):
            return home.removeprefix(f"{__name__}.")
        return _keep(model.name or home, model)
    if not isinstance(model, str):
        msg = f"model is {model!r}; give the name of a model, or a model"
        raise OptionError(msg)
    if "." in model and model not in names():
        if not all(part.isidentifier() for part in model.split(".")):
            msg = (
                f"the model {model!r} is no name of a module; give package.module, "
                "which can be imported, not the path of a file"
            )
            raise OptionError(msg)
        try:
            module = import_module(model)
        except ImportError as error:
            msg = f"the model {model} is no module that can be imported: {error}"
            raise OptionError(msg) from error
        if not isinstance(getattr(module, "MODEL", None), Model):
            msg = f"the module {model} has no MODEL, a consilience.model.Model; add it"
            raise OptionError(msg)
        return _keep(module.MODEL.name or model, module.MODEL)
    return model


def _keep(name: str, model: Model[Any]) -> str:
    if name == "auto" or name in {*_files(), *_installed()}:
        msg = (
            f"{name} is the name of another model; give yours one of its own (`name=`)"
        )
        raise OptionError(msg)
    _IMPORTED[name] = model
    return name


def _files() -> set[str]:
    return {module.name for module in iter_modules(__path__)}


@cache
def _installed() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=_GROUP)}


def _loaded(name: str) -> Model[Any] | Heuristic[Any]:
    """Return a model; a module that nobody asked for is not imported."""
    if name in _IMPORTED:
        return _IMPORTED[name]
    if name in _files():
        model: Model[Any] | Heuristic[Any] = import_module(f"{__name__}.{name}").MODEL
        return model
    if name not in _installed():
        msg = f"{not_among('model', name, names())}, or package.module of your own"
        raise OptionError(msg)
    made = _installed()[name].load()
    if not isinstance(made, Model):
        msg = f"the entry point {name} is {made!r}; let it name a consilience Model"
        raise OptionError(msg)
    return made


def load(
    name: str, prior: Mapping[str, float] | None = None
) -> Model[Any] | Heuristic[Any]:
    """Return a model, or a heuristic, by its name.

    Parameters
    ----------
    name : str
        One of `names()`, or what `find` has returned.
    prior : mapping of str to float, optional
        Settings of its prior to change, by name.

    Returns
    -------
    Model or Heuristic
        The model.

    Raises
    ------
    OptionError
        If there is no such model, the prior has no such setting, or its value is
        neither the default nor a positive number (or zero, where that removes a part of
        the model).

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
    model = _loaded(name)
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


def fittable(name: str, prior: Mapping[str, float] | None = None) -> Model[Any]:
    """Return a model that engines fit, by its name."""
    model = load(name, prior)
    if isinstance(model, Heuristic):
        msg = (
            f"{name} is a heuristic: no engine fits it; take another model "
            "(`consilience models`)"
        )
        raise OptionError(msg)
    return model


@cache
def _with_prior[M: (Model[Any], Heuristic[Any])](
    model: M, settings: tuple[tuple[str, float], ...]
) -> M:
    # One record for one prior, so that fits share what is compiled.
    return replace(model, prior=replace(model.prior, **dict(settings)))
