"""Who gives which main label: by hand, and of a fitted study."""

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.errors import OptionError
from consilience.posterior.item_tables import main_accuracy, main_confusion
from consilience.posterior.shrinkage import PRECISIONS, learn_precision
from consilience.spaces import space_of

ROWS = [("i", "a", "cat"), ("i", "b", "cat"), ("j", "a", "dog"), ("j", "b", "cat")]


@pytest.fixture
def space():
    frame = pd.DataFrame(ROWS, columns=["item", "annotator", "label"]).assign(main=True)
    return space_of(cs.read(frame, kind="objects", labels=["cat", "dog"]))


def test_counts_are_weighed_by_the_truth(space):
    # i is cat for sure; j is dog with probability .75.
    main = np.array([[1.0, 0.0], [0.25, 0.75]])
    table = main_confusion(space, space.named, main, 0.9)
    assert (table["lower"] <= table["probability"]).all()
    assert (table["probability"] <= table["upper"]).all()
    whole = table[table["annotator"].isna()]
    result = whole.set_index(["true_label", "given_label"])["probability"].to_dict()
    assert result == pytest.approx(
        {
            ("cat", "cat"): 2.25 / 2.5,
            ("cat", "dog"): 0.25 / 2.5,
            ("dog", "cat"): 0.75 / 1.5,
            ("dog", "dog"): 0.75 / 1.5,
        }
    )
    mine = table[table["annotator"] == "a"].set_index(["true_label", "given_label"])
    # Rows: a about cats and dogs, b about cats and dogs.
    count = np.array([1.0, 0.25, 0.75, 1.25, 0.75])
    share = np.array([0.9, 0.1, 0.5, 0.9, 0.5])
    weight = learn_precision(count, share, np.array([1.25, 0.75, 1.25, 0.75]))
    expected = weight @ ((0.25 + PRECISIONS * 0.1) / (1.25 + PRECISIONS))
    assert mine["probability"]["cat", "dog"] == pytest.approx(expected)
    people = main_accuracy(space, space.named, main, 0.9).set_index("annotator")
    everyone = (1 + 1 + 0.75 + 0.25) / 4
    both = np.array([1.75, 0.25, 1.25, 0.75])
    share = np.tile([everyone, 1 - everyone], 2)
    weight = learn_precision(both, share, np.array([2.0, 2.0]))
    expected = weight @ ((1.25 + PRECISIONS * everyone) / (2 + PRECISIONS))
    assert people["accuracy"]["b"] == pytest.approx(expected)


def test_superclasses_have_the_answers_of_their_labels():
    rows = [*ROWS, ("j", "c", "fish"), ("i", "c", "dog")]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label"]).assign(main=True)
    parents = {"cat": "pet", "dog": "pet", "fish": None}
    labels = pd.DataFrame({"label": list(parents), "parent": list(parents.values())})
    space = space_of(cs.read(frame, kind="objects", labels=labels))
    main = np.array([[0.5, 0.5, 0.0], [0.25, 0.25, 0.5]])
    table = main_confusion(space, space.named, main, 0.9, level=1)
    whole = table[table["annotator"].isna()].set_index(["true_label", "given_label"])
    # i has three answers, all of a pet; j two of a pet and one that is none.
    assert whole["probability"].to_dict() == pytest.approx(
        {
            ("pet", "pet"): (3 + 0.5 * 2) / 4.5,
            ("pet", "fish"): 0.5 * 1 / 4.5,
            ("fish", "pet"): 0.5 * 2 / 1.5,
            ("fish", "fish"): 0.5 * 1 / 1.5,
        }
    )
    assert set(table["annotator"].dropna()) == {"a", "b", "c"}


def test_a_fit_has_numbers_for_everyone(objects_fit, objects_study):
    table, people = objects_fit.confusion(), objects_fit.annotators()
    assert len(people) == objects_study.responses.table["annotator"].nunique()
    numbers = ["probability", "lower", "upper"]
    assert len(table)
    assert np.isfinite(table[numbers].to_numpy()).all()
    assert np.isfinite(people[["accuracy", "lower", "upper"]].to_numpy()).all()
    assert (people["lower"] < people["accuracy"]).all()
    assert (people["accuracy"] < people["upper"]).all()
    text = table.astype({"annotator": object}).fillna({"annotator": ""})
    rows = text.groupby(["annotator", "true_label"], observed=True)["probability"].sum()
    assert np.allclose(rows, 1)
    assert set(people["annotator"]) == set(table["annotator"].dropna())
    with pytest.raises(OptionError, match="has the level 0 alone; other levels"):
        objects_fit.confusion(level=2)
