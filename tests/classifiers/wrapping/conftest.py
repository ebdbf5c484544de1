"""Networks as exporters leave them: floating-point images in, answers out."""

import onnx
import pytest
from onnx import TensorProto, helper, parser

from consilience.classifiers import wrap

SIDE = 2
LABELS = tuple(f"l{k}" for k in range(3 * SIDE * SIDE))
IMAGES, POOLED = "float[n, 3, 8, 8] x", "m = GlobalAveragePool (x)"


def network(inputs, body, outputs="float[n, 3] y", *, ir=10, opset=18):
    """Return a network written in ONNX's text form."""
    head = f'<ir_version: {ir}, opset_import: ["": {opset}]>'
    return parser.parse_model(f"{head} made ({inputs}) => ({outputs}) {{ {body} }}")


def pixels_out(layout="nchw", batch="n", kind="float"):
    """Return a network whose logits are the numbers that it is given."""
    shape = f"3, {SIDE}, {SIDE}" if layout == "nchw" else f"{SIDE}, {SIDE}, 3"
    taken, given = f"{batch}, {shape}", f"{batch}, {len(LABELS)}"
    return network(f"{kind}[{taken}] x", "y = Flatten (x)", f"{kind}[{given}] y")


def colours(ending="y = Flatten (m)", shape="n, 3, 8, 8", out="n, 3", **how):
    """Return a network that answers with the mean of each colour."""
    return network(f"float[{shape}] x", f"{POOLED} {ending}", f"float[{out}] y", **how)


def torchvision_form(path):
    """Return a kept network without its preprocessing: it takes scaled pixels."""
    model = onnx.load(path)
    first = next(n for n in model.graph.node if n.op_type == "Conv")
    start = first.input[0]
    before = {"image", start}
    kept = []
    for node in model.graph.node:
        if node.output[0] == start or node.input[0] in before - {start}:
            before |= set(node.output)
        else:
            kept.append(node)
    del model.graph.node[:], model.graph.input[:]
    model.graph.node.extend(kept)
    shape = ["batch", 3, 224, 224]
    model.graph.input.append(
        helper.make_tensor_value_info(start, TensorProto.FLOAT, shape)
    )
    onnx.checker.check_model(model)
    return model


@pytest.fixture
def made(tmp_path):
    """Wrap a network in the folder `made`; return what `wrap` returns."""

    def make(model, labels=("red", "green", "blue"), **how):
        path = tmp_path / "network.onnx"
        path.write_bytes(model.SerializeToString())
        how = how if {"mean", "preprocessor"} & set(how) else {"scale": 1, **how}
        return wrap(path, labels, tmp_path / "made", **how)

    return make
