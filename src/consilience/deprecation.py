"""Names that have changed: the old ones work for one release, with a warning."""

import warnings
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any


def warn_renamed(old: str, new: str) -> None:
    """Warn that a name is deprecated.

    Parameters
    ----------
    old, new
        The deprecated name, and the one to use instead.
    """
    msg = f"`{old}` is deprecated and will be removed in 0.3; use `{new}` instead"
    warnings.warn(msg, FutureWarning, stacklevel=3)


def module_getattr(
    module: str, load: Callable[[str], Any], renamed: Mapping[str, str]
) -> Callable[[str], Any]:
    """Return a module's `__getattr__` that also answers to deprecated names.

    Parameters
    ----------
    module
        Name of the module.
    load
        Loads an attribute of the module by its name.
    renamed
        The new name for each deprecated one.
    """

    def get(name: str) -> Any:
        if name in renamed:
            new = renamed[name]
            warn_renamed(f"{module}.{name}", f"{module}.{new}")
            return load(new)
        return load(name)

    return get


def renamed_arguments[**P, R](
    **renamed: str,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator that accepts deprecated names of keyword arguments.

    Parameters
    ----------
    renamed
        The new name for each deprecated one.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            for old, new in renamed.items():
                if old in kwargs:
                    warn_renamed(f"{old}=", f"{new}=")
                    kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return call

    return decorate


def renamed_fields[C: type](**renamed: str) -> Callable[[C], C]:
    """Return a decorator of a dataclass that keeps deprecated names of its fields.

    They are accepted by the constructor, and are attributes of the instances.

    Parameters
    ----------
    renamed
        The new name for each deprecated one.
    """

    def decorate(record: C) -> C:
        construct = renamed_arguments(**renamed)(vars(record)["__init__"])
        type.__setattr__(record, "__init__", construct)
        for old, new in renamed.items():
            type.__setattr__(record, old, _renamed_attribute(old, new))
        return record

    return decorate


def _renamed_attribute(old: str, new: str) -> property:
    def get(record: Any) -> Any:
        warn_renamed(old, new)
        return getattr(record, new)

    return property(get, doc=f"Deprecated name of `{new}`.")
