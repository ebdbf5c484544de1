"""Majority vote, counted by hand."""

import pandas as pd
import pytest

from consilience.fitting import fit
from consilience.responses import read

ROWS = [
    ("i", "ann", "cat"),
    ("i", "bob", "cat"),
    ("i", "cy", "dog"),
    ("j", "ann", "cat"),
    ("j", "bob", "dog"),
]


@pytest.fixture(scope="module")
def counted():
    frame = pd.DataFrame(ROWS, columns=["item", "annotator", "label"])
    return fit(read(frame), model="majority")


def test_probabilities_are_shares_of_votes(counted):
    table = counted.labels().set_index(["item", "label"])["probability"]
    assert table["i", "cat"] == pytest.approx(2 / 3)
    assert table["j", "dog"] == pytest.approx(1 / 2)


def test_a_tie_is_reported(counted):
    tied = counted.items().set_index("item")["tied"]
    assert not tied["i"]
    assert tied["j"]


def test_annotators_are_crossed_with_the_votes(counted):
    # Ann says cat to both: two thirds and a half of the truth by vote.
    confusion = counted.confusion().set_index(
        ["annotator", "true_label", "given_label"]
    )
    assert confusion["probability"]["ann", "cat", "cat"] == pytest.approx(1)
    # Cy, only on i, says dog: right by a third, so both rows are all dog.
    assert confusion["probability"]["cy", "dog", "dog"] == pytest.approx(1)
