import numpy as np
import pytest


def test_each_candidate_of_each_item_has_a_row(choice_fit):
    table = choice_fit().labels()
    assert list(table.columns) == ["item", "label", "probability", "lower", "upper"]
    assert table["item"].tolist() == [f"image {i}" for i in (0, 0, 1, 1, 2, 2)]
    assert table["label"].tolist() == ["cat", "dog"] * 3
    assert table["probability"].tolist() == [0.9, 0.1, 0.5, 0.5, 0.25, 0.75]
    assert table["upper"].tolist() == pytest.approx(table["probability"] + 0.05)


def test_padding_gives_no_row(choice_fit):
    table = choice_fit(
        probability=[[0.7, 0.3], [1.0, np.nan]],
        candidate_class=[[2, 0], [1, -1]],
        classes=("a", "b", "c"),
    ).labels()
    assert table["label"].tolist() == ["c", "a", "b"]
    assert table["probability"].tolist() == [0.7, 0.3, 1.0]


def test_labels_and_ids_keep_their_text_and_order(choice_fit):
    classes = ("=1+1", "007", "<b>", "../x", "", "nan")
    table = choice_fit(
        probability=np.full((2, 6), 1 / 6), classes=classes, items=("1.0", "01")
    ).labels()
    assert table["label"].cat.categories.tolist() == list(classes)
    assert table["label"].tolist() == list(classes) * 2
    assert table["item"].tolist() == ["1.0"] * 6 + ["01"] * 6
    assert not table.isna().any(axis=None)


def test_presence_is_the_probability_of_the_state_present(contains_fit):
    table = contains_fit().labels()
    assert table["item"].tolist() == ["img1", "img1", "img2"]
    assert table["label"].tolist() == ["dog", "cat", "cat"]
    assert table["probability"].tolist() == [0.8, 0.1, 0.5]
    assert table["lower"].tolist() == pytest.approx([0.75, 0.05, 0.45])
    assert table["upper"].tolist() == pytest.approx([0.9, 0.2, 0.6])


def test_a_maybe_counts_half_and_its_bounds_are_not_guessed(contains_fit):
    table = contains_fit(
        states=("no", "maybe", "yes"),
        present=(0.0, 0.5, 1.0),
        probability=[[0.2, 0.2, 0.6], [1.0, 0.0, 0.0], [0.1, 0.8, 0.1]],
    ).labels()
    assert table["probability"].tolist() == pytest.approx([0.7, 0.0, 0.5])
    assert table[["lower", "upper"]].isna().all(axis=None)


def test_two_kinds_of_present_take_their_bounds_from_absent(contains_fit):
    table = contains_fit(
        states=("absent", "faint", "plain"),
        present=(0.0, 1.0, 1.0),
        probability=[[0.2, 0.2, 0.6], [0.9, 0.1, 0.0], [0.1, 0.8, 0.1]],
    ).labels()
    assert table["probability"].tolist() == pytest.approx([0.8, 0.1, 0.9])
    assert table["lower"].tolist() == pytest.approx([0.7, 0.0, 0.8])
    assert table["upper"].tolist() == pytest.approx([0.85, 0.15, 0.95])
