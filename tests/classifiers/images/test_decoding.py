"""Every odd image is turned into eight-bit RGB, or refused with its reason."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from consilience.classifiers.images import UnusableImageError, decode

from ..conftest import as_bytes


def distance(one, other):
    """Mean difference of a pixel's colour."""
    both = [np.asarray(each.resize((64, 64)), float) for each in (one, other)]
    return np.abs(both[0] - both[1]).mean()


def png_header(width, height):
    """Return a PNG whose header promises more than its data holds."""

    def chunk(name, data):
        whole = name + data
        return (
            struct.pack(">I", len(data)) + whole + struct.pack(">I", zlib.crc32(whole))
        )

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 100)
    parts = ((b"IHDR", size), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def test_a_cut_off_photograph_is_refused_and_flipped_bits_do_no_more(cat):
    data = as_bytes(cat, "JPEG")
    with pytest.raises(UnusableImageError, match="damaged"):
        decode(data[: len(data) // 2])
    data = np.frombuffer(as_bytes(cat, "PNG"), np.uint8)
    generator = np.random.default_rng(0)
    refused = 0
    for _ in range(10):
        broken = data.copy()
        broken[generator.integers(len(data), size=20)] ^= 0x55
        try:
            decode(broken.tobytes())
        except UnusableImageError:
            refused += 1
    assert refused > 0


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"hello, not an image\n" * 20, "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
        (png_header(60_000, 60_000), "pixels"),
        (png_header(12_000, 12_000), "over 100,000,000"),
        (png_header(300, 300), "damaged"),
        (as_bytes(Image.new("RGB", (1, 1))), "only 1 x 1"),
        (as_bytes(Image.new("RGB", (500, 1))), "only 500 x 1"),
    ],
    ids=["empty", "text", "postscript", "bomb", "large", "short", "pixel", "line"],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_what_is_no_usable_image_is_refused_with_its_reason(data, reason):
    with pytest.raises(UnusableImageError, match=reason):
        decode(data)


@pytest.mark.parametrize(
    ("mode", "kind", "how", "tolerance"),
    [
        ("RGB", "WEBP", {"lossless": True}, 3),
        ("RGBA", "PNG", {}, 3),
        ("CMYK", "TIFF", {}, 3),
        ("RGB", "JPEG", {"quality": 95}, 3),
        ("RGB", "GIF", {}, 12),  # 256 colours
    ],
)
def test_colours_of_other_modes_come_out_as_they_were(cat, mode, kind, how, tolerance):
    data = as_bytes(cat.convert(mode), kind, **how)
    for more in (b"", b"garbage" * 50 if kind == "JPEG" else b""):
        assert distance(decode(data + more).rgb, cat) < tolerance


@pytest.mark.parametrize("mode", ["L", "1", "P"])
def test_grey_and_palette_images_become_rgb(cat, mode):
    decoded = decode(as_bytes(cat.convert(mode)))
    assert decoded.rgb.mode == "RGB"
    assert distance(decoded.rgb, cat.convert(mode).convert("RGB")) < 1


def test_sixteen_bits_are_scaled_and_not_cut_off_as_by_a_plain_conversion(cat):
    grey = np.asarray(cat.convert("L"))
    deep = Image.fromarray(grey.astype(np.uint16) * 257)
    decoded = decode(as_bytes(deep))
    assert "scaled" in decoded.note
    assert np.array_equal(np.asarray(decoded.rgb)[:, :, 0], grey)
    assert (np.asarray(deep.convert("L")) == 255).mean() > 0.9


def test_transparency_is_laid_over_white():
    clear = Image.new("RGBA", (9, 9), (0, 0, 0, 0))
    palette = Image.new("P", (9, 9), 0)
    for data in (as_bytes(clear), as_bytes(palette, transparency=0)):
        decoded = decode(data)
        assert "white" in decoded.note
        assert (np.asarray(decoded.rgb) == 255).all()


def test_a_photograph_is_turned_as_its_camera_was(cat):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter to the right to see it upright
    decoded = decode(
        as_bytes(cat.rotate(90, expand=True), "JPEG", exif=exif, quality=95)
    )
    assert "turned" in decoded.note
    assert decoded.rgb.size == cat.size
    assert distance(decoded.rgb, cat) < 3


def test_of_an_animation_the_first_frame_counts(cat):
    frames = [cat.convert("P"), cat.rotate(180).convert("P")]
    data = as_bytes(frames[0], "GIF", save_all=True, append_images=frames[1:])
    decoded = decode(data)
    assert "first of 2 frames" in decoded.note
    assert distance(decoded.rgb, cat) < distance(decoded.rgb, cat.rotate(180))
