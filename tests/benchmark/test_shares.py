import numpy as np

from consilience.scoring.shares import smoothed_shares


def test_one_imagined_answer_is_spread_over_the_labels(first):
    table = smoothed_shares(first.responses).set_index(["item", "label"])["probability"]
    # Task 1: two of three say cat, so (2 + 1/2) / 4. Task 2: all three say dog.
    assert np.isclose(table["1", "cat"], 2.5 / 4)
    assert np.isclose(table["2", "cat"], 0.5 / 4)
    assert np.isclose(table["3", "cat"], 0.5)
    np.testing.assert_allclose(table.groupby("item").sum(), 1)
