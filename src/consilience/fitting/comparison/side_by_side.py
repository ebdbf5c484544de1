"""Fits of several models at once, in threads: NumPy computes without Python's lock."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from consilience.progress import Progress, Reporter


class StoppedError(Exception):
    """Another piece of the work has failed, or was interrupted."""


def side_by_side[Found](
    work: Sequence[Callable[[Reporter], Found]],
    report: Reporter,
    *,
    threads: int | None = None,
) -> list[Found]:
    """Do pieces of work in threads, as many at once as there are processors.

    Where one fails, or the user interrupts, the others end at their next report.
    """
    stopped = Event()

    def heeded(progress: Progress) -> None:
        if stopped.is_set():
            raise StoppedError
        report(progress)

    threads = min(len(work), threads or os.cpu_count() or 1)
    with ThreadPoolExecutor(threads, thread_name_prefix="fit") as pool:
        futures = [pool.submit(each, heeded) for each in work]
        try:
            return [future.result() for future in futures]
        except BaseException:
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
