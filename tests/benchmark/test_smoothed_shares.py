import numpy as np
import pandas as pd

from consilience.benchmark.runs import smoothed_shares
from consilience.responses import read


def test_one_imagined_answer_is_spread_over_the_labels():
    rows = [
        ("1", "a", "cat"),
        ("1", "b", "cat"),
        ("1", "c", "dog"),
        ("2", "a", "dog"),
        ("2", "b", "dog"),
        ("2", "c", "dog"),
        ("3", "a", "cat"),
        ("3", "b", "dog"),
    ]
    responses = read(pd.DataFrame(rows, columns=["item", "annotator", "label"]))
    table = smoothed_shares(responses).set_index(["item", "label"])["probability"]
    # Item 1: two of three say cat, so (2 + 1/2) / 4. Item 2: all three say dog.
    assert np.isclose(table["1", "cat"], 2.5 / 4)
    assert np.isclose(table["2", "cat"], 0.5 / 4)
    assert np.isclose(table["3", "cat"], 0.5)
    np.testing.assert_allclose(table.groupby("item").sum(), 1)
