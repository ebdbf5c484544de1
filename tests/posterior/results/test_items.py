import numpy as np
import pytest


def test_the_best_label_stands_with_its_probability(choice_fit):
    table = choice_fit().items()
    assert " ".join(table.columns) == "item label probability entropy responses tied"
    assert table["label"].tolist() == ["cat", "cat", "dog"]
    assert table["probability"].tolist() == [0.9, 0.5, 0.75]
    assert table["responses"].tolist() == [0, 1, 2]


def test_a_tie_is_said_and_the_first_label_stands(choice_fit):
    table = choice_fit(
        probability=[[0.4, 0.2, 0.4], [0.4, 0.4, 0.2], [0.4, 0.6, np.nan]],
        candidate_class=[[2, 1, 0], [0, 2, 1], [0, 1, -1]],
        classes=("a", "b", "c"),
    ).items()
    assert table["tied"].tolist() == [True, True, False]
    assert table["label"].tolist() == ["a", "a", "b"]


def test_single_precision_does_not_hide_a_tie(choice_fit):
    table = choice_fit(
        probability=[[0.5 + 6e-8, 0.5], [0.5001, 0.4999]], dtype=np.float32
    ).items()
    assert table["tied"].tolist() == [True, False]


def test_entropy_is_in_nats(choice_fit):
    entropy = choice_fit(probability=[[0.5, 0.5], [1.0, 0.0]]).items()["entropy"]
    assert entropy.tolist() == pytest.approx([np.log(2), 0.0])


def test_an_item_without_candidates_has_no_label(choice_fit):
    table = choice_fit(
        probability=[[np.nan, np.nan], [0.2, 0.8]], candidate_class=[[-1, -1], [0, 1]]
    ).items()
    assert table["label"].isna().tolist() == [True, False]
    assert table["probability"].isna().tolist() == [True, False]
    assert table["tied"].tolist() == [False, False]


def test_the_labels_of_one_image_make_one_row(contains_fit):
    table = contains_fit().items()
    assert table["item"].tolist() == ["img1", "img2"]
    assert table["label"].tolist() == ["dog", "cat"]
    assert table["probability"].tolist() == [0.8, 0.5]
    assert table["responses"].tolist() == [6, 0]
    assert table["present"].tolist() == ["dog", "cat"]  # as likely there as not
    # -.8 log .8 - .2 log .2 = .5004; -.1 log .1 - .9 log .9 = .3251
    assert table["entropy"].tolist() == pytest.approx([0.8255, 0.6931], abs=1e-4)
