import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from consilience.errors import DataError
from consilience.scoring.item_metrics import weighted_auc
from consilience.scoring.metrics import ScoreOptions, score


def pairs(probability, answer):
    names = {
        "item": [f"image {index // 2}" for index in range(len(probability))],
        "label": ["cat" if index % 2 else "dog" for index in range(len(probability))],
    }
    labels = pd.DataFrame({**names, "probability": probability})
    return labels, pd.DataFrame({**names, "answer": answer})


def values(scored):
    return {name: metric.value for name, metric in scored.metrics.items()}


def test_contains_metrics_are_those_worked_by_hand():
    result = score(
        *pairs([0.9, 0.5, 0.2, 0.6], ["yes", "yes", "no", "no"]),
        kind="contains",
        seed=1,
        options=ScoreOptions(bins=1),
    )
    # At .5 half a yes: 1.5 of the 2 that are there are called, of 2.5 called in all.
    # Of the four pairs of one there with one not, .5 against .6 alone is in disorder.
    assert values(result) == pytest.approx(
        {
            "accuracy": (1 + 0.5 + 1 + 0) / 4,
            "log_loss": -np.log([0.9, 0.5, 0.8, 0.4]).mean(),
            "brier": (0.01 + 0.25 + 0.04 + 0.36) / 4,
            "ece": (2.2 - 2) / 4,
            "precision": 1.5 / 2.5,
            "recall": 1.5 / 2,
            "f1": 3 / 4.5,
            "auc": 0.75,
        }
    )
    assert (result.items, result.missing) == (2, 0)


def test_they_agree_with_scikit_learn():
    key = np.random.default_rng(6)
    there = key.random(400) < 0.3
    p = np.clip(key.normal(0.3 + 0.3 * there, 0.25, 400), 0, 1).round(2)
    p[p == 0.5] = 0.51
    result = values(
        score(*pairs(p, np.where(there, "yes", "no")), kind="contains", seed=1)
    )
    assert result["accuracy"] == pytest.approx(metrics.accuracy_score(there, p > 0.5))
    assert result["precision"] == pytest.approx(metrics.precision_score(there, p > 0.5))
    assert result["recall"] == pytest.approx(metrics.recall_score(there, p > 0.5))
    assert result["f1"] == pytest.approx(metrics.f1_score(there, p > 0.5))
    assert result["auc"] == pytest.approx(metrics.roc_auc_score(there, p))
    assert result["brier"] == pytest.approx(metrics.brier_score_loss(there, p))
    assert result["log_loss"] == pytest.approx(
        metrics.log_loss(there, np.clip(p, 1e-3, 1 - 1e-3))
    )


def test_the_area_with_weights_agrees_with_scikit_learn():
    key = np.random.default_rng(9)
    there = (key.random(60) < 0.4).astype(float)
    p = key.random(60).round(1)
    weights = key.integers(0, 4, size=(3, 60)).astype(float)
    expected = [metrics.roc_auc_score(there, p, sample_weight=row) for row in weights]
    assert weighted_auc(p, there, weights).tolist() == pytest.approx(expected)


def test_answers_of_one_sort_leave_the_area_undefined():
    result = score(*pairs([0.9, 0.8], ["yes", "yes"]), kind="contains", seed=1)
    assert np.isnan(result.metrics["auc"].value)
    assert result.metrics["recall"].value == 1


def test_items_are_resampled_whole():
    # One pair of each image is right, one wrong: whole images always have one half.
    labels, gold = pairs([0.9, 0.9] * 30, ["yes", "no"] * 30)
    metric = score(labels, gold, kind="contains", seed=1).metrics["accuracy"]
    assert (metric.lower, metric.value, metric.upper) == (0.5, 0.5, 0.5)


def test_a_pair_that_was_not_fitted_is_counted_as_missing():
    labels, gold = pairs([0.9, 0.2], ["yes", "no"])
    result = score(labels.iloc[:1], gold, kind="contains", seed=1)
    assert (result.items, result.missing) == (1, 1)


def test_gold_without_answers_is_refused():
    labels, gold = pairs([0.9], ["yes"])
    with pytest.raises(DataError, match="needs item, label and answer"):
        score(labels, gold.drop(columns="answer"), kind="contains", seed=1)


def test_gold_that_says_maybe_is_refused():
    with pytest.raises(DataError, match="has the answer 'maybe'"):
        score(*pairs([0.9], ["maybe"]), kind="contains", seed=1)


def test_gold_that_contradicts_itself_is_refused():
    labels, gold = pairs([0.9], ["yes"])
    twice = pd.concat([gold, gold.assign(answer="no")])
    with pytest.raises(DataError, match="both yes and no"):
        score(labels, twice, kind="contains", seed=1)


def experts(*answers):
    """Gold of one pair by as many experts as there are answers."""
    return pd.DataFrame(
        {
            "item": "i",
            "label": "cat",
            "annotator": [f"e{number}" for number in range(len(answers))],
            "answer": answers,
        }
    )


def by_experts(probability, *answers):
    labels = pd.DataFrame(
        {"item": ["i"], "label": ["cat"], "probability": [probability]}
    )
    result = score(labels, experts(*answers), kind="contains", seed=1)
    return {name: metric.value for name, metric in result.metrics.items()}


def test_the_majority_of_experts_is_the_truth_and_their_share_the_soft_one():
    result = by_experts(0.8, "yes", "yes", "no")
    assert result["accuracy"] == 1
    assert result["log_loss"] == pytest.approx(-np.log(0.8))
    share = -2 / 3 * np.log(0.8) - 1 / 3 * np.log(0.2)
    assert result["soft_log_loss"] == pytest.approx(share)
    assert by_experts(0.8, "yes", "no", "no")["accuracy"] == 0


def test_experts_who_tie_are_half_a_yes():
    result = by_experts(0.8, "yes", "no")
    assert result["accuracy"] == 0.5
    assert result["log_loss"] == result["soft_log_loss"]


def test_gold_of_one_expert_has_no_soft_log_loss():
    result = score(*pairs([0.9], ["yes"]), kind="contains", seed=1)
    assert "soft_log_loss" not in result.metrics


def test_an_expert_who_contradicts_themselves_is_refused():
    labels, _ = pairs([0.9], ["yes"])
    twice = pd.concat([experts("yes"), experts("no")])
    with pytest.raises(DataError, match="annotator 'e0' is answered both yes and no"):
        score(labels, twice, kind="contains", seed=1)
