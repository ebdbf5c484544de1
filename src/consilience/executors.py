"""Where shards are worked on: by threads of this process, or by workers of Dask.

A function is called on each part, which is laid out once and kept. What it returns is
given back in the order of the parts, or added up: by eights, these by eights again, and
so on. So sums are the same to the last digit, whoever added them.

Workers compute by themselves what was lost with one of them: parts, and the values that
all calls share, which are sent as tasks for that reason.
"""

import logging
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from itertools import chain, islice
from operator import call
from pathlib import Path
from platform import python_version
from threading import Lock
from typing import Any, NamedTuple

from threadpoolctl import threadpool_limits

from consilience.errors import ClusterError, OptionError, UnavailableError

FAN = 8  # sums that are added up at once
CONNECT = 20.0  # seconds to find a scheduler, or one worker at least
# Workers keep the memory that a sweep frees for the next: asking for it each time took
# a fifth longer (.39 s instead of .33 for ten million answers).
_MEMORY = {
    f"distributed.nanny.pre-spawn-environ.{name}": 1 << 30
    for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_")
}
_LOST = (
    "the scheduler of Dask is lost; start it again and repeat the call, which goes on "
    "from the last saved state"
)
PACKAGES = ("consilience", "distributed", "numpy", "pandas", "pyarrow", "scipy")


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

    def each(
        self, work: Callable[..., Any], *given: Any, one_by_one: bool = False
    ) -> Iterator[Any]:
        """Give what the calls return, in the order of the parts.

        Calls that take much memory are made one by one.
        """
        with ThreadPoolExecutor(1 if one_by_one else os.cpu_count()) as pool:
            self._pool = pool
            yield from pool.map(
                lambda place: work(self.part(place), place, *given), range(self._number)
            )

    def added(self, work: Callable[..., Sum], *given: Any) -> Sum:
        """Return the sum of what the calls return."""
        sums, number = self.each(work, *given), self._number
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


class Workers:
    """Workers of Dask, which hold the parts."""

    def __init__(self, client: Any, lay_out: Callable[[int], Any], number: int) -> None:
        self._client = client
        shared = self._shared(lay_out)
        there = addresses_of(client)
        self._parts = [  # each has as many, neighbours together: their sums are added
            self._submit(
                call,
                shared,
                place,
                workers=there[place * len(there) // number],
                allow_other_workers=True,
            )
            for place in range(number)
        ]

    def each(
        self, work: Callable[..., Any], *given: Any, one_by_one: bool = False
    ) -> Iterator[Any]:
        """Give what the calls return, in the order of the parts."""
        del one_by_one  # a worker has as many threads as its memory allows
        for future in self._called(work, given):
            with _explained():
                result = future.result()
            yield result

    def added(self, work: Callable[..., Sum], *given: Any) -> Sum:
        """Return the sum of what the calls return."""
        level = self._called(work, given)
        while len(level) > 1:
            groups = [level[at : at + FAN] for at in range(0, len(level), FAN)]
            level = self._mapped(add, groups)
        with _explained():
            total: Sum = level[0].result()
        return total

    def close(self) -> None:
        """Let go of the parts; what is not begun with them is not done any more."""
        for part in self._parts:
            part.release()
        self._parts.clear()

    def _called(self, work: Callable[..., Any], given: Sequence[Any]) -> list[Any]:
        shared = [self._shared(value) for value in given]
        places = range(len(self._parts))
        return self._mapped(_call, self._parts, places, work=work, given=shared)

    def _shared(self, value: Any) -> Any:
        """Return a future of a value; what is small travels with each task."""
        if isinstance(value, (bool, int, float, str, Path)):
            return value
        return self._submit(_same, value)

    def _submit(self, work: Callable[..., Any], *given: Any, **where: Any) -> Any:
        with _explained():
            return self._client.submit(work, *given, pure=False, **where)

    def _mapped(
        self, function: Callable[..., Any], *given: Any, **same: Any
    ) -> list[Any]:
        with _explained():
            return self._client.map(function, *given, pure=False, **same)


def executor(
    client: Any,
    lay_out: Callable[[int], Any],
    number: int,
    *,
    keep: Callable[[Any], bool] = lambda _: False,
) -> Threads | Workers:
    """Return the workers of a client, or threads where there is none."""
    if client is None:
        return Threads(lay_out, number, keep=keep)
    return Workers(client, lay_out, number)


def _call(part: Any, place: int, *, work: Callable[..., Any], given: Any) -> Any:
    return work(part, place, *given)


def _same(value: Any) -> Any:
    return value


@contextmanager
def _explained() -> Iterator[None]:
    """Raise what befell a cluster as one sentence."""
    import dask
    from distributed import CancelledError, KilledWorker
    from distributed.client import ClosedClientError
    from distributed.comm.core import CommClosedError

    # Parameters of many annotators are meant to be sent with a task.
    large = "distributed.admin.large-graph-warning-threshold"
    try:
        with dask.config.set({large: "1TB"}):
            yield
    except KilledWorker as error:
        raise ClusterError(
            f"several workers of Dask died over one task ({error.task}), as they do "
            "when memory does not suffice; give workers more memory, or write smaller "
            "shards"
        ) from error
    except (CancelledError, ClosedClientError, CommClosedError) as error:
        raise ClusterError(_LOST) from error


def addresses_of(client: Any) -> list[str]:
    """Return where the workers are, in an order of their own."""
    try:
        return sorted(client.scheduler_info(n_workers=-1)["workers"])
    except (OSError, KeyError) as error:  # Dask gives an empty account of a lost one
        raise ClusterError(_LOST) from error


def _versions() -> dict[str, str]:
    """Return what must be the same wherever one fit is computed."""
    return {"python": python_version(), **{name: version(name) for name in PACKAGES}}


def _about(path: str) -> tuple[dict[str, str], bool]:
    """Return the versions of a worker, and whether it sees a file."""
    return _versions(), Path(path).is_file()


def check_workers(client: Any, file: Path) -> None:
    """Check that there are workers, of the same versions, that see a file."""
    with _explained():
        try:
            client.wait_for_workers(1, timeout=CONNECT)
        except TimeoutError as error:
            raise ClusterError(
                f"the scheduler {client.scheduler.address} has no workers; start some "
                "(dask worker ADDRESS)"
            ) from error
        answers = client.run(_about, str(file), on_error="return")
    here = _versions()
    for worker, answer in answers.items():
        if isinstance(answer, OSError):  # it is lost, and others do its work
            continue
        if isinstance(answer, Exception):
            raise ClusterError(
                f"worker {worker}: {type(answer).__name__}: {answer}; install "
                f"consilience {here['consilience']} on all workers"
            )
        there, sees = answer
        other = [
            f"{name} {there[name]} (here {ours})"
            for name, ours in here.items()
            if there[name] != ours
        ]
        if other:
            raise ClusterError(
                f"worker {worker} has {', '.join(other)}; install the same versions "
                "on all workers"
            )
        if not sees:
            raise ClusterError(
                f"worker {worker} does not find {file}; keep shards on a disk that all "
                "machines share, under the same path"
            )


@contextmanager
def client_of(on: str | None, workers: int | None) -> Iterator[Any]:
    """Connect to a scheduler, or start workers on this machine; or give None."""
    if on is None and workers is None:
        yield None
        return
    if on is not None and workers is not None:
        raise OptionError(
            "`on=` names a cluster that has workers, and `workers=` starts some on "
            "this machine; give one of them"
        )
    try:
        import dask
        from distributed import Client, LocalCluster

        start: Any = LocalCluster
        connect: Any = Client
    except ImportError as error:
        raise UnavailableError(
            "Dask is not installed; install consilience[dask]"
        ) from error
    # One sentence is enough, and it is ours.
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if on is None:
        if workers is not None and workers < 1:
            raise OptionError(f"workers is {workers}; give 1 or more")
        with ExitStack() as opened:
            with dask.config.set(_MEMORY), _interrupts_ignored():
                cluster = opened.enter_context(
                    start(
                        n_workers=workers,
                        threads_per_worker=1,
                        dashboard_address="127.0.0.1:0",
                        silence_logs="CRITICAL",
                    )
                )
            yield opened.enter_context(connect(cluster, direct_to_workers=True))
        return
    try:
        client = connect(on, timeout=CONNECT)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"{on}: no scheduler of Dask answers there ({error}); give the address "
            "that it printed when it started, such as tcp://host:8786"
        ) from error
    with client:
        yield client


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Let processes that are started ignore Ctrl-C, which this one answers for all."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
