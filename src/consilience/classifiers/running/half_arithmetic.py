"""Networks that compute in half precision, as ONNX Runtime's converter makes them.

The answers stay in single precision. Operators that ONNX Runtime's CPU has no kernel
for in half precision are computed in single precision there, between casts.
"""

import sys


def to_half_arithmetic(data: bytes) -> bytes:
    """Return a network that computes in half precision."""
    import onnx  # noqa: PLC0415 (an extra)

    path = list(sys.path)
    from onnxruntime.transformers import float16  # noqa: PLC0415 (an extra)

    sys.path[:] = path  # it appends the folder of its modules, such as `benchmark`
    blocked = [*float16.DEFAULT_OP_BLOCK_LIST, "QuantizeLinear", "DequantizeLinear"]
    converted = float16.convert_float_to_float16(
        onnx.load_from_string(data), keep_io_types=True, op_block_list=blocked
    )
    result: bytes = converted.SerializeToString(deterministic=True)
    return result
