"""A picture as the square of pixels that a network takes.

One resampling by Pillow, straight from the decoded picture: cropping is a box given to
it, not a second step. Pillow's filters look at as many pixels as the scale asks for;
those of other libraries do not, and change the answers as much as int8 weights would.

**Images decoded and resampled ahead of the networks, in threads, in their order.**
Pillow does its work without Python's lock. A bounded number of images is in memory, and
each is decoded once for all classifiers.
"""

import os
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from consilience.classifiers.images.decoding import UnusableImageError, decode
from consilience.classifiers.images.sources import Image as Source
from consilience.classifiers.running.manifest import Preprocessing
from consilience.errors import OptionError

if TYPE_CHECKING:
    from PIL.Image import Image


AHEAD = 4  # batches that may wait in memory
PIECE = 256  # images in a piece: what a kill can cost
BATCH = {False: 16, True: 128}  # by whether on a GPU; on a CPU more only takes memory


def prepare(picture: "Image", how: Preprocessing) -> UInt8[np.ndarray, "S S 3"]:
    """Return the square of a picture."""
    from PIL.Image import Resampling  # noqa: PLC0415 (an extra)

    square = (how.size, how.size)
    chosen = Resampling[how.filter.upper()]
    width, height = picture.size
    shorter = min(width, height)
    whole = (shorter, shorter) if how.mode == "crop" else (width, height)
    share = how.size / (how.resize or how.size)
    across, down = share * whole[0], share * whole[1]
    left, top = (width - across) / 2, (height - down) / 2
    box = (left, top, left + across, top + down)
    return np.asarray(picture.resize(square, chosen, box=box))


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image as the networks take it, or the reason why it cannot be used."""

    item: str
    squares: tuple[np.ndarray, ...] = ()
    width: int | None = None
    height: int | None = None
    note: str = ""
    reason: str = ""


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


def read_ahead(
    images: Iterable[Source], how: Sequence[Preprocessing], workers: Workers
) -> Generator[Prepared]:
    """Read ahead in threads, and give the images in their order."""
    ahead: deque[Future[Prepared]] = deque()
    pool = ThreadPoolExecutor(workers.readers, "reader")
    try:
        for image in images:
            ahead.append(pool.submit(prepare_image, image, how))
            if len(ahead) >= AHEAD * workers.batch:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def prepare_image(image: Source, how: Sequence[Preprocessing]) -> Prepared:
    """Return an image as the networks take it, or why it cannot be used."""
    try:
        picture = decode(image.load())
    except OSError as error:
        return Prepared(image.item, reason=f"cannot be read: {error.strerror}")
    except UnusableImageError as error:
        return Prepared(image.item, reason=str(error))
    except MemoryError:
        return Prepared(image.item, reason="too large for the available memory")
    width, height = picture.rgb.size
    made = {each: prepare(picture.rgb, each) for each in dict.fromkeys(how)}
    squares = tuple(made[each] for each in how)
    return Prepared(image.item, squares, width, height, picture.note)


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


AS_THE_MACHINE_HAS = Pace()
