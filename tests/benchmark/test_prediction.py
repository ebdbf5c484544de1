import numpy as np
import pandas as pd
import pytest

from consilience.benchmark.runs import complete


def long(rows):
    return pd.DataFrame(rows, columns=["item", "label", "probability"])


def square(table):
    return table.pivot_table(
        index="item", columns="label", values="probability", aggfunc="sum", fill_value=0
    )


def test_probabilities_are_made_to_sum_to_one():
    said, silent = complete(long([("1", "x", 2.0), ("1", "y", 6.0)]), ["1"], ["x", "y"])
    assert silent == 0
    np.testing.assert_allclose(square(said).loc["1"], [0.25, 0.75])


def test_an_item_of_which_nothing_is_said_gets_equal_probabilities():
    rows = [
        ("1", "x", 1.0),
        ("2", "x", 0.0),
        ("2", "y", 0.0),
        ("3", "x", np.nan),
        ("3", "y", 0.5),
    ]
    said, silent = complete(long(rows), ["1", "2", "3", "4"], ["x", "y"])
    assert silent == 3
    for item in "234":
        np.testing.assert_allclose(square(said).loc[item], [0.5, 0.5])


def test_items_without_gold_are_left_out_and_numbers_are_text():
    table = pd.DataFrame({"item": [1, 2], "label": [7, 7], "probability": [1.0, 1.0]})
    said, silent = complete(table, ["2"], ["7", "8"])
    assert silent == 0
    assert said["item"].tolist() == ["2"]


def test_a_negative_probability_is_refused():
    with pytest.raises(ValueError, match="less than 0"):
        complete(long([("1", "x", -0.5)]), ["1"], ["x"])
