"""Images decoded and resampled ahead of the networks, in threads, in their order.

Pillow does its work without Python's lock. A bounded number of images is in memory, and
each is decoded once for all classifiers.
"""

from collections import deque
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from consilience.classifiers.images.decoding import UnusableImageError, decode
from consilience.classifiers.images.sources import Image
from consilience.classifiers.running.manifest import Preprocessing
from consilience.classifiers.running.pace import Workers
from consilience.classifiers.running.preprocessing import prepare

AHEAD = 4  # batches that may wait in memory


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image as the networks take it, or the reason why it cannot be used."""

    item: str
    squares: tuple[np.ndarray, ...] = ()
    width: int | None = None
    height: int | None = None
    note: str = ""
    reason: str = ""


def read_ahead(
    images: Iterable[Image], how: Sequence[Preprocessing], workers: Workers
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


def prepare_image(image: Image, how: Sequence[Preprocessing]) -> Prepared:
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
