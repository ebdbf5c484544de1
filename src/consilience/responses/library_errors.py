"""Whatever a library raises while a source is read, as one error with the place.

Arrow, csv, msgspec, NumPy, pandas, pickle, zipfile and XML parsers each raise errors of
their own, and more than they document. All that is read by one of them is read inside
`readable`, so that a damaged source is an error with its name, and never a traceback.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from consilience.errors import ConsilienceError, UnreadableFileError

AGAIN = "copy or export it again"


@contextmanager
def readable(
    place: str, what: str = "cannot be read", remedy: str = AGAIN
) -> Iterator[None]:
    """Turn an exception of a library into an `UnreadableFileError`.

    Parameters
    ----------
    place
        File, and row where it is known.
    what
        What is wrong with it.
    remedy
        What to do.

    Raises
    ------
    UnreadableFileError
        If anything but an error of ours is raised inside.
    """
    try:
        yield
    except ConsilienceError:
        raise
    except Exception as error:
        msg = f"{place}: {what} ({_reason(error)}); {remedy}"
        raise UnreadableFileError(msg) from error


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
