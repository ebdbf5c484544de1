"""Pooling by hand: families, what is left of a softmax, what a rank deserves."""

import numpy as np
import pandas as pd
import pytest

from consilience.classifiers.pooling import OFF_LIST, pool
from consilience.classifiers.predictions import from_arrays, from_table


def predictions(rows, **more):
    """Predictions of a table of item, model, family, rank, label, probability."""
    columns = ["item", "model", "family", "rank", "label", "probability"]
    cells = [line.split() for line in rows.strip().splitlines()]
    return from_table(pd.DataFrame(cells, columns=columns), "one", "here", **more)


def probability(pooled, item, label):
    at = pooled.pairs(
        np.flatnonzero(pooled.items == item), np.flatnonzero(pooled.labels == label)
    )
    return float(pooled.probability[at.cell[0]])


def test_the_mean_of_two_classifiers_is_as_worked_by_hand():
    rows = """
    i a a 1 cat 0.6
    i a a 2 dog 0.2
    i b b 1 dog 0.7
    i b b 2 fox 0.1
    """
    pooled = pool([predictions(rows, num_labels=4)])
    # What is left, .2 each, is shared by the two labels that a classifier keeps not.
    assert probability(pooled, "i", "cat") == pytest.approx((0.6 + 0.1) / 2)
    assert probability(pooled, "i", "dog") == pytest.approx((0.2 + 0.7) / 2)
    assert probability(pooled, "i", "fox") == pytest.approx((0.1 + 0.1) / 2)
    assert pooled.elsewhere[0] == pytest.approx(0.1)
    assert pooled.probability.sum() + pooled.elsewhere[0] == pytest.approx(1)


@pytest.mark.parametrize(
    ("families", "share"), [("aaab", 0.5), ("cdeb", 0.75)], ids=["one", "four"]
)
def test_a_family_counts_as_one_classifier(families, share):
    labels = ["cat", "cat", "cat", "dog"]
    rows = [f"i m{k} {families[k]} 1 {labels[k]} 1" for k in range(4)]
    pooled = pool([predictions("\n".join(rows))])
    assert probability(pooled, "i", "cat") == pytest.approx(share)


def test_ranks_without_gold_fall_as_one_over_the_rank():
    table = pd.DataFrame({"item": "i", "rank": [1, 2, 3], "label": ["x", "y", "z"]})
    pooled = pool([from_table(table, "a", "here", num_labels=10)])
    falling = (1 - OFF_LIST) / np.array([1, 2, 3]) / (1 + 1 / 2 + 1 / 3)
    results = [probability(pooled, "i", label) for label in "xyz"]
    assert results == pytest.approx(falling)
    assert pooled.elsewhere[0] == pytest.approx(OFF_LIST / 7)


@pytest.fixture
def ranked(tmp_path):
    """Write a list of three ranks that has the truth, label 0, at given places."""

    def make(name, places):
        labels = np.tile([1, 2, 3], (len(places), 1))
        labels[np.arange(len(places)), places] = 0
        np.save(tmp_path / f"{name}.npy", labels)
        return from_arrays([tmp_path / f"{name}.npy"], names(len(places)))

    return make


def names(number):
    return [f"i{k}" for k in range(number)]


def test_with_gold_a_rank_is_worth_how_often_it_is_right(ranked):
    places = np.repeat([0, 1, 2], [7000, 2000, 1000])
    gold = pd.DataFrame({"item": names(10_000), "label": "0"})
    pooled = pool([ranked("a", places)], gold)
    for item, share in (("i0", 0.7), ("i7000", 0.2), ("i9999", 0.1)):
        assert probability(pooled, item, "0") == pytest.approx(share, abs=0.005)
