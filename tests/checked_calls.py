"""A type checker for jaxtyping's import hook that also notes whose calls it checked.

As a plugin of pytest it writes the names of these modules, when the tests have run, to
the file that `CHECKED_CALLS` names.
"""

import os
from functools import wraps
from pathlib import Path

from beartype import beartype

CHECKED: set[str] = set()


def typechecked(function):
    checked = beartype(function)
    if isinstance(function, type):
        return checked
    module = function.__module__

    @wraps(checked)
    def noted(*args, **kwargs):
        CHECKED.add(module)
        return checked(*args, **kwargs)

    return noted


def pytest_sessionfinish():
    Path(os.environ["CHECKED_CALLS"]).write_text("\n".join(sorted(CHECKED)))
