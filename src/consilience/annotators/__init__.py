"""Annotator models, one per file; the file's name is the model's name.

A model from outside is one more module with a `MODEL`: an installed package names it as
an entry point in the group `consilience.models`, and `consilience.fit` takes the model
itself, or the name of its module. Such a model travels with its name, so that nothing
in the process has to remember it.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass, replace
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from numbers import Real
from pkgutil import iter_modules
from typing import Any

from consilience.errors import OptionError, not_among
from consilience.model import NOTHING, Heuristic, Model

__all__ = ["find", "fittable", "load", "names"]

_GROUP = "consilience.models"


class OwnName(str):
    """The name of a model of one's own, which has the model with it."""

    __slots__ = ("model",)
    model: Model[Any]


def names() -> tuple[str, ...]:
    """Return the names of all models, in alphabetical order.

    They are those of the library, and those that installed packages name as entry
    points in the group `consilience.models`.

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
    return tuple(sorted({*_files(), *_installed()}))


def find(model: str | Model[Any]) -> str:
    """Return the name of a model; that of one's own has the model with it.

    Parameters
    ----------
    model : str or Model
        One of `names()`; the name of a module that has a `MODEL`, such as
        `package.module`, or `module:NAME` for another name than that; or a model.

    Returns
    -------
    str
        Name that `load` accepts.

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
    if isinstance(model, OwnName):
        return model
    if isinstance(model, Model):
        home = model.source.__module__.removeprefix(f"{__name__}.")
        if home in _files():  # the library's, perhaps under another prior
            return home if _loaded(home) is model else _carrying(home, model)
        return _named(model.name or home, model)
    if not isinstance(model, str):
        raise OptionError(f"model is {model!r}; give the name of a model, or a model")
    if model in names():
        return model
    module, _, attribute = model.partition(":")
    if not all(part.isidentifier() for part in (*module.split("."), attribute or "x")):
        raise OptionError(
            f"the model {model!r} is no name of a module; give package.module, "
            "which can be imported, not the path of a file"
        )
    if "." not in model and not attribute and find_spec(model) is None:
        raise OptionError(_no_model(model))
    return _named(*_imported(model, module, attribute or "MODEL"))


def _imported(model: str, module: str, attribute: str) -> tuple[str, Model[Any]]:
    try:
        loaded = getattr(import_module(module), attribute, None)
    except ImportError as error:
        raise OptionError(
            f"the model {model} is no module that can be imported: {error}"
        ) from error
    if not isinstance(loaded, Model):
        raise OptionError(
            f"the module {module} has no {attribute}, a consilience.model.Model; add it"
        )
    return loaded.name or model, loaded


def _named(name: str, model: Model[Any]) -> OwnName:
    if name == "auto" or name in names():
        raise OptionError(
            f"{name} is the name of another model; give yours one of its own (`name=`)"
        )
    return _carrying(name, model)


def _carrying(name: str, model: Model[Any]) -> OwnName:
    if not is_dataclass(model.prior) or isinstance(model.prior, type):
        raise OptionError(
            f"the prior of {name} is {model.prior!r}; give a frozen dataclass"
        )
    carrier = OwnName(name)
    carrier.model = model
    return carrier


def _no_model(name: str) -> str:
    return f"{not_among('model', name, names())}, or package.module of your own"


def _files() -> set[str]:
    return {module.name for module in iter_modules(__path__)}


@cache
def _installed() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=_GROUP)}


def _loaded(name: str) -> Model[Any] | Heuristic[Any]:
    """Return a model; a module that nobody asked for is not imported."""
    if isinstance(name, OwnName):
        return name.model
    if name in _files():
        return import_module(f"{__name__}.{name}").MODEL
    if name not in _installed():
        raise OptionError(_no_model(name))
    made = _installed()[name].load()
    if not isinstance(made, Model):
        raise OptionError(
            f"the entry point {name} is {made!r}; let it name a consilience Model"
        )
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
        the model), or not whole where it counts something.

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
        raise OptionError(f"prior is {prior!r}; give a dictionary of settings by name")
    settings = asdict(model.prior)
    may_be_nothing = {
        each.name for each in fields(model.prior) if NOTHING in each.metadata
    }
    for setting, value in prior.items():
        if setting not in settings:
            raise OptionError(not_among(f"prior setting of {name}", setting, settings))
        if not isinstance(value, Real) or isinstance(value, bool):
            raise OptionError(
                f"prior setting {setting} is {value!r}; give a positive number"
            )
        if isinstance(settings[setting], int) and value % 1:
            raise OptionError(
                f"prior setting {setting} is {value}; give a whole number"
            )
        nothing = value == 0 and setting in may_be_nothing
        accepted = nothing or value == settings[setting]
        if not (accepted or (math.isfinite(value) and value > 0)):
            raise OptionError(
                f"prior setting {setting} is {value}; give a positive number"
            )
    changed = {
        name: type(settings[name])(each)
        for name, each in prior.items()
        if each != settings[name]
    }
    return _with_prior(model, tuple(sorted(changed.items()))) if changed else model


def fittable(name: str, prior: Mapping[str, float] | None = None) -> Model[Any]:
    """Return a model that engines fit, by its name."""
    model = load(name, prior)
    if isinstance(model, Heuristic):
        raise OptionError(
            f"{name} is a heuristic: no engine fits it; take another model "
            "(`consilience models`)"
        )
    return model


@cache
def _with_prior[M: (Model[Any], Heuristic[Any])](
    model: M, settings: tuple[tuple[str, float], ...]
) -> M:
    # One record for one prior, so that fits share what is compiled.
    return replace(model, prior=replace(model.prior, **dict(settings)))
