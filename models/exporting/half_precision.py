"""Weights stored in half the bytes: half precision on disk, single in arithmetic.

Each large tensor becomes a half-precision one and a Cast, which ONNX Runtime carries
out once, when it loads the network. Nothing that depends on the machine that made the
file is left in it, so that one network always gives the same bytes.
"""

from typing import Any

import numpy as np

from consilience.classifiers.wrapping.network import as_bytes, strip_traces

__all__ = ["as_bytes", "strip_traces", "to_half_precision"]

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
