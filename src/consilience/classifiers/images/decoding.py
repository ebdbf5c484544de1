"""The bytes of an image file as eight-bit RGB, or the reason why not.

Whatever a file claims to be, what it is is seen from its bytes. The first frame counts;
a photograph is turned as its EXIF orientation says; transparency is laid over white;
sixteen bits are scaled to eight, not cut off.
"""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

# What browsers and cameras write. Pillow knows more, some of which start other programs
# (EPS) or lead to other files.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
MAX_PIXELS = 100_000_000  # 300 MB as RGB; beyond it a small file may be a trap
MIN_SIDE = 2
_ORIENTATION = 0x0112  # of EXIF
_SIXTEEN_BITS = 65535
_DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N")
_SEE_THROUGH = ("RGBA", "LA", "PA", "RGBa", "La")
_DAMAGED = (OSError, ValueError, SyntaxError, EOFError, IndexError, OverflowError)


class UnusableImageError(Exception):
    """An image that cannot be used, and why; recorded, never fatal."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded image."""

    rgb: "Image"
    note: str


def decode(data: bytes, *, side: int | None = None) -> Picture:
    """Decode the bytes of an image file."""
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 (an extra)

    if not data:
        msg = "the file is empty"
        raise UnusableImageError(msg)
    Image.init()  # loads the formats; after the first time it does nothing
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
            return _as_rgb(opened, side)
    except UnidentifiedImageError:
        msg = f"not an image of a known format ({', '.join(FORMATS)})"
        raise UnusableImageError(msg) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        msg = f"over {MAX_PIXELS:,} pixels"
        raise UnusableImageError(msg) from None
    except _DAMAGED as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        msg = f"damaged: {why}"
        raise UnusableImageError(msg) from None


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Pillow's warnings about odd files to itself: what is wrong is recorded.

    Filters belong to the whole process, so one thread enters it for all.
    """
    from PIL import Image  # noqa: PLC0415 (an extra)

    Image.init()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


def _as_rgb(image: "Image", side: int | None) -> Picture:
    from PIL import Image, ImageOps  # noqa: PLC0415

    width, height = image.size
    if width * height > MAX_PIXELS:
        msg = f"{width:,} x {height:,} pixels, over {MAX_PIXELS:,}"
        raise UnusableImageError(msg)
    if min(width, height) < MIN_SIDE:
        msg = f"only {width} x {height} pixels"
        raise UnusableImageError(msg)
    if side is not None:
        image.draft(None, (side, side))
    notes = []
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        image.seek(0)
        notes.append(f"the first of {frames} frames")
    image.load()
    if image.mode in _DEEP or image.mode == "F":
        notes.append(f"{image.mode} scaled to eight bits")
        image = Image.fromarray(_eight_bits(np.asarray(image), image.mode == "F"))
    elif image.getexif().get(_ORIENTATION, 1) != 1:
        notes.append("turned as EXIF says")
        image = ImageOps.exif_transpose(image)
    if image.mode in _SEE_THROUGH or "transparency" in image.info:
        notes.append("laid over white")
        layered = image.convert("RGBA")
        white = Image.new("RGBA", layered.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, layered)
    if image.mode == "CMYK":
        notes.append("CMYK converted without a colour profile")
    return Picture(image.convert("RGB"), "; ".join(notes))


def _eight_bits(pixels: np.ndarray, by_range: bool) -> np.ndarray:  # noqa: FBT001
    """Scale deep pixels to 0..255: sixteen bits by 257, others by their own range."""
    values = pixels.astype(np.float64)
    if not np.isfinite(values).all():
        msg = "pixels that are not finite"
        raise UnusableImageError(msg)
    low, high = min(float(values.min()), 0.0), float(values.max())
    if not by_range and low == 0 and high <= _SIXTEEN_BITS:
        high = _SIXTEEN_BITS
    scaled = (values - low) / max(high - low, 1e-9) * 255
    return np.rint(scaled).astype(np.uint8)
