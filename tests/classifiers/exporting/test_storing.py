"""Weights in fewer bytes: the same answers but for rounding."""

import numpy as np
import onnx
import onnxruntime
import pytest
from models.exporting import storing
from models.exporting.storing import as_bytes, store, strip_traces
from onnx import helper, numpy_helper

from ..conftest import graph, noise


@pytest.fixture(autouse=True)
def _eight_bits_for_small_weights(monkeypatch):
    monkeypatch.setattr(storing, "MIN_SIZE_INT8", 0)


def wide(weights):
    """Return a network whose weights are worth storing in fewer bytes."""
    model = graph(outputs=weights.shape[1])
    tensor = next(t for t in model.graph.initializer if t.name == "weights")
    tensor.CopyFrom(numpy_helper.from_array(weights.astype(np.float32), "weights"))
    return model


def answers(model):
    opened = onnxruntime.InferenceSession(
        as_bytes(model), providers=["CPUExecutionProvider"]
    )
    return opened.run(None, {"image": noise(2, 8)})[0]


def in_eight_bits(weights):
    """Return weights rounded to 127 steps of each column's largest."""
    scale = np.abs(weights).max(0) / 127
    return np.round(weights / scale) * scale


@pytest.mark.parametrize(
    ("storage", "rounded", "part", "kind"),
    [
        ("float16", lambda x: x.astype(np.float16), "weights_half", np.float16),
        ("int8", in_eight_bits, "weights_steps", np.int8),
    ],
    ids=["float16", "int8"],
)
def test_answers_are_those_of_rounded_weights(storage, rounded, part, kind):
    # Columns of unlike sizes: one scale for all would lose the small ones.
    weights = np.random.default_rng(1).normal(size=(3, 100)) * np.geomspace(1, 9, 100)
    stored = store(wide(weights), storage)
    assert np.abs(answers(stored) - answers(wide(rounded(weights)))).max() < 1e-3
    assert np.abs(answers(stored) - answers(wide(weights))).max() > 1e-3
    kept = [t for t in stored.graph.initializer if t.name == part]
    assert numpy_helper.to_array(kept[0]).dtype == kind


def layer(kind, shape, **settings):
    """Return a network of one layer, and the shape that it takes."""
    weights = np.random.default_rng(2).normal(size=shape).astype(np.float32)
    weights *= np.geomspace(1, 100, weights.size).reshape(shape).astype(np.float32)
    place = [1, 8, 4, 4] if kind == "Conv" else [1, 8]
    made = helper.make_graph(
        [helper.make_node(kind, ["x", "weights"], ["y"], **settings)],
        "layer",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, place)],
        [
            helper.make_tensor_value_info(
                "y", onnx.TensorProto.FLOAT, [*"abcd"[: len(place)]]
            )
        ],
        [numpy_helper.from_array(weights, "weights")],
    )
    opset = [helper.make_opsetid("", 18)]
    return helper.make_model(made, opset_imports=opset, ir_version=10), place


@pytest.mark.parametrize(
    ("kind", "shape", "settings", "axis"),
    [
        ("Conv", (16, 8, 1, 1), {}, 0),
        ("Conv", (8, 1, 3, 3), {"group": 8}, None),  # in half precision
        ("Gemm", (16, 8), {"transB": 1}, 0),
        ("Gemm", (8, 16), {}, 1),
        ("MatMul", (8, 16), {}, 1),
    ],
    ids=str,
)
def test_each_output_has_its_scale(kind, shape, settings, axis):
    model, place = layer(kind, shape, **settings)
    stored = store(model, "int8")
    parts = {t.name: numpy_helper.to_array(t) for t in stored.graph.initializer}
    weights = numpy_helper.to_array(model.graph.initializer[0])
    if axis is None:
        assert parts.keys() == {"weights_half"}
    else:
        others = tuple(i for i in range(weights.ndim) if i != axis)
        largest = np.abs(weights).max(others)
        assert np.allclose(parts["weights_scale"], largest / 127)
        assert (np.abs(parts["weights_steps"]).max(others) == 127).all()
    x = np.random.default_rng(3).normal(size=place).astype(np.float32)
    one, other = (
        onnxruntime.InferenceSession(
            as_bytes(each), providers=["CPUExecutionProvider"]
        ).run(None, {"x": x})[0]
        for each in (model, stored)
    )
    assert 0 < np.abs(one - other).max() < 0.02 * np.abs(one).max()


def test_outputs_of_weights_that_are_zero_or_too_large_stay_as_they_are():
    large = wide(np.full((3, 100), 70_000.0))  # more than half precision holds
    assert np.isfinite(answers(store(large, "float16"))).all()
    weights = np.random.default_rng(1).normal(size=(3, 100))
    weights[:, 7] = 0
    result = answers(store(wide(weights), "int8"))
    assert np.isfinite(result).all()
    assert (result[:, 7] == 0).all()
    assert (result[:, 8] != 0).all()


def test_small_weights_lose_little_and_stay_in_half_precision(monkeypatch):
    model = wide(np.ones((3, 100)))
    monkeypatch.setattr(storing, "MIN_SIZE_INT8", 301)
    assert as_bytes(store(model, "int8")) == as_bytes(store(model, "float16"))
    monkeypatch.setattr(storing, "MIN_SIZE_INT8", 300)
    assert as_bytes(store(model, "int8")) != as_bytes(store(model, "float16"))


def test_nothing_of_the_machine_is_left_and_bytes_are_always_the_same():
    model = graph()
    model.producer_version = "1.2.3+here"
    node = model.graph.node[0]
    entry = node.metadata_props.add()
    entry.key, entry.value = "stack", "/home/somebody/secret.py"
    model.graph.doc_string = "made on this machine"
    bare = as_bytes(strip_traces(model))
    for trace in (b"somebody", b"machine", b"here"):
        assert trace not in bare
    assert bare == as_bytes(strip_traces(onnx.load_from_string(as_bytes(model))))
    assert b"somebody" in as_bytes(model)  # the model itself is as it was
