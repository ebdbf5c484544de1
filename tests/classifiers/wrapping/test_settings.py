"""A setting comes from where it is stated first, and never from nowhere."""

from pathlib import Path

import numpy as np
import pytest

from consilience.classifiers.settings import Settings, Taken, settle
from consilience.errors import SourceError

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


def test_what_is_resized_to_is_stated_for_one_way_of_making_the_square():
    stated = Settings(scale=SCALE, mode="squash", resize=12)
    assert resized(Settings(), stated) == 12
    assert resized(Settings(mode="crop"), stated) == 9
    crop = Settings(scale=SCALE, mode="crop", resize=12)
    assert resized(Settings(mode="crop"), crop) == 12
    assert resized(Settings(mode="squash"), crop) is None
    assert resized(Settings(mode="squash", resize=11), crop) == 11


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
