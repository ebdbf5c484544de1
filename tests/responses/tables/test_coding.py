import numpy as np
import pyarrow as pa
import pytest

from consilience.responses.text import Coded, concatenate, natural_order, text_array


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (["10", "9", "1.5"], ["1.5", "9", "10"]),
        (["1", "01", "1.0"], ["01", "1", "1.0"]),
        (["1e3", "5", "-2"], ["-2", "5", "1e3"]),
        (["b10", "b9", "a"], ["a", "b10", "b9"]),
        (["10", "9", "x"], ["10", "9", "x"]),
        (["nan", "10", "9"], ["10", "9", "nan"]),
        (["é", "z", "Z"], ["Z", "z", "é"]),
        ([], []),
    ],
)
def test_numbers_sort_by_value_and_anything_else_as_text(given, wanted):
    values = text_array(given)
    assert values.take(pa.array(natural_order(values))).to_pylist() == wanted


def test_columns_keep_their_texts_through_every_step():
    texts = ["b", None, "10", "9", "b"]
    column = Coded.of(texts).sorted(text_array(["unasked"]))
    assert [column.text(i) for i in range(5)] == texts
    assert column.values.to_pylist() == ["10", "9", "b", "unasked"]
    both = concatenate([column, Coded.of(["9", "new", None])])
    assert [both.text(i) for i in range(8)] == [*texts, "9", "new", None]
    only = both.coded_by(text_array(["9"]))
    assert only.codes.tolist() == [-1, -1, -1, 0, -1, 0, -1, -1]
    assert column.take(np.array([True, False, False, False, True])).codes.tolist() == [
        2,
        2,
    ]


def test_unused_values_are_dropped():
    column = Coded.of(["a", "b"]).take(np.array([1]))
    assert column.sorted().values.to_pylist() == ["b"]
