"""Files of Hugging Face and timm: what they state, as those libraries read it."""

import json

import numpy as np
import pytest

from consilience.classifiers.settings import read_preprocessor

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
# As published with google/vit-base-patch16-224, microsoft/resnet-50, google/bit-50,
# google/efficientnet-b0, apple/mobilevit-small: the parts that matter here.
VIT = {
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "resample": 2,
    "rescale_factor": 0.00392156862745098,
    "size": {"height": 224, "width": 224},
}
RESNET = {
    "feature_extractor_type": "ConvNextFeatureExtractor",
    "crop_pct": 0.875,
    "do_normalize": True,
    "image_mean": MEAN,
    "image_std": STD,
    "resample": 3,
    "size": 224,
}
LEVIT = "LevitFeatureExtractor"
BIT = {
    "image_processor_type": "BitImageProcessor",
    "crop_size": 224,
    "do_center_crop": True,
    "do_normalize": True,
    "image_mean": MEAN,
    "image_std": STD,
    "resample": 3,
    "size": 256,
}
EFFICIENTNET = {
    **VIT,
    "resample": 3,
    "rescale_offset": False,
    "include_top": True,
    "image_processor_type": "EfficientNetImageProcessor",
    "size": {"height": 256, "width": 256},
}
MOBILEVIT = {
    "do_center_crop": True,
    "crop_size": {"height": 256, "width": 256},
    "do_flip_channel_order": True,
    "image_mean": [0.5, 0.5, 0.5],  # written, but not used: it does not normalize
    "image_std": [0.5, 0.5, 0.5],
    "image_processor_type": "MobileViTImageProcessor",
    "resample": 2,
    "size": {"shortest_edge": 288},
}
TIMM = {
    "input_size": [3, 224, 224],
    "interpolation": "bicubic",
    "crop_pct": 0.9,
    "crop_mode": "center",
    "mean": MEAN,
    "std": STD,
}


@pytest.fixture
def read(tmp_path):
    def call(content):
        path = tmp_path / "preprocessor_config.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return read_preprocessor(path)

    return call


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (VIT, ("squash", 224, None, "bilinear", None)),
        (RESNET, ("crop", 224, 256, "bicubic", None)),
        ({**RESNET, "size": {"shortest_edge": 384}}, ("squash", 384, None)),
        (BIT, ("crop", 224, 256, "bicubic", None)),
        ({**BIT, "image_processor_type": LEVIT, "size": 224}, ("crop", 224, 256)),
        ({**BIT, "image_processor_type": "DeiTImageProcessor"}, ("squash", 224, 256)),
        ({**BIT, "crop_pct": 0.9, "size": 224}, ("crop", 224, 248)),
        (EFFICIENTNET, ("squash", 256, None, "bicubic", None)),
        (MOBILEVIT, ("crop", 256, 288, "bilinear", "bgr")),
        (
            {"feature_extractor_type": "MobileViTFeatureExtractor", "resample": 2},
            (None, None, None, "bilinear", "bgr"),
        ),
        (TIMM, ("crop", 224, 248, "bicubic", None)),
        ({"pretrained_cfg": {**TIMM, "crop_mode": "squash"}}, ("squash", 224, 248)),
        ({**TIMM, "interpolation": "random"}, ("crop", 224, 248, None)),
        ({**VIT, "do_resize": False}, (None, None, None, "bilinear")),
    ],
)
def test_the_square_is_made_as_the_file_states(read, content, expected):
    result = read(content)
    stated = (result.mode, result.size, result.resize, result.filter, result.colour)
    assert stated[: len(expected)] == expected


def rescaled(content):
    """Return pixels as the documentation of each library describes their scaling."""
    pixels = np.arange(256.0)[:, None] * np.ones(3)
    if "mean" in content:
        return (pixels / 255 - content["mean"]) / content["std"]
    if content.get("do_rescale", True):
        pixels = pixels * content.get("rescale_factor", 1 / 255)
    if content.get("rescale_offset"):
        pixels = pixels - 1
    if content.get("do_normalize", content is not MOBILEVIT):
        pixels = (pixels - content["image_mean"]) / content["image_std"]
    if content.get("include_top"):
        pixels = pixels / content["image_std"]
    return pixels


@pytest.mark.parametrize(
    "content",
    [
        VIT,
        RESNET,
        MOBILEVIT,
        EFFICIENTNET,
        TIMM,
        {**VIT, "rescale_factor": 1 / 127.5, "rescale_offset": True},
        {
            **VIT,
            "do_rescale": False,
            "image_mean": [120.0] * 3,
            "image_std": [60.0] * 3,
        },
    ],
)
def test_pixels_are_scaled_as_the_file_states(read, content):
    result = read(content)
    pixels = (np.arange(256.0)[:, None] - result.mean) * np.array(result.scale)
    assert np.allclose(pixels, rescaled(content))
    other = {**VIT, "image_mean": [0.4] * 3, "image_std": STD}
    assert not np.allclose(pixels, rescaled(other))
