"""The table of a reliability diagram: worked by hand, and its intervals hold."""

import numpy as np
import pandas as pd
import pytest

from consilience.errors import OptionError
from consilience.scoring.item_metrics import reliability_table


def test_bins_are_those_worked_by_hand():
    labels = pd.DataFrame(
        {
            "item": ["a", "a", "b", "b", "c", "c", "d", "d"],
            "label": ["x", "y"] * 4,
            "probability": [0.6, 0.4, 0.6, 0.4, 0.9, 0.1, 0.2, 0.8],
        }
    )
    gold = pd.DataFrame({"item": ["a", "b", "c", "d"], "label": ["x", "y", "x", "y"]})
    table = reliability_table(labels, gold, kind="choice", bins=2)
    np.testing.assert_allclose(table["stated"], [0.6, 0.85])
    np.testing.assert_allclose(table["value"], [0.5, 1.0])
    assert table["items"].tolist() == [2, 2]
    with pytest.raises(OptionError, match="bins"):
        reliability_table(labels, gold, kind="choice", bins=0)


TRIES = 50


def coverage(prob: float, *, joined: bool = True) -> float:
    """How often intervals hold the chance, where the labels of an item go together."""
    generator = np.random.default_rng(0)
    hits = []
    for _ in range(TRIES):
        item = np.repeat(np.arange(60), 5)
        stated = np.full(len(item), 0.6)
        right = np.repeat(generator.random(60) < 0.6, 5)
        name = item if joined else np.arange(len(item))
        rows = {"item": name.astype(str), "label": [f"l{n}" for n in range(len(item))]}
        labels = pd.DataFrame({**rows, "probability": stated})
        answer = np.where(right, "yes", "no")
        gold = pd.DataFrame({**rows, "answer": answer})
        row = reliability_table(labels, gold, kind="contains", prob=prob).iloc[0]
        hits.append(row["lower"] <= 0.6 <= row["upper"])
    return np.mean(hits)


def test_intervals_hold_where_labels_of_an_item_are_right_together():
    error = np.sqrt(0.9 * 0.1 / TRIES)
    assert abs(coverage(0.9) - 0.9) < 3.5 * error
    # They do not where labels count as if independent.
    assert coverage(0.9, joined=False) < 0.9 - 3.5 * error
