"""The square that a network takes: Pillow's own resampling, in one step."""

import numpy as np
import pytest
from PIL import Image

from consilience.classifiers.images import prepare
from consilience.classifiers.manifest import Preprocessing


@pytest.mark.parametrize("kind", ["bicubic", "bilinear", "lanczos"])
def test_squashing_is_pillows_resize_by_the_filter_that_is_named(cat, kind):
    result = prepare(cat, Preprocessing(size=64, mode="squash", filter=kind))
    wanted = cat.resize((64, 64), Image.Resampling[kind.upper()])
    assert np.array_equal(result, np.asarray(wanted))


def test_cropping_takes_the_middle_of_the_shorter_side():
    # A frame of red, so that a wider or a shifted square would show; the filter itself
    # looks two pixels beyond its edge.
    pixels = np.zeros((200, 300, 3), np.uint8)
    pixels[..., 0] = 255
    pixels[50:150, 100:200] = (0, 255, 0)
    result = prepare(Image.fromarray(pixels), Preprocessing(size=50, resize=100))
    inside = slice(2, -2)
    assert (result[inside, inside] == (0, 255, 0)).all()
    wider = prepare(Image.fromarray(pixels), Preprocessing(size=50, resize=90))
    assert (wider[inside, inside] != (0, 255, 0)).any()


def test_squashing_and_then_cutting_is_done_in_one_step(cat):
    even = cat.crop((0, 0, 450, 300))
    one = prepare(even, Preprocessing(size=100, mode="squash", resize=150)).astype(int)
    scaled = even.resize((150, 150), Image.Resampling.BICUBIC)
    two = np.asarray(scaled.crop((25, 25, 125, 125))).astype(int)
    inside = slice(4, -4)  # away from the edge of the box
    assert np.abs(one - two)[inside, inside].max() <= 1
    whole = prepare(even, Preprocessing(size=100, mode="squash")).astype(int)
    assert np.abs(one - whole)[inside, inside].mean() > 5
