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
    # i: {cat, dog} for {cat, fox}; j: {cat} for {cat}.
    assert result["precision"] == pytest.approx(2 / 3)
    assert result["recall"] == pytest.approx(2 / 3)
    assert result["f1"] == pytest.approx(2 / 3)
    assert result["item_f1"] == pytest.approx((1 / 2 + 1) / 2)
    assert result["jaccard"] == pytest.approx((1 / 3 + 1) / 2)
    assert result["exact"] == pytest.approx(1 / 2)
    loss = -np.log([0.999, 0.5, 0.4, 0.9]).mean()
    assert result["log_loss"] == pytest.approx(loss)
    assert result["brier"] == pytest.approx((0.25 + 0.36 + 0.01) / 4)
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
    item, label = np.nonzero(kept)
    return pd.DataFrame(
        {
            "item": [f"i{code}" for code in item],
            "label": [f"l{code}" for code in label],
            name: square[item, label],
        }
    )


def test_all_is_as_scikit_learn_has_it(many):
    stated, valid = many
    answers = long(np.where(valid, "yes", "no"), "answer", np.ones_like(valid))
    result, _ = values(long(stated, "probability", np.ones_like(valid)), answers)
    called = stated >= 0.5
    micro = {"average": "micro", "zero_division": 0}
    each = {"average": "samples", "zero_division": 1}
    assert result["precision"] == pytest.approx(
        peer.precision_score(valid, called, **micro)
    )
    assert result["recall"] == pytest.approx(peer.recall_score(valid, called, **micro))
    assert result["f1"] == pytest.approx(peer.f1_score(valid, called, **micro))
    assert result["exact"] == pytest.approx(peer.accuracy_score(valid, called))
    assert result["item_f1"] == pytest.approx(peer.f1_score(valid, called, **each))
    assert result["jaccard"] == pytest.approx(peer.jaccard_score(valid, called, **each))
    inside = np.clip(stated, 1e-3, 1 - 1e-3).ravel()
    assert result["log_loss"] == pytest.approx(peer.log_loss(valid.ravel(), inside))
    assert result["brier"] == pytest.approx(
        peer.brier_score_loss(valid.ravel(), stated.ravel())
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
