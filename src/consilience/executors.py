"""Shards are worked on by threads of this process.

A function is called on each part, which is laid out once and kept while there is room.
What it returns is given back in the order of the parts, or added up: by eights, these
by eights again, and so on. So sums are the same to the last digit, however many threads
there are.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from threading import Lock
from typing import Any, NamedTuple

from threadpoolctl import threadpool_limits

FAN = 8  # sums that are added up at once


class _Blas:
    """Who works with products on one thread at present, and how to end that."""

    lock, users, limits = Lock(), 0, ExitStack()


@contextmanager
def products_on_one_thread() -> Iterator[None]:
    """Keep BLAS on one thread while anybody works with many small products.

    Its threads wait busily for each other: with two on two processors, draws of 1,000
    answers took 11 seconds instead of 2.
    """
    with _Blas.lock:
        _Blas.users += 1
        if _Blas.users == 1:
            _Blas.limits.enter_context(threadpool_limits(1, "blas"))
    try:
        yield
    finally:
        with _Blas.lock:
            _Blas.users -= 1
            if not _Blas.users:
                _Blas.limits.close()


class Sum(NamedTuple):
    """A number and arrays that are added up over parts."""

    value: float
    arrays: dict[str, Any]


def add(sums: Iterable[Sum]) -> Sum:
    """Add up in the order given; what was given stays as it is."""
    left = iter(sums)
    first = next(left)
    value, arrays = first.value, {name: +each for name, each in first.arrays.items()}
    for other in left:
        value += other.value
        for name, each in other.arrays.items():
            arrays[name] += each
    return Sum(value, arrays)


class Room:
    """Keeps parts while they have no more answers than so many together."""

    def __init__(self, most: int, answers: Callable[[Any], int]) -> None:
        self._left, self._answers = most, answers

    def __call__(self, part: Any) -> bool:
        """Return whether a part is kept, which then takes its room."""
        size = self._answers(part)
        if size > self._left:
            return False
        self._left -= size
        return True


class Threads:
    """Threads of this process, with as many parts as `keep` allows in memory."""

    def __init__(
        self,
        lay_out: Callable[[int], Any],
        number: int,
        *,
        keep: Callable[[Any], bool] = lambda _: False,
    ) -> None:
        self._lay_out, self._number, self._keep = lay_out, number, keep
        self._parts: dict[int, Any] = {}
        self._pool: ThreadPoolExecutor | None = None

    def part(self, place: int) -> Any:
        """Return a part."""
        if place in self._parts:
            return self._parts[place]
        part = self._lay_out(place)
        if self._keep(part):
            self._parts[place] = part
        return part

    def each(self, work: Callable[[Any, int], Any]) -> Iterator[Any]:
        """Give what the calls return, in the order of the parts."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            self._pool = pool
            yield from pool.map(
                lambda place: work(self.part(place), place), range(self._number)
            )

    def added(self, work: Callable[[Any, int], Sum]) -> Sum:
        """Return the sum of what the calls return."""
        sums, number = self.each(work), self._number
        while number > 1:
            sums, number = _by_eights(sums), -(-number // FAN)
        return next(sums)

    def close(self) -> None:
        """Forget the parts, and wait for the calls that have begun, with no other."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        self._parts.clear()


def _by_eights(sums: Iterator[Sum]) -> Iterator[Sum]:
    """Add up neighbours as they come, so that few are in memory."""
    for first in sums:
        yield add(chain([first], islice(sums, FAN - 1)))
