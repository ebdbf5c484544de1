"""How often another label is accepted as often as the data set's, counted by hand."""

import pandas as pd
import pytest

import consilience as cs
from consilience.errors import KindError, OptionError

ANSWERS = pd.DataFrame(
    [
        ("i", "cat", "a", "yes"),
        ("i", "cat", "b", "no"),
        ("i", "dog", "a", "maybe"),
        ("i", "dog", "b", "maybe"),
        ("j", "cat", "a", "yes"),
        ("j", "dog", "a", "maybe"),
        ("k", "dog", "a", "yes"),
    ],
    columns=["item", "label", "annotator", "answer"],
)


@pytest.fixture(scope="module")
def fit():
    return cs.fit(cs.read(ANSWERS, kind="contains"), model="majority")


def labels(**by_item):
    return pd.DataFrame({"item": by_item.keys(), "label": by_item.values()})


def test_a_rival_has_at_least_as_many_yes_where_a_maybe_is_half(fit):
    # Of i both labels have half, of j the other has less, of k nobody was asked.
    result = cs.rival_labels(fit, labels(i="cat", j="cat", k="cat")).iloc[0]
    assert result["value"] == pytest.approx(1 / 2)
    assert result["items"] == 2
    assert result["lower"] <= 0.5 <= result["upper"]
    turned = cs.rival_labels(fit, labels(i="dog", j="dog", k="dog")).iloc[0]
    assert turned["value"] == pytest.approx(2 / 3)
    assert turned["items"] == 3


def test_it_needs_answers_about_the_labels_of_the_data_set(fit):
    with pytest.raises(OptionError, match="nobody was asked"):
        cs.rival_labels(fit, labels(i="emu"))
    chosen = ANSWERS.drop(columns="answer")
    choice = cs.fit(cs.read(chosen, kind="choice"), model="majority")
    with pytest.raises(KindError, match="of kind choice"):
        cs.rival_labels(choice, labels(i="cat"))
