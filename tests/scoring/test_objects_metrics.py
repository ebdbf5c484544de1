"""Metrics of label sets: by hand, and beside scikit-learn's."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as peer

from consilience.errors import DataError
from consilience.scoring.metrics import ScoreOptions, score

OPTIONS = ScoreOptions(resamples=50)


def frame(*rows, columns=("item", "label", "probability")):
    return pd.DataFrame(rows, columns=list(columns))


def values(labels, gold, **more):
    result = score(labels, gold, kind="objects", seed=0, options=OPTIONS, **more)
    return {name: metric.value for name, metric in result.metrics.items()}, result


def test_the_sets_are_scored_as_by_hand():
    labels = frame(
        ("i", "cat", 1.0), ("i", "dog", 0.5), ("i", "fox", 0.4), ("j", "cat", 0.9)
    )
    gold = frame(("i", "cat"), ("i", "fox"), ("j", "cat"), columns=("item", "label"))
    result, reported = values(labels, gold)
    del result["ece"]
    # i: {cat, dog} for {cat, fox}; j: {cat} for {cat}.
    assert result == pytest.approx(
        {
            **dict.fromkeys(("precision", "recall", "f1"), 2 / 3),
            "item_f1": (1 / 2 + 1) / 2,
            "jaccard": (1 / 3 + 1) / 2,
            "exact": 1 / 2,
            "log_loss": -np.log([0.999, 0.5, 0.4, 0.9]).mean(),
            "brier": (0.25 + 0.36 + 0.01) / 4,
        }
    )
    assert (reported.items, reported.missing) == (2, 0)
    assert reported.metrics["f1"].lower <= 2 / 3 <= reported.metrics["f1"].upper


@pytest.fixture(scope="module")
def many():
    """What is stated of 200 items and 6 labels, and what is valid, as squares."""
    generator = np.random.default_rng(0)
    stated = generator.random((200, 6)).round(2)
    valid = generator.random((200, 6)) < stated
    valid[:5] = stated[:5] < 0.5
    return stated, valid


def long(square, name, kept):
    rows = [(f"i{i}", f"l{k}", square[i, k]) for i, k in np.argwhere(kept)]
    return pd.DataFrame(rows, columns=["item", "label", name])


def test_all_is_as_scikit_learn_has_it(many):
    stated, valid = many
    answers = long(np.where(valid, "yes", "no"), "answer", np.ones_like(valid))
    result, _ = values(long(stated, "probability", np.ones_like(valid)), answers)
    both = valid, stated >= 0.5
    micro = {"average": "micro", "zero_division": 0}
    each = {"average": "samples", "zero_division": 1}
    inside = np.clip(stated, 1e-3, 1 - 1e-3).ravel()
    del result["ece"]
    assert result == pytest.approx(
        {
            "precision": peer.precision_score(*both, **micro),
            "recall": peer.recall_score(*both, **micro),
            "f1": peer.f1_score(*both, **micro),
            "exact": peer.accuracy_score(*both),
            "item_f1": peer.f1_score(*both, **each),
            "jaccard": peer.jaccard_score(*both, **each),
            "log_loss": peer.log_loss(valid.ravel(), inside),
            "brier": peer.brier_score_loss(valid.ravel(), stated.ravel()),
        }
    )


def test_gold_that_lists_what_is_valid_says_the_same_of_sets(many):
    stated, valid = many
    some = valid.any(1)[:, None]
    labels = long(stated, "probability", np.ones_like(valid))
    of_all, _ = values(
        labels, long(np.where(valid, "yes", "no"), "answer", some & (valid | ~valid))
    )
    listed, _ = values(labels, long(valid, "valid", valid)[["item", "label"]])
    for name in ("precision", "recall", "f1", "item_f1", "jaccard", "exact", "brier"):
        assert listed[name] == pytest.approx(of_all[name])


def test_pairs_that_nobody_judged_do_not_enter_the_losses():
    labels = frame(("i", "cat", 0.8), ("i", "dog", 0.9))
    gold = frame(
        *(("i", "cat", "yes"), ("i", "fox", "no")), columns=("item", "label", "answer")
    )
    result, _ = values(labels, gold)
    assert result["brier"] == pytest.approx((0.04 + 0) / 2)
    assert result["precision"] == pytest.approx(1 / 2)  # dog is in the set, not valid


def test_a_valid_label_that_the_fit_does_not_list_is_a_miss():
    gold = frame(("i", "cat"), ("i", "emu"), columns=("item", "label"))
    result, reported = values(frame(("i", "cat", 1.0)), gold)
    assert result["recall"] == pytest.approx(1 / 2)
    assert result["log_loss"] == pytest.approx(-np.log([0.999, 0.001]).mean())
    assert reported.missing == 0


def test_the_main_label_is_scored_where_gold_knows_it():
    labels = frame(("i", "cat", 1.0), ("j", "dog", 1.0), ("k", "dog", 1.0))
    items = frame(
        ("i", "cat"), ("j", "dog"), ("k", None), columns=("item", "main_label")
    )
    gold = frame(
        ("i", "cat", "true"),
        ("j", "dog", "false"),
        ("j", "fox", "true"),
        ("k", "dog", None),
        columns=("item", "label", "main"),
    )
    result, _ = values(labels, gold, items=items)
    assert result["main_accuracy"] == pytest.approx(1 / 2)
    with pytest.raises(DataError, match="the fit's table items is not given"):
        values(labels, gold)


def test_items_that_hold_nothing_are_right_where_gold_says_no_to_all():
    labels = frame(("i", "cat", 0.1), ("j", "cat", 0.9))
    gold = frame(
        *(("i", "cat", "no"), ("j", "cat", "no")), columns=("item", "label", "answer")
    )
    result, _ = values(labels, gold)
    assert result["item_f1"] == result["jaccard"] == result["exact"] == 0.5
    assert np.isnan(result["recall"])


def test_gold_of_another_study_and_words_that_mean_nothing_are_refused():
    labels = frame(("i", "cat", 1.0))
    with pytest.raises(DataError, match="none of its 1 items"):
        values(labels, frame(("x", "cat"), columns=("item", "label")))
    answer = frame(("i", "cat", "maybe"), columns=("item", "label", "answer"))
    with pytest.raises(DataError, match="has the answer 'maybe'; it must be yes or no"):
        values(labels, answer)
    twice = frame(
        *(("i", "cat", "no"), ("i", "cat", "yes")), columns=("item", "label", "answer")
    )
    with pytest.raises(DataError, match="stand in two rows"):
        values(labels, twice)
