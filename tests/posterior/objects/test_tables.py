"""Tables of fits of kind objects: pairs of names, and answers that name nothing."""

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.errors import SourceError

NONE = "none of these"
# Names of one object, of two, and what an item of nothing listed is called by mistake.
NAMES = (("tabby", "tiger cat"), ("dog", "ball"), ("tabby", "tiger cat"))


@pytest.fixture(scope="module")
def frame():
    """Answers about 90 items; of a third, most say that nothing listed is there."""
    generator = np.random.default_rng(0)
    rows = [
        (
            f"i{item:02d}",
            f"p{who:02d}",
            NONE
            if generator.random() < (0.85 if item % 3 == 2 else 0.08)
            else generator.choice(NAMES[item % 3]),
        )
        for item in range(90)
        for who in generator.permutation(12)[:7]
    ]
    return pd.DataFrame(rows, columns=["item", "annotator", "label"])


@pytest.fixture(scope="module")
def fit(frame):
    return cs.fit(cs.read(frame, kind="objects"), model="objects", engine="em")


@pytest.fixture(scope="module")
def without(frame):
    """Return the fit of the answers that name something."""
    named = frame[frame["label"] != NONE]
    return cs.fit(cs.read(named, kind="objects"), model="objects", engine="em")


def _by_kind(table):
    return table["item"].astype(str).str[1:].astype(int) % 3


def test_none_of_these_is_the_name_of_no_object(fit):
    for table in (fit.labels(), fit.table("objects")):
        assert NONE not in set(table["label"].astype(str))
    pairs = fit.table("same_object")[["label", "other_label"]].astype(str)
    assert set(map(tuple, pairs.to_numpy())) == {
        ("ball", "dog"),
        ("tabby", "tiger cat"),
    }


def test_it_says_nothing_of_which_names_are_of_one_object(fit, without):
    keys = ["item", "label", "other_label"]
    pd.testing.assert_frame_equal(
        fit.table("same_object").astype(dict.fromkeys(keys, str)),
        without.table("same_object").astype(dict.fromkeys(keys, str)),
    )


def test_where_most_say_so_no_object_is_there(fit, without):
    items = fit.items()
    nothing = _by_kind(items) == 2
    assert (items.loc[nothing, "main_label"] == NONE).mean() > 0.8
    assert (items.loc[nothing, "objects"] == 0).mean() > 0.8
    assert not (items.loc[~nothing, "main_label"] == NONE).any()
    assert (items.loc[~nothing, "objects"] > 0).all()
    labels = fit.labels()
    there = labels.groupby(_by_kind(labels))["probability"].mean()
    assert there[2] < 0.15
    assert there[0] > 0.4
    # Without these answers the same labels are believed.
    believed = without.labels()
    assert believed["probability"][_by_kind(believed) == 2].mean() > 0.4
    assert (items["responses"] == 7).all()


def test_items_of_which_nothing_is_known_are_left_out_and_counted(frame, fit):
    named = frame.loc[frame["label"] != NONE, "item"].unique()
    bare = frame["item"].nunique() - len(named)
    assert bare > 0
    assert set(fit.items()["item"].astype(str)) == set(named)
    assumptions = fit.data.attrs["assumptions"]
    assert f"{bare} items are left out" in assumptions
    count = (frame["label"] == NONE)[frame["item"].isin(named)].sum()
    assert f"{count} answers are 'none of these'" in assumptions


def test_answers_that_all_name_nothing_are_an_error(frame):
    nothing = frame.assign(label=NONE)
    with pytest.raises(SourceError, match="all of them are 'none of these'"):
        cs.fit(cs.read(nothing, kind="objects"), model="objects", engine="em")


def test_an_answer_whose_main_object_is_none_of_these_names_nothing():
    rows = [
        (f"i{item}", f"p{who}", label, label == main)
        for item in range(8)
        for who in range(5)
        for main, labels in [
            (NONE, (NONE, "cat")) if who == 0 else ("cat", ("cat", NONE, "dog"))
        ]
        for label in labels
    ]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label", "main"])
    fit = cs.fit(cs.read(frame, kind="objects"), model="objects", engine="em")
    assert "8 answers are 'none of these'" in fit.data.attrs["assumptions"]
    assert set(fit.table("objects")["label"].astype(str)) == {"cat", "dog"}
    assert (fit.items()["responses"] == 5).all()
