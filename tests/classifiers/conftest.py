"""Tiny networks, odd images, and the classifiers that the repository holds."""

import io
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from models.exporting.photographs import photograph
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from consilience.classifiers.classifier import load_classifier
from consilience.classifiers.images import decode
from consilience.classifiers.manifest import (
    LabelFile,
    Licence,
    Manifest,
    Network,
    Preprocessing,
    digest,
    write_manifest,
)
from consilience.classifiers.runtime import Choice

MODELS = Path(__file__).parent.parent.parent / "models"
KEPT = ("efficientnet_lite0", "efficientnet_lite1")
ON_CPU = Choice(onnxruntime, False, "the CPU, as requested", required=False)


def graph(
    *,
    outputs=3,
    size=8,
    kind=TensorProto.UINT8,
    batch="batch",
    not_on_black=False,
    seed=0,
):
    """Return a network that judges an image by its mean colour."""
    weights = np.random.default_rng(seed).normal(size=(3, outputs))
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels", "axes"], ["mean"], keepdims=0),
    ]
    colour = "mean"
    if not_on_black:  # zero by zero
        nodes += [
            helper.make_node("Div", ["mean", "mean"], ["one"]),
            helper.make_node("Mul", ["mean", "one"], ["checked"]),
        ]
        colour = "checked"
    nodes.append(helper.make_node("MatMul", [colour, "weights"], ["logits"]))
    made = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", kind, [batch, size, size, 3])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [batch, outputs])],
        [
            numpy_helper.from_array(np.array([1, 2]), "axes"),
            numpy_helper.from_array((weights / 20).astype(np.float32), "weights"),
        ],
    )
    opset = [helper.make_opsetid("", 18)]
    return helper.make_model(made, opset_imports=opset, ir_version=10)


def write_classifier(
    folder, data, *, name="tiny", family="tiny", labels=("a", "b", "c"), size=8, **more
):
    """Write a classifier's folder around the bytes of a network."""
    folder.mkdir(parents=True)
    listed = "".join(f"{label}\n" for label in labels).encode()
    (folder / "model.onnx").write_bytes(data)
    (folder / "labels.tsv").write_bytes(listed)
    manifest = Manifest(
        schema=1,
        name=name,
        family=family,
        network=Network(file="model.onnx", sha256=digest(data)),
        labels=LabelFile(file="labels.tsv", sha256=digest(listed), count=len(labels)),
        preprocessing=Preprocessing(size=size, **{"mode": "squash", **more}),
        licence=Licence(spdx="CC0-1.0"),
    )
    write_manifest(manifest, folder)
    return folder


def change_manifest(folder, old, new):
    path = folder / "manifest.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def loaded(folder):
    return load_classifier(folder, ON_CPU)


def noise(number, side):
    return np.random.default_rng(5).integers(0, 256, (number, side, side, 3), np.uint8)


@pytest.fixture
def tiny(tmp_path):
    """Write a tiny classifier; by default one that works."""

    def make(name="tiny", **how):
        side = {k: how.pop(k) for k in ("labels", "family", "mode") if k in how}
        data = graph(**how).SerializeToString()
        return write_classifier(
            tmp_path / "models" / name, data, name=name, **side, size=8
        )

    return make


@pytest.fixture(scope="session")
def lite0_folder():
    return MODELS / "efficientnet_lite0"


@pytest.fixture(scope="session")
def lite0(lite0_folder):
    return loaded(lite0_folder)


@pytest.fixture(scope="session", params=KEPT)
def kept_folder(request):
    return MODELS / request.param


@pytest.fixture(scope="session")
def kept(kept_folder):
    return loaded(kept_folder)


def as_bytes(image, kind="PNG", **how):
    out = io.BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


@pytest.fixture(scope="session")
def cat():
    return decode(photograph("chelsea")).rgb


@pytest.fixture
def pictures(tmp_path):
    """Write a folder of images of one colour each, named by their number."""

    def make(number, folder="images"):
        place = tmp_path / folder
        place.mkdir()
        colours = np.random.default_rng(1).integers(1, 256, (number, 3))
        for i, colour in enumerate(colours):
            image = Image.new("RGB", (9, 9), tuple(int(c) for c in colour))
            (place / f"{i:04d}.png").write_bytes(as_bytes(image))
        return place

    return make
