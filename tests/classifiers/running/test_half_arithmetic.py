"""Half precision: the same first labels, and logits that differ by rounding only."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from consilience.classifiers.classifier import load_classifier
from consilience.classifiers.runtime import to_half_arithmetic

from ..conftest import ON_CPU
from .test_classifier import square_of

# A logit is a sum of over a thousand products, each rounded to a relative 2**-11.
TOLERANCE = 0.05


@pytest.fixture(scope="module")
def halved(kept_folder):
    return load_classifier(kept_folder, ON_CPU, precision="half")


def test_the_first_five_labels_of_photographs_are_those_of_single_precision(
    kept, halved
):
    how = kept.manifest.preprocessing
    squares = np.stack([square_of(each, how) for each in kept.manifest.golden])
    single, half = kept.logits(squares), halved.logits(squares)
    first = [np.argsort(-logits, axis=1)[:, :5] for logits in (single, half)]
    assert np.array_equal(*first)
    assert 0 < np.abs(single - half).max() < TOLERANCE
    # The labels of another photograph are not these.
    assert not (first[0][[1, 2, 0]] == first[1]).any()


def test_the_arithmetic_is_in_half_and_the_answers_in_single(kept_folder):
    data = to_half_arithmetic((kept_folder / "model.onnx").read_bytes())
    model = onnx.shape_inference.infer_shapes(onnx.load_from_string(data))
    kinds = {
        value.name: value.type.tensor_type.elem_type
        for value in (*model.graph.value_info, *model.graph.output)
    }
    convolved = {
        kinds[node.output[0]] for node in model.graph.node if node.op_type == "Conv"
    }
    assert convolved == {TensorProto.FLOAT16}
    assert kinds[model.graph.output[0].name] == TensorProto.FLOAT
