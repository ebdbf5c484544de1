"""A network as its exporter left it: loaded whole, opened, and looked at.

What the graph says of itself is read from it: the order of its axes, the side of its
square, whether its batch is fixed, and whether it ends in a softmax.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from consilience.errors import BadClassifierError, SourceNotFoundError

type Layout = Literal["nchw", "nhwc"]

OPSET = 18  # that a network is converted to whose operators ONNX Runtime rejects
OLDEST_OPSET = 7  # whose arithmetic broadcasts as it does now
NEWEST_IR = 10  # newer files are marked as of this version, which all runtimes read
MAX_BYTES = 2**31 - 1  # of a protobuf message
AXES: dict[Layout, str] = {
    "nchw": "[batch, 3, rows, columns]",
    "nhwc": "[batch, rows, columns, 3]",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """What a network takes."""

    name: str
    kind: np.dtype[Any]
    shape: tuple[int | None, ...]

    @property
    def batch(self) -> int | None:
        """Images that it takes at once; None: any number."""
        return self.shape[0]

    @property
    def layout(self) -> Layout | None:
        """Order of the axes; None: the graph does not say it."""
        colours = [self.shape[1] == 3, self.shape[3] == 3]
        return ("nchw" if colours[0] else "nhwc") if sum(colours) == 1 else None

    def square(self, layout: Layout) -> tuple[int | None, int | None]:
        """Return the number of rows and of columns; None: any."""
        first = 2 if layout == "nchw" else 1
        return self.shape[first], self.shape[first + 1]


def load_network(path: Path) -> Any:
    """Load a network with its weights, also those that lie in files beside it."""
    import onnx  # noqa: PLC0415 (an extra)
    from google.protobuf.message import DecodeError  # noqa: PLC0415

    if not path.is_file():
        msg = f"{path}: there is no such file; give the ONNX file of a network"
        raise SourceNotFoundError(msg)
    try:
        model = onnx.load(path, load_external_data=False)
    except DecodeError:
        msg = f"{path}: is not an ONNX network, or is truncated; export it again"
        raise BadClassifierError(msg) from None
    try:
        onnx.load_external_data_for_model(model, str(path.parent))
    except Exception as error:  # noqa: BLE001 (of the checker, the disk, the sizes)
        msg = (
            f"{path}: its weights in other files cannot be read ({one_line(error)}); "
            "keep the files of an export together in one folder"
        )
        raise BadClassifierError(msg) from None
    if not model.graph.node:
        msg = f"{path}: is not an ONNX network, or an empty one; export it again"
        raise BadClassifierError(msg)
    if model.ByteSize() > MAX_BYTES:
        msg = (
            f"{path}: has {model.ByteSize() / 1e9:.1f} GB of weights; expected at most "
            "2 GB, which fit in one file: store them in half precision"
        )
        raise BadClassifierError(msg)
    return _plain(model)


def open_network(model: Any, where: Path) -> tuple[Any, Any]:
    """Open a network on the CPU; return it, converted if need be, and the session."""
    from onnx import version_converter  # noqa: PLC0415 (an extra)

    opset = next((x.version for x in model.opset_import if x.domain == ""), OPSET)
    why = f"opset {opset} is older than {OLDEST_OPSET}"
    if opset >= OLDEST_OPSET:
        try:
            return model, session_of(as_bytes(model))
        except Exception as error:  # noqa: BLE001 (its errors share no root)
            why = one_line(error)
    if opset != OPSET:
        with suppress(Exception):  # likewise; the first error is the one to fix
            converted = version_converter.convert_version(model, OPSET)
            return converted, session_of(as_bytes(converted))
    msg = f"{where}: ONNX Runtime rejects it ({why}); export it with opset {OPSET}"
    raise BadClassifierError(msg)


def read_input(model: Any, where: Path) -> Taken:
    """Return what a network takes."""
    from onnx import TensorProto, helper  # noqa: PLC0415 (an extra)

    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [x for x in model.graph.input if x.name not in constants]
    if len(inputs) != 1:
        several = ", ".join(repr(value.name) for value in inputs)
        msg = (
            f"{where}: takes {len(inputs)} inputs ({several}); expected one: "
            "export the image classifier alone"
        )
        raise BadClassifierError(msg)
    tensor = inputs[0].type.tensor_type
    code = tensor.elem_type or TensorProto.UNDEFINED
    kind = np.dtype(object)  # of what is no tensor
    if code != TensorProto.UNDEFINED:
        kind = helper.tensor_dtype_to_np_dtype(code)
    shape = tuple(
        each.dim_value if each.HasField("dim_value") and each.dim_value > 0 else None
        for each in tensor.shape.dim
    )
    if kind.kind != "f":
        msg = (
            f"{where}: takes {kind} values; expected numbers in half, single or double "
            "precision: export the network without its own preprocessing"
        )
        raise BadClassifierError(msg)
    if len(shape) != 4 or all(each not in {3, None} for each in shape[1:]):
        msg = (
            f"{where}: takes shape {_dims(shape)}; expected {AXES['nchw']} or "
            f"{AXES['nhwc']}, images in three colours"
        )
        raise BadClassifierError(msg)
    return Taken(inputs[0].name, kind, shape)


def free_batch(model: Any, taken: Taken) -> Any:
    """Return a copy of a network whose batch may have any size.

    A shape that the exporter wrote down with its own batch becomes one that keeps the
    batch; whether the answers stay is for the caller to check.
    """
    import onnx  # noqa: PLC0415 (an extra)
    from onnx import numpy_helper  # noqa: PLC0415

    freed = onnx.ModelProto()
    freed.CopyFrom(model)
    graph = freed.graph
    for value in (*graph.input, *graph.output):
        if len(value.type.tensor_type.shape.dim):
            value.type.tensor_type.shape.dim[0].dim_param = "batch"
    images, shapes = {taken.name}, set()
    for node in graph.node:
        if not images & set(node.input):
            continue
        images |= set(node.output)
        copies = not any(each.name == "allowzero" and each.i for each in node.attribute)
        if node.op_type == "Reshape" and copies:
            shapes.add(node.input[1])
    constants = [tensor for tensor in graph.initializer if tensor.name in shapes]
    constants += [
        node.attribute[0].t
        for node in graph.node
        if node.op_type == "Constant"
        and node.output[0] in shapes
        and node.attribute[0].name == "value"
    ]
    for tensor in constants:
        shape = numpy_helper.to_array(tensor).copy()
        if shape.size and shape[0] == taken.batch:
            shape[0] = 0  # of a Reshape: as in what it is given
            tensor.CopyFrom(numpy_helper.from_array(shape, tensor.name))
    return freed


def answers(
    session: Any, pixels: np.ndarray, taken: Taken, where: Path
) -> list[np.ndarray]:
    """Return all outputs for images, run one by one where the batch is fixed."""
    times = taken.batch or 1
    batches = np.repeat(pixels, times, axis=0).reshape(-1, times, *pixels.shape[1:])
    try:
        alone = [session.run(None, {taken.name: batch}) for batch in batches]
    except Exception as error:  # noqa: BLE001 (ONNX Runtime's errors share no root)
        msg = (
            f"{where}: cannot be run on {pixels.shape[1:]} numbers per image "
            f"({one_line(error)}); check `size=` and `layout=`, or export it again"
        )
        raise BadClassifierError(msg) from None
    return [np.concatenate([x[:1] for x in each]) for each in zip(*alone, strict=True)]


def last_operator(model: Any, output: str) -> Any:
    """Return the node that an output comes from; casts and copies are passed over."""
    made_by = {name: node for node in model.graph.node for name in node.output}
    node = made_by.get(output)
    while node is not None and node.op_type in {"Identity", "Cast"}:
        node = made_by.get(node.input[0])
    return node


def prune(model: Any, output: str) -> Any:
    """Return a copy of a network that works out one of its tensors and no more."""
    import onnx  # noqa: PLC0415 (an extra)
    from onnx import helper  # noqa: PLC0415

    pruned = onnx.ModelProto()
    pruned.CopyFrom(model)
    graph = pruned.graph
    needed, kept = {output}, []
    for node in reversed(model.graph.node):
        if needed & set(node.output):
            kept.append(node)
            needed |= set(names(node))
    constants = [each for each in model.graph.initializer if each.name in needed]
    del graph.node[:], graph.initializer[:], graph.output[:]
    graph.node.extend(reversed(kept))
    graph.initializer.extend(constants)
    kind = _element_type(model, output)
    graph.output.append(helper.make_tensor_value_info(output, kind, None))
    return pruned


def names(message: Any) -> Iterator[str]:
    """Give the names of tensors and nodes in a graph or node, and its subgraphs."""
    import onnx  # noqa: PLC0415 (an extra)

    if isinstance(message, onnx.NodeProto):
        yield from (*message.input, *message.output)
        for attribute in message.attribute:
            for graph in (attribute.g, *attribute.graphs):
                yield from names(graph)
    else:
        for each in (*message.input, *message.output, *message.initializer):
            yield each.name
        for node in message.node:
            yield node.name
            yield from names(node)


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


def one_line(error: Exception) -> str:
    """Return the message of an error on one line, shortened."""
    return " ".join(str(error).split())[:200]


def _plain(model: Any) -> Any:
    """Return a network without local functions, traces, or a version of files to come.

    Older files list their weights among the inputs, where a run could replace them.
    """
    from onnx import inliner  # noqa: PLC0415 (an extra)

    plain = strip_traces(inliner.inline_local_functions(model))
    plain.ir_version = min(plain.ir_version, NEWEST_IR)
    constants = {tensor.name for tensor in plain.graph.initializer}
    inputs = [value for value in plain.graph.input if value.name not in constants]
    del plain.graph.input[:]
    plain.graph.input.extend(inputs)
    plain.ir_version = max(plain.ir_version, 4)  # from which weights are no inputs
    for each in plain.opset_import:
        each.domain = "" if each.domain == "ai.onnx" else each.domain
    return plain


def session_of(data: bytes) -> Any:
    """Open the bytes of a network on the CPU."""
    import onnxruntime  # noqa: PLC0415 (an extra)

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(
        data, options, providers=["CPUExecutionProvider"]
    )


def _element_type(model: Any, name: str) -> int:
    """Return the type of the numbers in a tensor, floating-point if nothing says it."""
    from onnx import TensorProto, shape_inference  # noqa: PLC0415 (an extra)

    graph = shape_inference.infer_shapes(model).graph
    kinds = {
        each.name: each.type.tensor_type.elem_type
        for each in (*graph.value_info, *graph.output)
    }
    return int(kinds.get(name) or TensorProto.FLOAT)


def _dims(shape: Sequence[int | None]) -> str:
    return f"[{', '.join('any' if each is None else str(each) for each in shape)}]"
