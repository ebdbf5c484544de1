"""Weights in half precision: half the bytes, the same answers but for rounding."""

import numpy as np
import onnx
import onnxruntime
from models.exporting.half_precision import (
    as_bytes,
    strip_traces,
    to_half_precision,
)
from onnx import numpy_helper

from ..conftest import graph


def wide(weights):
    """Return a network whose weights are worth storing in half."""
    model = graph(outputs=weights.shape[1])
    tensor = next(t for t in model.graph.initializer if t.name == "weights")
    tensor.CopyFrom(numpy_helper.from_array(weights.astype(np.float32), "weights"))
    return model


def answers(model):
    opened = onnxruntime.InferenceSession(
        as_bytes(model), providers=["CPUExecutionProvider"]
    )
    squares = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)
    return opened.run(None, {"image": squares})[0]


def test_answers_are_those_of_rounded_weights():
    weights = np.random.default_rng(1).normal(size=(3, 100))
    stored = to_half_precision(wide(weights))
    rounded = wide(weights.astype(np.float16))
    assert np.abs(answers(stored) - answers(rounded)).max() < 1e-4
    assert np.abs(answers(stored) - answers(wide(weights))).max() > 1e-4
    kept = [t for t in stored.graph.initializer if t.name == "weights_half"]
    assert numpy_helper.to_array(kept[0]).dtype == np.float16


def test_what_half_precision_cannot_hold_is_left_as_it_is():
    weights = np.full((3, 100), 70_000.0)
    assert weights.max() > np.finfo(np.float16).max
    assert np.isfinite(answers(to_half_precision(wide(weights)))).all()


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
