"""Weights stored in fewer bytes than they are computed with.

Each large tensor becomes one in half precision and a Cast, or one in eight bits with a
scale per output channel and a DequantizeLinear, which ONNX Runtime carries out once,
when it loads the network; arithmetic stays in single precision. Nothing that depends on
the machine that made the file is left in it, so that one network always gives the same
bytes.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from consilience.classifiers.manifest import Storage

MIN_SIZE = 64  # of a tensor worth storing in fewer bytes
MIN_SIZE_INT8 = 20_000  # likewise in eight bits; the many small ones lose the most
MAX_MAGNITUDE = 65504.0  # of half precision
STEPS = 127  # of eight bits, on either side of zero


def store(model: Any, storage: Storage) -> Any:
    """Return a copy of an ONNX network whose weights are stored in fewer bytes.

    Parameters
    ----------
    model
        The network, in single precision.
    storage
        `float32` leaves all as it is. `int8` stores the large weights of dense layers
        and of convolutions over all channels in eight bits, and the others in half
        precision: they are few, and lose more.
    """
    import onnx  # noqa: PLC0415 (an extra)
    from onnx import numpy_helper  # noqa: PLC0415

    stored = onnx.ModelProto()
    stored.CopyFrom(model)
    if storage == "float32":
        return stored
    axes = _output_axes(stored.graph) if storage == "int8" else {}
    kept, unpacked = [], []
    for tensor in stored.graph.initializer:
        value, name = numpy_helper.to_array(tensor), tensor.name
        if value.dtype != np.float32 or value.size < MIN_SIZE:
            kept.append(tensor)
        elif name in axes and value.size >= MIN_SIZE_INT8:
            parts, node = _in_eight_bits(name, value, axes[name])
            kept += parts
            unpacked.append(node)
        elif np.abs(value).max() > MAX_MAGNITUDE:
            kept.append(tensor)
        else:
            parts, node = _in_half(name, value)
            kept += parts
            unpacked.append(node)
    nodes = list(stored.graph.node)
    del stored.graph.initializer[:], stored.graph.node[:]
    stored.graph.initializer.extend(kept)
    stored.graph.node.extend([*unpacked, *nodes])
    onnx.checker.check_model(stored, full_check=True)
    return stored


def as_bytes(model: Any) -> bytes:
    """Return the bytes of a network: always the same for the same one."""
    written: bytes = model.SerializeToString(deterministic=True)
    return written


def strip_traces(model: Any) -> Any:
    """Return a copy of an ONNX network without what its exporter wrote for itself."""
    import onnx  # noqa: PLC0415 (an extra)

    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    for part in (bare, bare.graph, *bare.graph.node, *bare.graph.initializer):
        part.ClearField("doc_string")
        part.ClearField("metadata_props")
    for value in (*bare.graph.input, *bare.graph.output):
        value.ClearField("doc_string")
        value.ClearField("metadata_props")
    bare.graph.ClearField("value_info")
    bare.ClearField("functions")
    bare.ClearField("producer_version")
    return bare


def _output_axes(graph: Any) -> dict[str, int]:
    """Return the axis of the outputs of each weight between all inputs and outputs."""
    axes = {}
    for node in graph.node:
        settings = {each.name: each.i for each in node.attribute}
        if node.op_type == "Conv" and settings.get("group", 1) == 1:
            axes[node.input[1]] = 0
        elif node.op_type == "Gemm":
            axes[node.input[1]] = 0 if settings.get("transB") else 1
        elif node.op_type == "MatMul":
            axes[node.input[1]] = -1
    return axes


def _in_eight_bits(
    name: str, value: np.ndarray, axis: int
) -> tuple[Sequence[Any], Any]:
    from onnx import helper, numpy_helper  # noqa: PLC0415 (an extra)

    others = tuple(i for i in range(value.ndim) if i != axis % value.ndim)
    largest = np.abs(value).max(axis=others, keepdims=True)
    scale = np.where(largest > 0, largest / STEPS, 1).astype(np.float32)
    steps = np.rint(value / scale).astype(np.int8)
    parts = [
        numpy_helper.from_array(steps, f"{name}_steps"),
        numpy_helper.from_array(scale.ravel(), f"{name}_scale"),
    ]
    node = helper.make_node(
        "DequantizeLinear",
        [part.name for part in parts],
        [name],
        name=f"dequantize_{name}",
        axis=axis,
    )
    return parts, node


def _in_half(name: str, value: np.ndarray) -> tuple[Sequence[Any], Any]:
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415 (an extra)

    half = numpy_helper.from_array(value.astype(np.float16), f"{name}_half")
    node = helper.make_node(
        "Cast", [half.name], [name], name=f"cast_{name}", to=TensorProto.FLOAT
    )
    return [half], node
