"""A loaded classifier answers as the original network; what is odd is refused."""

import msgspec
import numpy as np
import onnx
import onnxruntime
import pytest
from models.exporting.photographs import photograph
from onnx import TensorProto, external_data_helper, numpy_helper

from consilience.classifiers.images import decode, prepare
from consilience.classifiers.manifest import read_manifest
from consilience.errors import SourceError

from ..conftest import change_manifest, graph, loaded, noise, write_classifier


def apart(classifier, golden, square):
    """By how much the golden logits differ."""
    at = [classifier.labels.label.index(label) for label in golden.labels]
    result = classifier.logits(square[None])[0]
    return np.abs(result[at] - np.array(golden.logits)).max()


def square_of(golden, how):
    return prepare(decode(photograph(golden.photograph)).rgb, how)


def test_photographs_are_answered_as_by_the_original_network(kept):
    assert len(kept.manifest.golden) == 3
    for golden in kept.manifest.golden:
        square = square_of(golden, kept.manifest.preprocessing)
        first = np.argsort(-kept.logits(square[None])[0])[:2]
        assert [kept.labels.label[i] for i in first] == list(golden.labels[:2])
        assert apart(kept, golden, square) < golden.tolerance


@pytest.mark.parametrize(
    "wrong",
    [
        {"filter": "bilinear"},
        {"filter": "lanczos"},
        {"resize": None, "mode": "squash"},
        {"resize": 240},
        "blue first",
        "darker",
    ],
    ids=str,
)
def test_a_wrong_preprocessing_is_caught_by_the_golden_photographs(kept, wrong):
    how = kept.manifest.preprocessing

    def caught(golden):
        if isinstance(wrong, dict):
            square = square_of(golden, msgspec.structs.replace(how, **wrong))
        else:
            right = square_of(golden, how)
            square = right[..., ::-1] if wrong == "blue first" else right // 2
        return apart(kept, golden, square) > golden.tolerance

    assert any(map(caught, kept.manifest.golden))


def test_weights_in_eight_bits_are_unpacked_when_they_are_loaded(kept_folder, tmp_path):
    def operators(folder, qdq):
        """What is left of the network where it is ready to be run."""
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = str(tmp_path / "ready.onnx")
        options.add_session_config_entry("session.disable_quant_qdq", str(int(qdq)))
        onnxruntime.InferenceSession(
            folder / "model.onnx", options, providers=["CPUExecutionProvider"]
        )
        model = onnx.load(tmp_path / "ready.onnx")
        return [node.op_type for node in model.graph.node]

    network = read_manifest(kept_folder).network
    left = operators(kept_folder, network.disable_quant_qdq)
    assert "DequantizeLinear" not in left
    if network.storage == "int8":
        assert "DequantizeLinear" in operators(kept_folder, qdq=False)


def test_a_batch_is_answered_as_its_images_one_by_one(kept):
    side = kept.manifest.preprocessing.size
    squares = noise(3, side)
    alone = np.concatenate([kept.logits(square[None]) for square in squares])
    assert np.abs(kept.logits(squares) - alone).max() < 1e-4


def test_probabilities_are_taken_as_logits(tmp_path):
    model = graph()
    model.graph.node.append(
        onnx.helper.make_node("Softmax", ["scores"], ["logits"], axis=1)
    )
    next(n for n in model.graph.node if n.op_type == "MatMul").output[0] = "scores"
    folder = write_classifier(tmp_path / "p", model.SerializeToString())
    change_manifest(folder, 'answers = "logits"', 'answers = "probabilities"')
    square = np.full((1, 8, 8, 3), 77, np.uint8)
    assert np.exp(loaded(folder).logits(square)).sum() == pytest.approx(1, abs=1e-6)


def test_files_that_are_others_than_the_manifest_says_are_refused(tiny):
    folder = tiny()
    change_manifest(folder, "count = 3", "count = 4")
    with pytest.raises(SourceError, match="lists 3 labels"):
        loaded(folder)
    path = folder / "model.onnx"
    path.write_bytes(path.read_bytes()[:-1])
    change_manifest(folder, "count = 4", "count = 3")
    with pytest.raises(SourceError, match="SHA-256"):
        loaded(folder)
    path.unlink()
    with pytest.raises(SourceError, match=r"model\.onnx: cannot be read"):
        loaded(folder)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (graph(outputs=4).SerializeToString(), "4.* for 3 labels"),
        (graph(size=9).SerializeToString(), r"shape \['batch', 9, 9, 3\]"),
        (graph(kind=TensorProto.FLOAT).SerializeToString(), r"tensor\(float\)"),
        (b"no network at all", "truncated|rejects"),
        (graph().SerializeToString()[:-40], "truncated|rejects"),
    ],
    ids=["outputs", "size", "type", "text", "cut off"],
)
def test_a_network_that_is_none_or_takes_or_gives_something_else_is_refused(
    tmp_path, data, message
):
    folder = write_classifier(tmp_path / "odd", data)
    with pytest.raises(SourceError, match=message):
        loaded(folder)


@pytest.mark.parametrize(
    ("place", "deep"), [("weights.bin", True), ("/etc/hostname", False)]
)
def test_no_other_file_is_opened_for_a_network(tmp_path, place, deep):
    model = graph()
    (tmp_path / "secret.bin").write_bytes(bytes(1000))
    if deep:
        tensor = numpy_helper.from_array(np.zeros((3, 3), np.float32), "hidden")
        inner = onnx.helper.make_graph([], "inner", [], [], [tensor])
        branch = onnx.helper.make_node("If", ["x"], [], then_branch=inner)
        model.graph.node.append(branch)
        tensor = model.graph.node[-1].attribute[0].g.initializer[0]
    else:
        tensor = model.graph.initializer[1]
    external_data_helper.set_external_data(tensor, place)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    folder = write_classifier(tmp_path / "outside", model.SerializeToString())
    (folder / "weights.bin").write_bytes(bytes(1000))
    with pytest.raises(SourceError, match="lie in another file"):
        loaded(folder)
