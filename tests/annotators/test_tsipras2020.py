"""The study's own rule: its released tables, to the letter, and ties worked by hand."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import consilience as cs
from consilience.annotators import tsipras2020
from consilience.annotators.tsipras2020 import max_cut
from consilience.errors import FitError
from consilience.imagenet.pickles import load_frame

COLUMNS = (
    *("num_workers", "main_counter", "main_top", "object_counter", "num_objects"),
    *("objects", "main_object", "main_object_counter", "imagenet_object"),
)


@pytest.fixture(scope="module")
def released(data_folder):
    path = data_folder / "imagenet-multilabel" / "annotations_classify_task.pkl"
    return load_frame(path)[0]


def plain(value):
    """Lists and dictionaries of plain numbers, order included."""
    if isinstance(value, dict):
        return [(int(name), plain(each)) for name, each in value.items()]
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return None if value is None or np.isnan(value) else float(value)


def object_of(result, label):
    return next((o for o, each in enumerate(result.objects) if label in each), None)


def equal_rows(released):
    """For each column, in how many rows the rule gives what was released."""
    equal = dict.fromkeys(COLUMNS, 0)
    for row, (named, main) in enumerate(
        zip(released["selected"], released["main"], strict=True)
    ):
        result = tsipras2020.aggregate(
            [tuple(map(int, each)) for each in named], [int(each) for each in main]
        )
        reported = (
            *(result.responses, result.main_votes, result.main_label, result.sizes),
            *(result.num_objects, list(result.objects), result.main_object),
            *(list(result.object_votes),),
            object_of(result, int(released["imagenet_label"][row])),
        )
        for name, value in zip(COLUMNS, reported, strict=True):
            equal[name] += plain(value) == plain(released[name][row])
    return equal


def test_all_nine_released_columns_are_given_in_every_row(released):
    assert equal_rows(released) == dict.fromkeys(COLUMNS, 6_761)


def test_another_order_of_the_labels_gives_other_objects(released, monkeypatch):
    monkeypatch.setattr(
        tsipras2020, "set", lambda those: sorted({*those}), raising=False
    )
    equal = equal_rows(released)
    assert equal["main_top"] == equal["num_objects"] == 6_761
    assert equal["objects"] < 6_700


def test_the_fit_of_the_study_holds_what_was_released(released, data_folder):
    study = cs.read(data_folder / "imagenet-multilabel")
    fit = cs.fit(study, model="tsipras2020")
    items = fit.items().astype({"item": "str"}).set_index("item")
    assert len(items) == 6_761
    assert (items["objects"] > 1).sum() == (released["num_objects"] > 1).sum() == 2_156
    main = items["main_label"].astype(int)
    labels = study.items.set_index("item")
    other = main != labels.loc[main.index, "dataset_label"].astype(int)
    assert other.sum() == 2_109
    assert other[items["objects"] > 1].sum() == 740
    assert items["tied"].sum() == 371


# Ties, worked by hand


def test_of_cuts_that_are_as_good_the_last_of_the_enumeration_is_taken():
    # Each pair of 0, 1, 2 once: two of three pairs can be separated, in three ways,
    # and 110 is the last of 001, 010, 011, 100, 101, 110.
    result = tsipras2020.aggregate([(0, 1), (1, 2), (0, 2)], [0, 1, 2])
    assert [list(each) for each in result.objects] == [[2], [0, 1]]
    assert result.main_object == 1
    assert result.object_votes == (1, 2)


def test_a_hash_table_of_eight_slots_gives_the_order_of_the_nodes():
    # 8 and 0 want slot 0: whoever comes second goes to 5 x 0 + 1.
    result = tsipras2020.aggregate([(8, 0), (8, 0)], [8, 0])
    assert [list(each) for each in result.objects] == [[0], [8]]


def test_more_objects_than_labels_leave_some_empty():
    result = tsipras2020.aggregate([(1, 2, 3), (1, 2), (4, 5, 6)], [1, 1, 4])
    assert result.num_objects == 3
    result = tsipras2020.aggregate([(1, 1)], [None])
    assert result.num_objects == 2
    assert result.names() == (None, 1)
    assert result.main_label is None


@given(
    st.integers(1, 6).flatmap(
        lambda n: st.lists(st.integers(0, 2), min_size=n * n, max_size=n * n)
    ),
    st.integers(1, 4),
)
def test_the_cut_is_the_last_maximum_of_the_enumeration(numbers, parts):
    nodes = int(np.sqrt(len(numbers)))
    weight = np.triu(np.reshape(numbers, (nodes, nodes)), 1)

    def separated(assigned):
        apart = np.not_equal.outer(assigned, assigned)
        return int((weight * apart).sum())

    best, last = -1, None
    for assigned in itertools.product(range(parts), repeat=nodes):
        if separated(assigned) >= best:
            best, last = separated(assigned), assigned
    assert max_cut(weight + weight.T, parts) == last


def test_more_labels_than_can_be_parted_are_refused():
    with pytest.raises(FitError, match="17 labels were named together"):
        max_cut(np.ones((17, 17), int), 2)


# The run


def rows(*those):
    columns = ["item", "annotator", "label", "main"]
    return pd.DataFrame(those, columns=columns)


@pytest.fixture
def responses():
    frame = rows(
        ("i", "a", "cat", True),
        ("i", "a", "dog", False),
        ("i", "b", "dog", True),
        ("i", "b", "cat", False),
        ("i", "c", "cat", True),
        ("j", "a", "fox", True),
        ("j", "b", None, None),
        ("k", "b", None, None),
    )
    return cs.read(frame, kind="objects", labels=["cat", "dog", "fox"])


def test_the_tables_say_what_the_rule_says(responses):
    fit = cs.fit(responses, model="tsipras2020")
    labels = fit.labels()
    first = ["item", "label", "probability", "lower", "upper"]
    assert list(labels.columns)[:5] == first
    assert labels["probability"].tolist() == [1, 1, 1]
    assert np.allclose(labels["named"], [1, 2 / 3, 1])
    items = fit.items()
    assert items["objects"].tolist() == [2, 1, 0]
    assert items["main_label"].astype("str").tolist()[:2] == ["cat", "fox"]
    assert items["main_label"].isna().tolist() == [False, False, True]
    assert items["responses"].tolist() == [3, 1, 0]
    assert np.allclose(items["entropy"][0], np.log(3) - 2 / 3 * np.log(2))
    objects = fit.table("objects")
    assert list(objects.columns)[:6] == [
        *("item", "object", "label", "share", "probability", "main_probability")
    ]
    assert objects["label"].astype("str").tolist() == ["dog", "cat", "fox"]
    assert np.allclose(objects["main_probability"], [1 / 3, 2 / 3, 1])
    counts = fit.table("object_counts")
    assert list(counts.columns) == ["item", "threshold", "objects", "probability"]
    assert counts["objects"].tolist() == [2, 1]
    assert fit.annotators()["responses"].tolist() == [2, 3, 1]
