"""Signals that end the program, handled also where Python drops what they raise.

Ctrl-C, the TERM that `kill` and schedulers send, and the HUP of a terminal that closes
all clear up in the same way. Python drops an exception that is raised in a finaliser or
in a callback of C; such a signal is raised again.
"""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

AGAIN = 1.0  # seconds after which an unhandled interrupt is raised again
SOON = 0.01  # the same, where Python has just said that it drops one

_ENDING = ("SIGINT", "SIGTERM", "SIGHUP")  # as far as the system has them


class Interrupted(KeyboardInterrupt):
    """A signal ends the program."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = number


@contextmanager
def handle_interrupts() -> Iterator[None]:
    """Raise an interrupt until it is on its way out, however often it is dropped.

    A signal that another handler is in place for, or that is ignored, is left alone.
    """
    usual = (signal.SIG_DFL, signal.default_int_handler)
    signals = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
    ours = [number for number in signals if signal.getsignal(number) in usual]
    if threading.current_thread() is not threading.main_thread() or not ours:
        yield
        return
    timed = hasattr(signal, "setitimer")
    received: list[int] = []

    def interrupt(number: int, _: object) -> None:
        if number in ours:
            received.append(number)
        if timed:
            signal.setitimer(signal.ITIMER_REAL, AGAIN)
        # While one is on its way, what it leaves is being cleared up: let it.
        if received and not isinstance(sys.exc_info()[1], KeyboardInterrupt):
            raise Interrupted(received[0])

    report = sys.unraisablehook

    def report_dropped(what: "sys.UnraisableHookArgs") -> None:
        if timed and issubclass(what.exc_type, KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, SOON)
        else:
            report(what)

    alarm = (signal.SIGALRM,) if timed else ()
    before = {number: signal.signal(number, interrupt) for number in (*alarm, *ours)}
    sys.unraisablehook = report_dropped
    try:
        yield
    finally:
        if timed:
            signal.setitimer(signal.ITIMER_REAL, 0)
        sys.unraisablehook = report
        for number, handler in before.items():
            signal.signal(number, handler)
