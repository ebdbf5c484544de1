"""Mean ratings: by hand where all is known, and corrected for raters' biases."""

import numpy as np
import pandas as pd
import pytest

import consilience as cs


def rated(seed, items=200, people=12):
    """Return ratings by raters with biases, the true ratings, and two systems."""
    generator = np.random.default_rng(seed)
    system = np.where(np.arange(items) % 2, "A", "B")
    truth = np.clip(generator.integers(1, 6, items) + (system == "A"), 1, 5)
    bias = generator.normal(0, 0.7, people)
    who = generator.random((items, people)).argsort(1)[:, :5]
    said = truth[:, None] + bias[who] + generator.normal(0, 0.6, who.shape)
    rows = pd.DataFrame(
        {
            "item": np.arange(items).repeat(5),
            "annotator": [f"r{person:02d}" for person in who.ravel()],
            "label": np.clip(np.rint(said), 1, 5).astype(int).ravel(),
        }
    )
    groups = pd.DataFrame({"item": np.arange(items), "group": system})
    return rows, truth, groups, bias


@pytest.fixture(scope="module")
def fitted():
    rows, truth, groups, bias = rated(0)
    fit = cs.fit(rows, ordered=True, model="ordinal_dawid_skene", seed=0)
    return fit, truth, groups, bias, rows


def test_means_and_differences_hold_the_truth(fitted):
    fit, truth, groups, _, rows = fitted
    made = cs.analysis.mean_ratings(fit, groups=groups)
    overall = made.overall.iloc[0]
    assert overall["lower"] < truth.mean() < overall["upper"]
    assert overall["mean_answer"] == pytest.approx(rows["label"].mean())
    assert overall["items"] == len(truth)
    apart = made.differences.iloc[0]
    true = [truth[groups["group"] == name].mean() for name in apart[:2]]
    assert apart["lower"] < true[0] - true[1] < apart["upper"]
    assert (apart["p_greater"] > 0.95) == (apart["group"] == "A")
    # Groups have half of the items: their intervals are wider than that of all.
    width = made.groups["upper"] - made.groups["lower"]
    assert (width > overall["upper"] - overall["lower"]).all()


def test_the_true_rating_of_each_item_is_within_its_bounds(fitted):
    fit, truth, *_ = fitted
    items = cs.analysis.mean_ratings(fit).items
    held = (items["lower"] <= truth) & (truth <= items["upper"])
    assert held.mean() > 0.9 - 3 * np.sqrt(0.09 / len(truth))
    assert set(items["lower"]) | set(items["upper"]) <= {1.0, 2.0, 3.0, 4.0, 5.0}
    narrow = cs.analysis.mean_ratings(fit, prob=0.5).items
    assert (narrow["upper"] - narrow["lower"] <= items["upper"] - items["lower"]).all()
    assert items["rating"].to_numpy() == pytest.approx(fit.items()["mean"].to_numpy())


def test_biases_of_raters_are_found(fitted):
    fit, _, _, bias, _ = fitted
    table = fit.annotators()
    assert np.corrcoef(table["bias"], bias)[0, 1] > 0.95
    assert (table["bias_lower"] < table["bias"]).all()
    assert (table["precision"] > 0).all()
    assert {"extremity", "extremity_lower", "extremity_upper"} <= {*table.columns}
    assert "bias" not in cs.fit(fitted[4], model="dawid_skene").annotators()


def test_a_truth_that_is_known_gives_the_mean_by_hand():
    """Raters who all agree leave only the items to vary."""
    rating = np.array([1, 2, 2, 4, 5] * 12)
    people = [f"r{number}" for number in range(8)]
    rows = pd.DataFrame(
        [(item, who, value) for item, value in enumerate(rating) for who in people],
        columns=["item", "annotator", "label"],
    )
    fit = cs.fit(rows, ordered=True, model="dawid_skene")
    overall = cs.analysis.mean_ratings(fit, resamples=4000).overall.iloc[0]
    assert overall["rating"] == pytest.approx(2.8, abs=1e-3)
    # The Bayesian bootstrap of a mean has the variance s^2 / (n + 1).
    spread = 1.645 * rating.std() / np.sqrt(len(rating) + 1)
    assert overall["upper"] - overall["lower"] == pytest.approx(2 * spread, rel=0.06)


def test_groups_of_annotators_tell_bias_and_worth():
    rows, truth, _, _ = rated(1)
    generator = np.random.default_rng(2)
    more = pd.DataFrame(
        {
            "item": np.arange(len(truth)),
            "annotator": "model",
            "label": np.clip(truth + (generator.random(len(truth)) < 0.05), 1, 5),
        }
    )
    people = [*rows["annotator"].unique(), "model"]
    table = pd.DataFrame({"annotator": people})
    table["group"] = np.where(table["annotator"] == "model", "models", "people")
    fit = cs.fit(
        pd.concat([rows, more]),
        ordered=True,
        model="hierarchical_dawid_skene",
        annotators=table,
    )
    assert {"bias", "bias_lower"} <= {*fit.table("annotator_groups").columns}
    apart = fit.table("group_differences").iloc[0]
    worth = (
        apart["relative_information"]
        if apart["group"] == "models"
        else 1 / apart["relative_information"]
    )
    assert worth > 1.2
