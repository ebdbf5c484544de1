"""Models against the posterior: by the probability they state, and by rank."""

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.errors import OptionError

CLASSES = ["cat", "dog", "emu", "fox"]
ITEMS = 900


@pytest.fixture(scope="module")
def world():
    """Items whose truth everybody knows, and a model that is as sure as it is right."""
    generator = np.random.default_rng(5)
    truth = generator.integers(0, 4, ITEMS)
    item = [f"i{number:03d}" for number in range(ITEMS)]
    answers = pd.DataFrame(
        {
            "item": np.repeat(item, 7),
            "annotator": np.tile(list("abcdefg"), ITEMS),
            "label": np.repeat(np.array(CLASSES)[truth], 7),
        }
    )
    stated = generator.uniform(0.25, 1, ITEMS)
    right = generator.random(ITEMS) < stated
    other = (truth + generator.integers(1, 4, ITEMS)) % 4
    first = np.where(right, truth, other)
    table = pd.DataFrame(
        {
            "item": item,
            "label": np.array(CLASSES)[first],
            "rank": 1,
            "probability": stated,
            "model": "honest",
        }
    )
    return cs.fit(cs.read(answers), model="dawid_skene"), table


def far(table):
    """Return how many standard errors each bin is away from what was stated."""
    error = np.sqrt(table["stated"] * (1 - table["stated"]) / table["items"])
    return ((table["value"] - table["stated"]) / error.clip(lower=0.01)).abs()


def test_a_model_that_is_as_sure_as_it_is_right_is_calibrated(world):
    fit, table = world
    result = cs.evaluate(fit, table).calibration()
    assert result["items"].sum() == ITEMS
    assert far(result).max() < 4.5  # of eight bins: one in 10,000 goes beyond
    proud = table.assign(probability=table["probability"] ** 0.25)
    assert far(cs.evaluate(fit, proud).calibration()).max() > 4.5


def test_ranks_share_one_truth_and_the_first_is_the_accuracy(world):
    fit, table = world
    generator = np.random.default_rng(1)
    order = generator.permuted(np.tile(CLASSES, (ITEMS, 1)), axis=1)
    ranked = pd.DataFrame(
        {
            "item": np.repeat(table["item"], 4),
            "label": order.ravel(),
            "rank": np.tile(range(1, 5), ITEMS),
            "model": "random",
        }
    )
    evaluation = cs.evaluate(fit, ranked)
    result = evaluation.by_rank()
    assert result["value"].sum() == pytest.approx(1, abs=1e-6)
    models = evaluation.models
    accuracy = models.query("metric == 'accuracy' and subset == 'all'")["value"]
    assert result["value"].iloc[0] == pytest.approx(accuracy.iloc[0])
    assert result["rank"].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("column", "options", "message"),
    [
        (None, {}, "they state no probability"),
        (1.5, {}, "a probability is 1.5; give numbers between 0 and 1"),
        (0.5, {"bins": 0}, "bins 0: give 1 or more"),
    ],
)
def test_what_cannot_be_binned_is_refused(world, column, options, message):
    fit, table = world
    table = table.drop(columns="probability")
    if column is not None:
        table = table.assign(probability=column)
    with pytest.raises(OptionError, match=message):
        cs.evaluate(fit, table).calibration(**options)
