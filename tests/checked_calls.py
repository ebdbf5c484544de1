"""Types and shapes are checked at the first calls of a function, and then now and then.

A fit calls some functions ten thousand times, and makes some functions anew each time
that it is called: checking them all would double the time of the suite.
"""

from collections import Counter
from functools import partial, wraps
from types import FunctionType

import jaxtyping
from beartype import BeartypeConf, beartype
from jaxtyping import _decorator, install_import_hook

FIRST, THEN = 20, 50  # calls: all of the first, then one of so many
_CALLS: Counter[int] = Counter()  # by the identity of code, whose hash takes long
_checked_always = _decorator.jaxtyped


def check_calls(package: str) -> None:
    """Check the calls of a package's functions from now on."""
    jaxtyping.jaxtyped = _decorator.jaxtyped = _checked
    install_import_hook(package, f"{__name__}.typechecked")


typechecked = beartype(conf=BeartypeConf(is_pep484_tower=True))  # int is a float


def _checked(function=None, *, typechecker):
    if function is None:
        return partial(_checked, typechecker=typechecker)
    if not isinstance(function, FunctionType):  # a class, a property
        return _checked_always(function, typechecker=typechecker)
    code, checked = id(function.__code__), None

    @wraps(function)
    def called(*args, **kwargs):
        nonlocal checked
        __tracebackhide__ = True
        number = _CALLS[code] = _CALLS[code] + 1
        if number > FIRST and number % THEN:
            return function(*args, **kwargs)
        if checked is None:
            checked = _checked_always(function, typechecker=typechecker)
        return checked(*args, **kwargs)

    return called
