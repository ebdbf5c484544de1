"""Weights in fewer bytes: the same answers but for rounding."""

import numpy as np
import onnx
import onnxruntime
import pytest
from models.exporting import storing
from models.exporting.storing import as_bytes, store, strip_traces
from onnx import numpy_helper

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


def test_outputs_of_weights_that_are_zero_or_too_large_stay_as_they_are():
    large = wide(np.full((3, 100), 70_000.0))  # more than half precision holds
    assert np.isfinite(answers(store(large, "float16"))).all()
    weights = np.random.default_rng(1).normal(size=(3, 100))
    weights[:, 7] = 0
    result = answers(store(wide(weights), "int8"))
    assert np.isfinite(result).all()
    assert (result[:, 7] == 0).all()
    assert (result[:, 8] != 0).all()


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
