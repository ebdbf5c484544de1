"""Ctrl-C, heeded also where Python drops it: in a finaliser, or a callback of C."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

AGAIN = 1.0  # seconds after which an interrupt that went nowhere is raised anew
SOON = 0.01  # the same, where Python has just said that it drops one


@contextmanager
def heeded() -> Iterator[None]:
    """Raise an interrupt until it is on its way out, however often it is dropped.

    Nothing is changed where the system has no timers, or another handler is in place.
    """
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    here = threading.current_thread() is threading.main_thread()
    if not (usual and here and hasattr(signal, "setitimer")):
        yield
        return

    def interrupt(*_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, AGAIN)
        # While one is on its way, what it leaves is being cleared up: let it.
        if not isinstance(sys.exc_info()[1], KeyboardInterrupt):
            raise KeyboardInterrupt

    report = sys.unraisablehook

    def dropped(what: "sys.UnraisableHookArgs") -> None:
        if issubclass(what.exc_type, KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, SOON)
        else:
            report(what)

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.signal(signal.SIGINT, interrupt)
    sys.unraisablehook = dropped
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.unraisablehook = report
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGALRM, before)
