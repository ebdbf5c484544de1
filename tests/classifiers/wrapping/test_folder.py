"""A wrapped network answers as the network does, or is refused with one sentence."""

import tempfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper
from onnx.external_data_helper import set_external_data

from consilience.classifiers import check_golden, wrap, wrapping
from consilience.classifiers.images import prepare
from consilience.errors import SourceError

from ..conftest import loaded, noise
from ..running.test_classifier import apart, square_of
from .conftest import (
    IMAGES,
    LABELS,
    POOLED,
    SIDE,
    colours,
    network,
    pixels_out,
    torchvision_form,
)

USUAL = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


def test_the_kept_network_wrapped_again_gives_its_golden_answers(
    lite0, lite0_folder, tmp_path
):
    path = tmp_path / "lite0.onnx"
    onnx.save(torchvision_form(lite0_folder / "model.onnx"), path)
    how = {"mean": 127 / 255, "std": 128 / 255, "resize": 256}
    wrap(path, lite0_folder / "labels.tsv", tmp_path / "out", **how)
    classifier = loaded(tmp_path / "out")
    for golden in lite0.manifest.golden:
        square = square_of(golden, classifier.manifest.preprocessing)
        assert apart(classifier, golden, square) < golden.tolerance
        first = np.argsort(-classifier.logits(square[None])[0])[:5]
        assert [classifier.labels.label[i] for i in first] == list(golden.labels)
    squares = noise(3, 224)
    difference = np.abs(classifier.logits(squares) - lite0.logits(squares)).max()
    assert difference < 1e-4
    assert check_golden(tmp_path / "out") < 1e-4


# What the preprocessing computes


@settings(max_examples=15)
@given(
    mean=st.tuples(*[st.floats(1, 255)] * 3),
    scale=st.tuples(*[st.floats(0.05, 2)] * 3),
    layout=st.sampled_from(["nchw", "nhwc"]),
    colour=st.sampled_from(["rgb", "bgr"]),
    kind=st.sampled_from(["float", "double"]),
)
def test_a_wrapped_network_is_given_scaled_pixels_in_its_order(
    mean, scale, layout, colour, kind
):
    squares = noise(3, SIDE)
    expected = np.empty((3, 3, SIDE, SIDE))
    for place in range(3):
        channel = place if colour == "rgb" else 2 - place
        pixels = squares[..., channel].astype(float)
        expected[:, place] = (pixels - mean[place]) * scale[place]
    expected = expected if layout == "nchw" else np.moveaxis(expected, 1, 3)
    expected = expected.reshape(3, -1)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "n.onnx")
        onnx.save(pixels_out(layout, kind=kind), path)
        how = {"mean": mean, "scale": scale, "colour": colour, "layout": layout}
        wrap(path, LABELS, Path(place, "out"), mode="squash", **how)
        result = loaded(Path(place, "out")).logits(squares)
    assert np.allclose(result, expected, atol=1e-3, rtol=1e-5)
    # Another order, or another mean, would show.
    assert not np.allclose(result, expected[:, ::-1], atol=1e-3, rtol=1e-5)
    assert not np.allclose(result, expected + scale[0], atol=1e-3, rtol=1e-5)


# What exporters leave


def reshaped(batch, stated=None):
    """Return a network that gives a batch of one size, stated in its shapes or not."""
    sizes = "" if stated is None else f"{stated}, "
    allow = "" if stated is not None else " <allowzero = 1>"
    return colours(
        f"s = Constant <value = int64[2] {{{batch}, 3}}> () y = Reshape{allow} (m, s)",
        shape=f"{sizes or 'n, '}3, 8, 8",
        out=f"{sizes or 'n, '}3",
    )


WITH_FEATURES = network(
    IMAGES,
    f"{POOLED} features = Flatten (x) y = Flatten (m)",
    "float[n, 192] features, float[n, 3] y",
)


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(reshaped(1, stated=1), id="batch of one"),
        pytest.param(reshaped(4, stated=4), id="batch of four"),
        pytest.param(colours("y = Identity (m)", out="n, 3, 1, 1"), id="four axes"),
        pytest.param(WITH_FEATURES, id="another output"),
        *(
            pytest.param(colours(opset=opset, ir=ir), id=f"opset {opset}")
            for opset, ir in [(7, 3), (18, min(13, onnx.IR_VERSION))]
        ),
    ],
)
def test_any_form_of_a_network_answers_as_the_network_does(made, tmp_path, model):
    made(model)
    squares = noise(5, 8)
    logits = loaded(tmp_path / "made").logits(squares)
    assert np.allclose(logits, squares.mean((1, 2)), atol=1e-3)
    data = (tmp_path / "network.onnx").read_bytes()
    assert (tmp_path / "made" / "model.onnx").read_bytes() == data


def test_numbers_in_half_precision_are_taken_and_given(made, tmp_path):
    half = network(
        "float16[n, 3, 8, 8] x", f"{POOLED} y = Flatten (m)", "float16[n, 3] y"
    )
    result = made(half, **USUAL)
    assert result.manifest.network.storage == "float16"
    squares = noise(3, 8)
    expected = ((squares / 255 - USUAL["mean"]) / USUAL["std"]).mean((1, 2))
    logits = loaded(tmp_path / "made").logits(squares)
    assert logits.dtype == np.float32
    assert np.allclose(logits, expected, atol=2e-3)
    assert not np.allclose(logits, expected, atol=1e-7)


SCALED = "f = Flatten (m) e = Softmax (f) o = Constant <value_float = 1.0> ()"


@pytest.mark.parametrize(
    ("ending", "answers", "origin"),
    [
        ("f = Flatten (m) y = Softmax (f)", "probabilities", "sum to one"),
        ("f = Flatten (m) y = LogSoftmax (f)", "logits", "assumed"),
        (f"{SCALED} y = Mul (e, o)", "probabilities", "sum to one"),
        ("y = Flatten (m)", "logits", "assumed"),
    ],
)
def test_probabilities_are_recognized(made, tmp_path, ending, answers, origin):
    result = made(colours(ending), **USUAL)
    decision = next(each for each in result.decisions if each.name == "output")
    assert (decision.value, result.manifest.network.answers) == (answers, answers)
    assert origin in decision.origin
    squares = noise(3, 8)
    means = ((squares / 255 - USUAL["mean"]) / USUAL["std"]).mean((1, 2))
    logits = loaded(tmp_path / "made").logits(squares)
    gap = logits - means  # the same for all labels: a softmax does not see it
    assert np.ptp(gap, axis=1).max() < 1e-4


def test_weights_in_a_file_beside_it_are_taken_in_and_from_elsewhere_refused(tmp_path):
    model = colours("f = Flatten (m) w = Identity (weights) y = MatMul (f, w)")
    weights = np.diag([1, 2, 3]).astype(np.float32)
    model.graph.initializer.append(numpy_helper.from_array(weights, "weights"))
    inner = tmp_path / "inner"
    inner.mkdir()
    for place in (inner, tmp_path):
        (place / "weights.bin").write_bytes(weights.tobytes())
    tensor = model.graph.initializer[0]

    def wrap_with(location):
        tensor.raw_data = weights.tobytes()
        set_external_data(tensor, location)
        tensor.ClearField("raw_data")
        path = inner / "network.onnx"
        path.write_bytes(model.SerializeToString())
        return wrap(path, ["r", "g", "b"], tmp_path / "made", scale=1)

    for location in ("../weights.bin", str(tmp_path / "weights.bin"), "none.bin"):
        with pytest.raises(SourceError, match="cannot be read"):
            wrap_with(location)
    wrap_with("weights.bin")
    squares = noise(2, 8)
    logits = loaded(tmp_path / "made").logits(squares)
    assert np.allclose(logits, squares.mean((1, 2)) * [1, 2, 3], atol=1e-3)


# What is refused

FROM_BYTES = "c = Cast <to = 1> (x) m = GlobalAveragePool (c) y = Flatten (m)"
FROM_LIST = f"i = Constant <value_int = 0> () x = SequenceAt (s, i) {POOLED}"
# Every image is answered with the mean of the batch: with one image, all agree.
MIXING = (
    "a = Constant <value_ints = [0, 2, 3]> () s = Constant <value_ints = [2, 3]> () "
    "m = ReduceMean <keepdims = 0> (x, a) y = Expand (m, s)"
)
TWO_OUTPUTS = "float[n, 3] z, float[n, 3] y"


@pytest.mark.parametrize(
    ("model", "how", "message"),
    [
        (colours(shape="n, 1, 8, 8"), {}, "three colours"),
        (colours(shape="n, 3, 8, 9"), {}, "8 x 9 pixels; expected a square"),
        (network("float[n, 3] x", "y = Relu (x)"), {}, "takes shape"),
        (network("uint8[n, 3, 8, 8] x", FROM_BYTES), {}, r"takes tensor\(uint8\)"),
        (
            network(
                f"{IMAGES}, float[n, 3] z", f"{POOLED} f = Flatten (m) y = Add (f, z)"
            ),
            {},
            r"takes 2 inputs \('x', 'z'\)",
        ),
        (
            network("seq(float[n, 3, 8, 8]) s", f"{FROM_LIST} y = Flatten (m)"),
            {},
            r"takes seq\(tensor\(float\)\)",
        ),
        (colours("y = Nothing (m)"), {}, "ONNX Runtime rejects it"),
        (colours("f = Flatten (m) z = Sub (f, f) y = Div (z, z)"), {}, "not finite"),
        (
            network("float[2, 3, 8, 8] x", MIXING, "float[2, 3] y"),
            {},
            "batch is fixed at 2",
        ),
        (reshaped(1), {}, "with a free batch"),
        (colours(opset=6, ir=3), {}, r"rejects it .* export it with opset"),
        (colours(opset=99), {}, r"rejects it .* export it with opset"),
        (colours("f = Flatten (m) y = Sigmoid (f)"), {}, "ends in Sigmoid"),
        (
            network(IMAGES, f"{POOLED} z = Flatten (m) y = Softmax (z)", TWO_OUTPUTS),
            {},
            "several outputs for 3 labels",
        ),
        (colours(), {"labels": ("a", "b")}, r"'y' with 3 .* for 2 labels"),
    ],
)
def test_what_is_no_image_classifier_is_refused(made, tmp_path, model, how, message):
    with pytest.raises(SourceError, match=message):
        made(model, **how)
    assert [path.name for path in tmp_path.iterdir()] == ["network.onnx"]


def test_the_golden_picture_is_kept_with_the_answers_of_the_network(
    made, cat, tmp_path
):
    picture = tmp_path / "cat.PNG"
    cat.save(picture)
    result = made(colours(), picture=picture, **USUAL)
    (golden,) = result.manifest.golden
    assert (tmp_path / "made" / golden.file).read_bytes() == picture.read_bytes()
    square = prepare(cat, result.manifest.preprocessing)
    means = ((square / 255 - USUAL["mean"]) / USUAL["std"]).mean((0, 1))
    order = np.argsort(-means)
    assert golden.labels == tuple(("red", "green", "blue")[k] for k in order)
    assert np.allclose(golden.logits, means[order], atol=1e-4)


def test_a_wrapped_network_that_answers_otherwise_is_refused(
    made, tmp_path, monkeypatch
):
    original = wrapping.to_pixels
    monkeypatch.setattr(wrapping, "to_pixels", lambda *a: original(*a) + np.float32(1))
    with pytest.raises(SourceError, match="differ by 1 when wrapped"):
        made(colours(), **USUAL)
    assert not (tmp_path / "made").exists()
