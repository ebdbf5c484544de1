"""A picture as the square of pixels that a network takes.

One resampling by Pillow, straight from the decoded picture: cropping is a box given to
it, not a second step. Pillow's filters look at as many pixels as the scale asks for;
those of other libraries do not, and change the answers as much as int8 weights would.

**Images decoded and resampled ahead of the networks, in threads, in their order.**
Pillow does its work without Python's lock. A bounded number of images is in memory, and
each is decoded once for all classifiers.
"""

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
from consilience.classifiers.running.pace import Workers

if TYPE_CHECKING:
    from PIL.Image import Image

AHEAD = 4  # batches that may wait in memory


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
