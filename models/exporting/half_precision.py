"""Weights stored in half the bytes: half precision on disk, single in arithmetic.

Each large tensor becomes a half-precision one and a Cast, which ONNX Runtime carries
out once, when it loads the network. Nothing that depends on the machine that made the
file is left in it, so that one network always gives the same bytes.
"""

from typing import Any

import numpy as np

MIN_SIZE = 64  # of a tensor worth storing in half
MAX_MAGNITUDE = 65504.0  # of half precision


def to_half_precision(model: Any) -> Any:
    """Return a copy of an ONNX network whose weights are stored in half precision."""
    import onnx  # noqa: PLC0415 (an extra)
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415

    stored = onnx.ModelProto()
    stored.CopyFrom(model)
    kept, casts = [], []
    for tensor in stored.graph.initializer:
        value = numpy_helper.to_array(tensor)
        small = value.dtype != np.float32 or value.size < MIN_SIZE
        if small or np.abs(value).max() > MAX_MAGNITUDE:
            kept.append(tensor)
            continue
        name = tensor.name
        kept.append(numpy_helper.from_array(value.astype(np.float16), f"{name}_half"))
        casts.append(
            helper.make_node(
                "Cast",
                [f"{name}_half"],
                [name],
                name=f"cast_{name}",
                to=TensorProto.FLOAT,
            )
        )
    nodes = list(stored.graph.node)
    del stored.graph.initializer[:], stored.graph.node[:]
    stored.graph.initializer.extend(kept)
    stored.graph.node.extend([*casts, *nodes])
    onnx.checker.check_model(stored, full_check=True)
    return stored


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


def as_bytes(model: Any) -> bytes:
    """Return the bytes of a network: always the same for the same one."""
    written: bytes = model.SerializeToString(deterministic=True)
    return written
