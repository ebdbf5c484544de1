import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from consilience.errors import DataError
from consilience.scoring.item_metrics import weighted_auc
from consilience.scoring.metrics import ScoreOptions, score


def pairs(probability, answer):
    rows = [(f"image {n // 2}", ("dog", "cat")[n % 2]) for n in range(len(probability))]
    names = pd.DataFrame(rows, columns=["item", "label"])
    return names.assign(probability=probability), names.assign(answer=answer)


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
    labels = pairs(p, np.where(there, "yes", "no"))
    result = values(score(*labels, kind="contains", seed=1))
    del result["ece"]
    assert result == pytest.approx(
        {
            "accuracy": metrics.accuracy_score(there, p > 0.5),
            "precision": metrics.precision_score(there, p > 0.5),
            "recall": metrics.recall_score(there, p > 0.5),
            "f1": metrics.f1_score(there, p > 0.5),
            "auc": metrics.roc_auc_score(there, p),
            "brier": metrics.brier_score_loss(there, p),
            "log_loss": metrics.log_loss(there, np.clip(p, 1e-3, 1 - 1e-3)),
        }
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


def experts(*answers):
    """Gold of one pair by as many experts as there are answers."""
    rows = [("image 0", "dog", f"e{n}", answer) for n, answer in enumerate(answers)]
    return pd.DataFrame(rows, columns=["item", "label", "annotator", "answer"])


def by_experts(probability, *answers):
    labels, _ = pairs([probability], ["yes"])
    return values(score(labels, experts(*answers), kind="contains", seed=1))


ONE = pairs([0.9], ["yes"])[1]


@pytest.mark.parametrize(
    ("gold", "match"),
    [
        (ONE.drop(columns="answer"), "needs item, label and answer"),
        (ONE.assign(answer="maybe"), "has the answer 'maybe'"),
        (pd.concat([ONE, ONE.assign(answer="no")]), "both yes and no"),
        (
            pd.concat([experts("yes"), experts("no")]),
            "annotator 'e0' is answered both yes and no",
        ),
    ],
)
def test_gold_that_does_not_say_yes_or_no_of_each_pair_is_refused(gold, match):
    labels, _ = pairs([0.9], ["yes"])
    with pytest.raises(DataError, match=match):
        score(labels, gold, kind="contains", seed=1)


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
