"""Metrics of all labels that a model lists, beside those of scikit-learn."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from tests.analysis.made import contains_fit

from consilience.analysis.evaluation import evaluate

LABELS = ("cat", "dog", "fox", "owl")


def listed(order, lengths):
    """Return predictions: the first labels of an order, as many as an item has."""
    rows = [
        (f"i{item}", LABELS[label], rank)
        for item, (labels, number) in enumerate(zip(order, lengths, strict=True))
        for rank, label in enumerate(labels[:number], start=1)
    ]
    return pd.DataFrame(rows, columns=["item", "label", "rank"])


def fit_of(chance):
    """Return a fit of contains with the probability of each label of each item."""
    pairs = product([f"i{item}" for item in range(len(chance))], LABELS)
    return contains_fit([(*pair, 1, 0, 0) for pair in pairs], np.ravel(chance))


def of_model(chance, predictions):
    table = evaluate(fit_of(chance), predictions, top=len(LABELS), resamples=20).models
    return table.query("subset == 'all'").set_index("metric")


def test_where_the_truth_is_certain_the_metrics_are_scikit_learns():
    generator = np.random.default_rng(0)
    truth = np.array([generator.permutation([1, 1, 0, 0]) for _ in range(40)])
    score = truth + generator.normal(0, 1, truth.shape)
    order = np.argsort(-score, axis=1)
    lengths = generator.integers(1, 5, 40)
    shown = of_model(truth, listed(order, lengths))
    guess = np.zeros_like(truth)
    for row, labels, number in zip(guess, order, lengths, strict=True):
        row[labels[:number]] = 1
    assert shown.loc["f1", "value"] == pytest.approx(
        metrics.f1_score(truth, guess, average="micro")
    )
    assert shown.loc["precision", "value"] == pytest.approx(
        metrics.precision_score(truth, guess, average="micro")
    )
    whole = of_model(truth, listed(order, np.full(40, 4)))
    assert whole.loc["average_precision", "value"] == pytest.approx(
        metrics.label_ranking_average_precision_score(truth, score)
    )
    assert shown["items"].tolist() == [40] * len(shown)


def test_where_it_is_not_they_are_ratios_of_expectations():
    chance = np.array([[0.9, 0.4, 0.1, 0.5], [0.2, 0.7, 0.6, 0.3]])
    order, lengths = np.array([[0, 3, 1, 2], [2, 1, 0, 3]]), [3, 2]
    shown = of_model(chance, listed(order, lengths))["value"]
    hits = there = precise = 0.0
    for states in product((0, 1), repeat=chance.size):
        truth = np.reshape(states, chance.shape)
        weight = np.where(truth == 1, chance, 1 - chance).prod()
        for row, labels, number in zip(truth, order, lengths, strict=True):
            right = row[labels[:number]]
            hits += weight * right.sum()
            there += weight * row.sum()
            rank = np.arange(1, number + 1)
            precise += weight * (right * np.cumsum(right) / rank).sum()
    assert shown["precision"] == pytest.approx(hits / sum(lengths))
    assert shown["f1"] == pytest.approx(2 * hits / (sum(lengths) + there))
    assert shown["average_precision"] == pytest.approx(precise / there)
    # Its twin: an order from the worst to the best is less precise.
    worst = of_model(chance, listed(order[:, ::-1], [4, 4]))["value"]
    best = of_model(chance, listed(order, [4, 4]))["value"]
    assert worst["average_precision"] < best["average_precision"] - 0.05
