"""`--verbose`: what the program logs, on standard error."""

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from consilience.visible import visible

_FLAGS = ("--verbose", "-v")


@contextmanager
def log_steps(words: Sequence[str]) -> Iterator[list[str]]:
    """Log to standard error if words ask for it; give the words without the flag.

    Parameters
    ----------
    words
        What stands after the program's name; the flag may stand anywhere before ``--``.
    """
    end = words.index("--") if "--" in words else len(words)
    rest = [word for word in words[:end] if word not in _FLAGS] + [*words[end:]]
    if len(rest) == len(words):
        yield rest
        return
    log, handler = logging.getLogger("consilience"), logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Visible("%(asctime)s %(name)s: %(message)s", "%H:%M:%S"))
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    try:
        yield rest
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


class _Visible(logging.Formatter):
    """Show characters that steer a terminal instead of sending them."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))
