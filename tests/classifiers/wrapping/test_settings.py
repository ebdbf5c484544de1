"""A setting comes from where it is stated first, and never from nowhere."""

from pathlib import Path

import numpy as np
import pytest

from consilience.classifiers.settings import (
    CHOICES,
    Settings,
    Taken,
    check_choices,
    normalization,
    settle,
)
from consilience.errors import OptionError, SourceError

SCALE = (1.0,) * 3


def settled(given, stated=None, shape=(None, 3, 8, 8)):
    """Return pixels and preprocessing, and where each setting comes from."""
    network = Taken("x", np.dtype(np.float32), shape)
    *made, decisions = settle(
        given, stated or Settings(), "config.json", network, Path("net.onnx")
    )
    return *made, {each.name: each.origin for each in decisions}


def resized(given, stated):
    return settled(given, stated)[1].resize


def test_what_is_given_comes_before_what_a_file_states_and_that_before_the_graph():
    stated = Settings(scale=SCALE, mode="squash", filter="lanczos", size=8)
    _, result, origins = settled(Settings(filter="bilinear"), stated)
    assert (result.filter, result.mode) == ("bilinear", "squash")
    assert origins == {
        "mean": "assumed",
        "scale": "config.json",
        "size": "config.json",
        "mode": "config.json",
        "filter": "given",
        "colour": "assumed",
        "layout": "the graph",
    }


def test_every_assumption_is_reported():
    _, result, origins = settled(Settings(mean=SCALE))
    assumed = {name for name, origin in origins.items() if origin == "assumed"}
    assert assumed == {"scale", "mode", "resize", "filter", "colour"}
    assert result.resize == 9


def test_what_is_resized_to_is_stated_for_one_way_of_making_the_square():
    stated = Settings(scale=SCALE, mode="squash", resize=12)
    assert resized(Settings(), stated) == 12
    assert resized(Settings(mode="crop"), stated) == 9
    crop = Settings(scale=SCALE, mode="crop", resize=12)
    assert resized(Settings(mode="crop"), crop) == 12
    assert resized(Settings(mode="squash"), crop) is None
    assert resized(Settings(mode="squash", resize=11), crop) == 11


@pytest.mark.parametrize(
    ("given", "shape", "message"),
    [
        ({}, (None, 3, 8, 8), "scaled is not stated"),
        ({"scale": SCALE}, (None, 3, None, None), "does not fix its size"),
        ({"scale": SCALE}, (None, None, None, None), "does not fix its layout"),
        ({"scale": SCALE}, (None, 3, 3, 3), "does not fix its layout"),
        ({"scale": SCALE, "size": 0}, (None, 3, None, None), "size=0.*from 1"),
        ({"scale": SCALE, "resize": 5000}, (None, 3, 8, 8), "resize=5000.*to 4096"),
        ({"scale": SCALE, "resize": 7}, (None, 3, 8, 8), "less than the size, 8"),
    ],
)
def test_what_is_stated_nowhere_must_be_given(given, shape, message):
    with pytest.raises(OptionError, match=message):
        settled(Settings(**given), shape=shape)


@pytest.mark.parametrize(
    ("given", "stated", "message"),
    [
        ({"size": 9}, {}, r"8 x 8 pixels, not the size 9 \(given\)"),
        ({}, {"size": 7}, r"not the size 7 \(config.json\)"),
        ({"layout": "nhwc"}, {}, r"not the layout nhwc \(given\)"),
    ],
)
def test_what_contradicts_the_graph_is_refused(given, stated, message):
    with pytest.raises(SourceError, match=message):
        settled(Settings(scale=SCALE, **given), Settings(**stated))


@pytest.mark.parametrize(
    ("shape", "layout"),
    [((None, 8, 8, 3), "nhwc"), ((1, None, None, 3), "nhwc"), ((1, 3, 8, 8), "nchw")],
)
def test_colours_that_are_last_are_seen(shape, layout):
    pixels, *_ = settled(Settings(scale=SCALE, size=8), shape=shape)
    assert pixels.layout == layout


def test_both_ways_of_saying_a_scale_agree():
    one = normalization((0.485, 0.456, 0.406), None, (0.229, 0.224, 0.225))
    mean, scale = (123.675, 116.28, 103.53), (1 / 58.395, 1 / 57.12, 1 / 57.375)
    two = normalization(mean, scale, None)
    for name, values in one.items():
        assert values == pytest.approx(two[name])
    assert normalization(127, 0.5, None) == {"mean": (127.0,) * 3, "scale": (0.5,) * 3}


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ((0.485, 0.01, None), "looks like one of pixels from 0 to 1"),
        ((123.0, None, 58.0), "divide both by 255"),
        ((0.5, 1.0, 0.5), "without `scale=`"),
        ((None, None, 0.5), "goes with `mean=`"),
        (([1.0, 2.0], None, None), "one or three numbers"),
        ((1.0, 0.0, None), "one or three positive numbers"),
        ((float("nan"), 1.0, None), "one or three numbers"),
    ],
)
def test_numbers_of_other_pixels_are_refused(how, message):
    with pytest.raises(OptionError, match=message):
        normalization(*how)


@pytest.mark.parametrize("name", CHOICES)
def test_a_word_that_is_no_choice_is_refused(name):
    check_choices({name: None})
    with pytest.raises(OptionError, match=f"`{name}='NCHW'`: expected "):
        check_choices({name: "NCHW"})
