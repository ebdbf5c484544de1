"""How often another label is accepted as often as the data set's, counted by hand."""

import pytest
from tests.analysis.made import as_labels, contains_fit

import consilience as cs

ROWS = [  # yes, maybe, no
    ("i", "cat", 1, 0, 1),
    ("i", "dog", 0, 2, 0),
    ("j", "cat", 1, 0, 0),
    ("j", "dog", 0, 1, 0),
    ("k", "dog", 1, 0, 0),
]


def rivals(**dataset):
    return cs.analysis.rival_labels(contains_fit(ROWS), as_labels(dataset))


def test_a_rival_has_at_least_as_many_yes_where_a_maybe_is_half():
    # Of i both labels have half, of j the other has less, of k nobody was asked.
    result = rivals(i="cat", j="cat", k="cat").iloc[0]
    assert result["value"] == pytest.approx(1 / 2)
    assert result["items"] == 2
    assert result["lower"] <= 0.5 <= result["upper"]
    turned = rivals(i="dog", j="dog", k="dog").iloc[0]
    assert turned["value"] == pytest.approx(2 / 3)
    assert turned["items"] == 3
