"""The preprocessing as part of a network: eight-bit RGB squares in, answers out."""

from typing import Any

import numpy as np

from consilience.classifiers.wrapping.network import Taken, names, prune
from consilience.classifiers.wrapping.settings import Settled

INPUT, OUTPUT = "image", "logits"


def to_pixels(squares: np.ndarray, how: Settled, kind: np.dtype[Any]) -> np.ndarray:
    """Return what a network is given for squares, worked out outside of a graph."""
    ordered = squares if how.colour == "rgb" else squares[..., ::-1]
    mean, scale = (np.array(each, np.float32) for each in (how.mean, how.scale))
    pixels = (ordered.astype(np.float32) - mean) * scale
    pixels = pixels if how.layout == "nhwc" else pixels.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(pixels.astype(kind))


def compose(
    model: Any, taken: Taken, how: Settled, output: str, shape: tuple[int, ...]
) -> tuple[Any, str, str]:
    """Return a network with its preprocessing, and the names of its ends."""
    from onnx import TensorProto, compose, helper  # noqa: PLC0415 (an extra)

    network = prune(model, output)
    used = set(names(network.graph))

    def fresh(name: str) -> str:
        while name in used:
            name += "_"
        used.add(name)
        return name

    image, last = fresh(INPUT), output
    nodes, constants = _preprocessing(image, fresh, taken, how)
    ending = []
    if len(shape) > 2:
        ending.append(helper.make_node("Flatten", [last], [fresh("flat")], axis=1))
        last = ending[-1].output[0]
    kind = network.graph.output[0].type.tensor_type.elem_type
    if kind != TensorProto.FLOAT:
        to = TensorProto.FLOAT
        ending.append(helper.make_node("Cast", [last], [fresh(OUTPUT)], to=to))
        last = ending[-1].output[0]
    size = how.preprocessing.size
    vectors = [
        helper.make_tensor_value_info(
            last, TensorProto.FLOAT, ["batch", int(np.prod(shape[1:]))]
        )
    ]
    squares = helper.make_tensor_value_info(
        image, TensorProto.UINT8, ["batch", size, size, 3]
    )
    pixels = nodes[-1].output[0]
    handed = helper.make_tensor_value_info(
        pixels, helper.np_dtype_to_tensor_dtype(taken.kind), None
    )
    first = helper.make_model(
        helper.make_graph(nodes, "preprocessing", [squares], [handed], constants),
        opset_imports=network.opset_import,
        ir_version=network.ir_version,
    )
    network.graph.node.extend(ending)
    del network.graph.output[:]
    network.graph.output.extend(vectors)
    whole = compose.merge_models(first, network, io_map=[(pixels, taken.name)])
    whole.graph.name = network.graph.name or "classifier"
    return whole, image, last


def _preprocessing(
    image: str, fresh: Any, taken: Taken, how: Settled
) -> tuple[list[Any], list[Any]]:
    """Return the nodes from squares to what the network takes, and their constants."""
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415 (an extra)

    nodes: list[Any] = []
    constants: list[Any] = []

    def step(operator: str, name: str, *more: np.ndarray, **settings: Any) -> None:
        given = [nodes[-1].output[0] if nodes else image]
        for value in more:
            constants.append(numpy_helper.from_array(value, fresh(f"{name}_constant")))
            given.append(constants[-1].name)
        result = fresh(name)
        nodes.append(
            helper.make_node(operator, given, [result], name=result, **settings)
        )

    across = (3, 1, 1) if how.layout == "nchw" else (3,)
    mean, scale = (
        np.array(each, np.float32).reshape(across) for each in (how.mean, how.scale)
    )
    if how.colour == "bgr":
        step("Gather", "bgr", np.array([2, 1, 0]), axis=3)
    if how.layout == "nchw":
        step("Transpose", "nchw", perm=[0, 3, 1, 2])
    step("Cast", "single", to=TensorProto.FLOAT)
    step("Sub", "centred", mean)
    step("Mul", "scaled", scale)
    if taken.kind != np.float32:
        kind = helper.np_dtype_to_tensor_dtype(taken.kind)
        step("Cast", "pixels", to=kind)
    return nodes, constants
