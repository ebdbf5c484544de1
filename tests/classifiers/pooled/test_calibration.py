"""Temperature and presence: what is simulated is found again, and a lie is seen."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, softmax

from consilience.classifiers.pooling import (
    apply_temperature,
    fit_presence,
    fit_temperature,
    pool,
)
from consilience.classifiers.predictions import from_table

NUM_LABELS, KEPT = 30, 30


def simulated(number, temperature, seed, kept=KEPT):
    """Return a pool of a classifier whose logits are too sharp or flat, and the truth.

    Truths are drawn from the softmax of the logits over the temperature; the classifier
    tells the softmax of the logits themselves.
    """
    generator = np.random.default_rng(seed)
    logits = 2 * generator.normal(size=(number, NUM_LABELS))
    right = softmax(logits / temperature, 1)
    truth = (right.cumsum(1) < generator.random((number, 1))).sum(1)
    share = softmax(logits, 1)
    order = np.argsort(-share, 1)[:, :kept]
    table = pd.DataFrame(
        {
            "item": np.repeat([f"i{k:05d}" for k in range(number)], kept),
            "label": order.ravel().astype(str),
            "rank": np.tile(np.arange(1, kept + 1), number),
            "probability": np.take_along_axis(share, order, 1).ravel(),
        }
    )
    pooled = pool([from_table(table, "a", "here", num_labels=NUM_LABELS)])
    label = pd.Index(pooled.labels).get_indexer(truth.astype(str))
    return pooled, np.arange(number), label, right, truth


def standard_error(right):
    """Of a fitted log-temperature: one over the root of the Fisher information."""
    scaled = np.log(right)  # logits over the temperature, less a constant
    mean = (right * scaled).sum(1, keepdims=True)
    return 1 / np.sqrt((right * (scaled - mean) ** 2).sum())


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_the_temperature_that_truths_were_drawn_with_is_found_and_no_other(temperature):
    pooled, item, label, right, _ = simulated(2000, temperature, seed=1)
    result = fit_temperature(pooled, pooled.pairs(item, label))
    error = standard_error(right)
    assert abs(np.log(result["value"] / temperature)) < 4 * error
    assert abs(np.log(result["value"] / (1.3 * temperature))) > 4 * error
    assert result["log_loss_after"] <= result["log_loss_before"]


def test_tempered_shares_of_cells_and_the_rest_sum_to_one():
    pooled, *_ = simulated(50, 1.0, seed=3, kept=5)
    for temperature in (0.05, 0.5, 1.0, 3.0, 20.0):
        share = apply_temperature(pooled, temperature)
        listed = np.bincount(pooled.item, share)
        rest = pooled.elsewhere ** (1 / temperature) * (NUM_LABELS - 5)
        cells = np.bincount(pooled.item, pooled.probability ** (1 / temperature))
        assert np.allclose(listed, cells / (cells + rest))


def pairs(number, slope, seed):
    generator = np.random.default_rng(seed)
    columns = generator.normal(size=(number, 2)) * [3.0, 0.2] + [1.0, -4.0]
    odds = 7 + columns @ np.array([slope, 2.0])
    present = generator.random(number) < expit(odds)
    return columns, present, np.arange(number) // 5, odds


def test_the_slope_of_a_score_is_found_and_pairs_left_out_are_judged_by_the_others():
    columns, present, item, odds = pairs(8000, slope=0.4, seed=1)
    account, held_out = fit_presence(columns, present, item)
    design = np.column_stack([np.ones(len(columns)), columns])
    variance = expit(odds) * expit(-odds)
    errors = np.sqrt(np.diag(np.linalg.inv(design.T @ (design * variance[:, None]))))
    assert abs(account["weights"][0] - 0.4) < 4 * errors[1]
    assert abs(account["weights"][1] - 2.0) < 4 * errors[2]
    assert abs(account["weights"][0] - 1.0) > 4 * errors[1]  # the twin: a slope of one
    loss = -np.log(np.where(present, expit(odds), expit(-odds)))
    spread = 4 * loss.std() / np.sqrt(len(loss))
    assert abs(account["log_loss_held_out"] - loss.mean()) < spread
    assert account["log_loss_held_out"] < account["log_loss_of_the_share_alone"]
    assert not np.allclose(
        held_out, account["intercept"] + columns @ account["weights"]
    )
