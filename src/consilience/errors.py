"""All errors that a user can meet, one class per remedy.

Each message says where, what was found, what was expected and what to do. The
command line prints the message of a `ConsilienceError` as one sentence and leaves with
exit code 2; any other exception is a defect of the program.

Messages name an argument as Python has it, in backticks: `kind="objects"`, or `labels=`
without a value. The command line shows the option instead (`as_options`). What stands
in quotes is data, and stays as it is.
"""

import json
import re
import shlex
from collections.abc import Collection, Iterable
from difflib import get_close_matches

from consilience.visible import visible

# Characters of a message that are shown; the remedy is last.
_MAX_LENGTH, _TAIL_LENGTH = 2_000, 500
_ARGUMENT = re.compile(r"""(?<!['"])`([a-z][a-z_]*)=([^`\n]*)`(?!['"])""")


def as_options(message: str) -> str:
    """Return a message of this program with options in place of arguments."""
    return _ARGUMENT.sub(_option, message)


def _option(match: re.Match[str]) -> str:
    name, value = match[1].replace("_", "-"), match[2]
    if value.startswith('["'):
        return f"--{name} {' '.join(map(shlex.quote, json.loads(value)))}"
    if value[:1] in {"'", '"'}:
        value = shlex.quote(value[1:-1])
    switch = {"True": f"--{name}", "False": f"--no-{name}"}
    return switch.get(value, f"--{name} {value}".rstrip())


class UnfamiliarAnnotatorsWarning(UserWarning):
    """None of the annotators of a prediction is in the earlier fit."""


class ConsilienceError(Exception):
    """Base class of all errors that a user can fix."""

    def __str__(self) -> str:
        """Return the message, shortened, with control characters made visible."""
        # Of a KeyError, which some of them are as well, str is the quoted message.
        message = visible(Exception.__str__(self))
        if len(message) <= _MAX_LENGTH:
            return message
        return f"{message[: _MAX_LENGTH - _TAIL_LENGTH]} … {message[-_TAIL_LENGTH:]}"


class ConsilienceWarning(UserWarning):
    """Data that were read unchanged look wrong: check them."""


class SourceError(ConsilienceError):
    """A file or folder is not what it should be: check its path, format or content."""


class DataError(ConsilienceError):
    """A value is invalid, or does not match the other data: fix it."""


class ColumnError(DataError, KeyError):
    """A column is missing, or two have one name: name or rename it."""


class KindError(ConsilienceError):
    """The responses are not of one kind, or not of the kind asked for."""


class OptionError(ConsilienceError, ValueError):
    """An option has an invalid value, or does not exist: change it."""


class FitError(ConsilienceError):
    """A model cannot be fitted: it is too large, or its numbers are not finite."""


class FolderExistsError(ConsilienceError):
    """The destination already exists: choose another name or overwrite it."""


class CannotWriteError(ConsilienceError):
    """The destination cannot be written (full disk, read-only): choose another."""


class UnavailableError(ConsilienceError):
    """A package or a device is not available: install it, or do without."""


# What the messages have in common.


def not_among(what: str, name: object, names: Iterable[str]) -> str:
    """Return the message that a name does not exist, with the closest existing one."""
    there = list(names)
    near = get_close_matches(str(name), there, n=1)
    guess = f" (did you mean {near[0]!r}?)" if near else ""
    listed = ", ".join(there) or "none"
    return f"there is no {what} {name!r}{guess}; choose one of {listed}"


def not_a(what: str, given: object, expected: str) -> str:
    """Return the sentence that something given is of another type than expected."""
    return f"{what} is of type {type(given).__name__}; give {expected}"


def check_columns(
    what: str, columns: Collection[object], needed: Iterable[str]
) -> None:
    """Refuse a table that lacks a column; `what` is, say, "candidates have"."""
    for name in needed:
        if name not in columns:
            given = ", ".join(map(str, columns))
            raise DataError(f"{what} columns {given}; a column {name!r} is needed")
