"""Similar labels of one item: which are, and which of them were shown together."""

import numpy as np
import pandas as pd
import pytest

from consilience.errors import DataError
from consilience.responses import read
from consilience.spaces import space_of

SIMILAR = pd.DataFrame(
    [("husky", "malamute", 0.4), ("malamute", "wolf", 0.1), ("cup", "husky", 0.04)],
    columns=["label", "other_label", "value"],
)
TASKS = {"ann": ["cup", "husky", "malamute"], "bob": ["cup", "husky", "malamute"]}
APART = {"ann": ["husky"], "bob": ["husky", "wolf"], "cid": ["wolf", "malamute"]}


def space(shown, **known):
    rows = [
        (item, who, label, "no")
        for item, tasks in shown.items()
        for who, labels in tasks.items()
        for label in labels
    ]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label", "answer"])
    return space_of(
        read(frame, kind="contains", labels=known.get("labels")),
        alike=known.get("alike"),
    )


def sets(space, codes):
    """The sets, as labels of items."""
    names = pd.Series(space.unit_item).str.cat(space.unit_label, sep=" ")
    return {frozenset(names[codes == code]) for code in np.unique(codes)}


def test_labels_are_linked_within_an_item_and_not_across():
    result = space({"one": TASKS, "two": TASKS}, alike=SIMILAR).similar_sets
    assert sets(space({"one": TASKS, "two": TASKS}), result.of_unit) == {
        frozenset({"one husky", "one malamute"}),
        frozenset({"two husky", "two malamute"}),
        frozenset({"one cup"}),
        frozenset({"two cup"}),
    }


def test_labels_were_shown_together_if_half_of_either_saw_both():
    study = space({"one": APART}, alike=SIMILAR)
    # Wolf and malamute are similar; a husky and a wolf are by the malamute.
    assert sets(study, study.similar_sets.of_unit) == {
        frozenset({"one husky", "one malamute", "one wolf"})
    }
    # Half of those who saw the husky saw the wolf, and all who saw the malamute.
    assert len(sets(study, study.similar_sets.shown)) == 1
    fewer = {**APART, "bob": ["husky"], "dee": ["wolf"]}
    study = space({"one": fewer}, alike=SIMILAR)
    assert sets(study, study.similar_sets.shown) == {
        frozenset({"one husky"}),
        frozenset({"one malamute", "one wolf"}),
    }


def test_labels_of_one_group_are_similar_where_nobody_says_which_are():
    names = ["cup", "husky", "malamute", "wool"]
    labels = pd.DataFrame({"label": names, "parent": ["", "dogs", "dogs", ""]})
    study = space({"one": {"ann": names}}, labels=labels)
    assert sets(study, study.similar_sets.of_unit) == {
        frozenset({"one husky", "one malamute"}),
        frozenset({"one cup"}),
        frozenset({"one wool"}),
    }
    assert not space({"one": TASKS}).similar_sets.linked


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (SIMILAR.iloc[:1].assign(label="lynx"), "names no two labels"),
        (SIMILAR.rename(columns={"other_label": "other"}), "column 'other_label'"),
        (SIMILAR.astype(str).assign(value="much"), "row 1: found 'much'"),
    ],
)
def test_a_table_of_similar_labels_must_be_one(table, said):
    with pytest.raises(DataError, match=said):
        space({"one": TASKS}, alike=table)
