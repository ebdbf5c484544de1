"""Distribution of the work of classification over the machine."""

import os
from dataclasses import dataclass

from consilience.errors import OptionError

PIECE = 256  # images in a piece: what a kill can cost
BATCH = {False: 16, True: 128}  # by whether on a GPU; on a CPU more only takes memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How the work is spread; what is left out goes by the machine.

    Attributes
    ----------
    batch
        Images that a session takes at once.
    readers
        Threads that read and decode.
    threads
        Threads of arithmetic on the CPU.
    """

    batch: int | None = None
    readers: int | None = None
    threads: int | None = None


AS_THE_MACHINE_HAS = Pace()


@dataclass(frozen=True, slots=True)
class Workers:
    """How the work is spread, settled."""

    batch: int
    readers: int
    threads: int
    fixed: bool

    @property
    def piece(self) -> int:
        """Images in a piece: whole batches."""
        return -(-PIECE // self.batch) * self.batch


def check(keep: int, pace: Pace) -> None:
    """Refuse numbers below one."""
    numbers = {"keep": keep, "batch": pace.batch, "readers": pace.readers}
    numbers["threads"] = pace.threads
    for name, number in numbers.items():
        if number is not None and number < 1:
            msg = f"{name}={number}: expected a whole number from 1"
            raise OptionError(msg)


def share_processors(pace: Pace, *, gpu: bool) -> Workers:
    """Settle how the work is spread over the processors there are.

    A network of the sizes meant here takes three to ten times as long as decoding its
    image, so a quarter of the processors reads; with a GPU all do.
    """
    cores = os.process_cpu_count() if hasattr(os, "process_cpu_count") else None
    cores = cores or os.cpu_count() or 1
    reading = max(1, cores - 1) if gpu else max(1, cores // 4)
    return Workers(
        batch=pace.batch or BATCH[gpu],
        readers=pace.readers or reading,
        threads=pace.threads or max(1, cores - reading),
        fixed=gpu,
    )
