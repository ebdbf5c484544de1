"""All errors that a user can meet, one class per remedy.

Each message says where, what was found, what was expected and what to do. The
command line prints the message of a `ConsilienceError` as one sentence and leaves with
exit code 2; any other exception is a defect of the program.

Messages name an argument as Python has it, in backticks: `kind="objects"`, or `labels=`
without a value. The command line shows the option instead (`as_options`). What stands
in quotes is data, and stays as it is.
"""

import re
import shlex
from collections.abc import Iterable
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


# Of the responses, when they are read or written.


class SourceNotFoundError(ConsilienceError):
    """A file or folder does not exist: check the path."""


class UnknownFormatError(ConsilienceError):
    """No reader, or more than one, recognizes the file: name the format."""


class UnreadableFileError(ConsilienceError):
    """A file is damaged (truncated, not UTF-8, not of the format): export it again."""


class NoResponsesError(ConsilienceError):
    """A file holds no answer: check that it is the right file."""


class MissingColumnError(ConsilienceError, KeyError):
    """A required column was not found: name it."""


class DuplicateColumnError(ConsilienceError):
    """Two columns have the same name: rename one."""


class BadCellError(ConsilienceError):
    """A cell has an invalid value: fix the row."""


class LabelNotOfferedError(ConsilienceError):
    """An answer names a label that was not on offer: fix the row or the offer."""


class UnknownAnswerError(ConsilienceError):
    """Answers are other words than yes, no and maybe: map them."""


class RepeatedAnswerError(ConsilienceError):
    """An annotator answered one question twice: choose a rule for repeats."""


class KindError(ConsilienceError):
    """The responses are not of one kind, or not of the kind asked for."""


class OptionError(ConsilienceError, ValueError):
    """An option has an invalid value: change it."""


class UnsafePickleError(ConsilienceError):
    """A pickle needs more than plain data: do not open it."""


class FolderExistsError(ConsilienceError):
    """The destination already exists: choose another name or overwrite it."""


# Truth, models and engines


class OneLabelError(ConsilienceError):
    """There is one label only: list the others that were on offer."""


class TooLargeError(ConsilienceError):
    """The fit would not fit in memory: merge labels or pool annotators."""


class GoldError(ConsilienceError):
    """Gold labels do not match the responses: fix them."""


class CandidatesError(ConsilienceError):
    """Candidate lists do not match the responses: fix them."""


class UnknownModelError(ConsilienceError):
    """No model has that name: choose one of those listed."""


class UnknownEngineError(ConsilienceError):
    """No engine has that name, or the model does not have it: choose another."""


class DivergedError(ConsilienceError):
    """A fit produced numbers that are not finite: choose another engine or prior."""


class PredictionsError(ConsilienceError):
    """Predictions of models are damaged or do not match: fix them."""


class CircularError(ConsilienceError):
    """What a fit is to be judged by was used in it: fit without it, or allow it."""


# Runs: saving, loading, exporting


class NotARunError(ConsilienceError):
    """A folder is not a run: give the folder that `fit` wrote."""


class BrokenRunError(ConsilienceError):
    """A run's file is truncated or damaged: fit again, or use an intact copy."""


class CannotWriteError(ConsilienceError):
    """The destination cannot be written (full disk, read-only): choose another."""


# Classifiers


class BadClassifierError(ConsilienceError):
    """A classifier's folder is not as its manifest says: copy or export it again."""


class DeviceError(ConsilienceError):
    """The requested GPU is not available: check the driver or use the CPU."""


class MissingExtraError(ConsilienceError):
    """An optional package is not installed: install it."""


class ImagesError(ConsilienceError):
    """The images cannot be listed: fix the list, or name its columns."""


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
