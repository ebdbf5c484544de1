"""Whatever a library raises while a source is read, as one error with the place.

Arrow, csv, msgspec, NumPy, pandas, pickle, zipfile and XML parsers each raise errors of
their own, and more than they document. All that is read by one of them is read inside
`readable`, so that a damaged source is an error with its name, and never a traceback.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import walk_tb

from consilience import errors
from consilience.errors import ConsilienceError, SourceError

AGAIN = "copy or export it again"
_SOURCE = Path(errors.__file__).parent
_MISTAKES = (AssertionError, AttributeError, NameError, TypeError)


@contextmanager
def readable(
    place: str, what: str = "cannot be read", remedy: str = AGAIN
) -> Iterator[None]:
    """Turn an exception of a library into a `SourceError`."""
    try:
        yield
    except ConsilienceError:
        raise
    except Exception as error:
        raise unreadable(place, error, what, remedy) from error


def unreadable(
    place: str, error: Exception, what: str = "cannot be read", remedy: str = AGAIN
) -> SourceError:
    """Return the error that stands for one of a library."""
    return SourceError(f"{place}: {what} ({_reason(error)}); {remedy}")


def is_mistake(error: Exception) -> bool:
    """Say whether our own source, and no library that it calls, raised this."""
    if not isinstance(error, _MISTAKES):
        return False
    *_, (frame, _) = walk_tb(error.__traceback__)
    return Path(frame.f_code.co_filename).is_relative_to(_SOURCE)


def _reason(error: Exception) -> str:
    """First line of what a library says, in short; its class where it says nothing."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, MemoryError):
        return "it asks for more memory than there is"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    line = next(iter(str(error).splitlines()), "").strip()
    return line[:300] or type(error).__name__
