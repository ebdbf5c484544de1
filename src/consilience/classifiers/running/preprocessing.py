"""A picture as the square of pixels that a network takes.

One resampling by Pillow, straight from the decoded picture: cropping is a box given to
it, not a second step. Pillow's filters look at as many pixels as the scale asks for;
those of other libraries do not, and change the answers as much as int8 weights would.
"""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from consilience.classifiers.running.manifest import Preprocessing

if TYPE_CHECKING:
    from PIL.Image import Image


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
