"""Ordered labels: answers near the truth, and annotators who lean to one side."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from tests.studies import crossed

import consilience as cs
from consilience.annotators import load
from consilience.model import DIFFICULTY, PREVALENCE, TYPICAL

LABELS = ["bad", "poor", "fair", "good"]


@pytest.fixture(scope="module")
def frame():
    """Ratings by ten annotators, of whom one is lenient by a whole label."""
    generator = np.random.default_rng(1)
    frame = crossed(120, 10, 5, generator)
    truth = np.random.default_rng(0).integers(0, 4, 120).repeat(5)
    latent = truth + (frame["annotator"] == "a000") + generator.normal(0, 0.6, 600)
    rating = np.clip(np.rint(latent), 0, 3).astype(int)
    return frame.assign(label=np.array(LABELS, object)[rating])


@pytest.fixture(scope="module")
def fit(frame):
    responses = cs.read(frame, labels=LABELS)
    return cs.fit(responses, model="ordinal_dawid_skene", ordered=True)


def test_an_easy_item_makes_answers_rarer_with_every_label_from_the_truth():
    model = load("ordinal_dawid_skene")
    coding = SimpleNamespace(
        group=np.zeros(1, int),
        num_groups=1,
        num_annotators=1,
        num_states=3,
        num_answers=3,
        votes=np.eye(3),
    )
    typical = np.log(np.full((1, 3, 3), 1 / 3))
    logs = {PREVALENCE: np.zeros(3), TYPICAL: typical, DIFFICULTY: 1.0}
    tables = model.given(coding, logs)
    # By hand: log-odds fall by the ease, .9 times the root of five, a label.
    weight = np.exp(-0.9 * np.sqrt(5) * np.arange(3))
    easiest = np.exp(tables.log_table[0, 0, -1])
    assert np.allclose(easiest, weight / weight.sum())


def test_the_annotator_who_is_lenient_has_the_highest_bias(fit):
    bias = fit.data["posterior"]["bias"].mean(("chain", "draw", "effect"))
    assert str(bias["annotator"].to_numpy()[bias.to_numpy().argmax()]) == "a000"


def test_median_and_mean_are_those_of_the_posterior(fit):
    items = fit.items()
    belief = fit.data["truth"]["probability"].to_numpy()
    half = (belief.cumsum(1) < 0.5).sum(1)
    assert items["median"].astype(str).tolist() == [LABELS[place] for place in half]
    assert np.allclose(items["mean"], belief @ np.arange(1, 5), atol=1e-5)


def test_the_mean_of_numbers_is_of_the_numbers(frame):
    value = dict(zip(LABELS, [0, 10, 20, 40], strict=True))
    numbers = frame.assign(label=frame["label"].map(value))
    fit = cs.fit(numbers, model="hierarchical_dawid_skene", ordered=True)
    belief = fit.data["truth"]["probability"].to_numpy()
    assert np.allclose(fit.items()["mean"], belief @ [0, 10, 20, 40], atol=1e-4)


def test_an_ordered_categorical_column_says_that_labels_are_ordered(frame):
    dtype = pd.CategoricalDtype(LABELS, ordered=True)
    ordered = frame.assign(label=frame["label"].astype(dtype))
    fit = cs.fit(ordered, model="hierarchical_dawid_skene")
    assert fit.data.attrs["ordered"]
    assert fit.data["posterior"]["true_class"].to_numpy().tolist() == LABELS
