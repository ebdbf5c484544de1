"""Quality of labels, laid out as cleanlab has it."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

import consilience as cs
from consilience.errors import OptionError

FAST = {"model": "bayesian_dawid_skene", "engine": "em"}


def crowd(seed=0, items=120, people=5, labels=3):
    """Return labels of items by annotators with gaps, and the truth."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(labels, size=items)
    right = generator.random((items, people)) < np.linspace(0.9, 0.55, people)
    other = (truth[:, None] + generator.integers(1, labels, right.shape)) % labels
    wide = np.where(right, truth[:, None], other).astype(float)
    wide[generator.random(wide.shape) < 0.3] = np.nan
    wide[:, 0] = np.where(right[:, 0], truth, other[:, 0])
    return wide, truth


def scores(truth, sharp, seed=1):
    noise = np.random.default_rng(seed).normal(size=(len(truth), 3))
    return softmax(noise + sharp * np.eye(3)[truth], axis=1)


def test_tables_have_cleanlabs_columns_and_the_order_of_the_input():
    wide, truth = crowd()
    quality = cs.sklearn.label_quality_multiannotator(wide, **FAST)
    table = quality["label_quality"]
    assert table.index.tolist() == list(range(120))
    assert table["num_annotations"].tolist() == (~np.isnan(wide)).sum(1).tolist()
    consensus = table["consensus_label"].to_numpy()
    agree = np.nansum(wide == consensus[:, None], axis=1) / table["num_annotations"]
    assert np.allclose(table["annotator_agreement"], agree)
    assert sorted(table["rank"]) == list(range(1, 121))
    assert table.loc[table["rank"].eq(1), "consensus_quality_score"].item() == (
        table["consensus_quality_score"].min()
    )
    detailed = quality["detailed_label_quality"]
    assert detailed.shape == wide.shape
    assert (detailed.isna().to_numpy() == np.isnan(wide)).all()
    people = quality["annotator_stats"]
    assert people["annotator_quality"].is_monotonic_increasing
    assert people.index[-1] == 0  # the best of them
    assert (consensus == truth).mean() > 0.8


def test_a_long_table_and_responses_say_the_same_as_a_wide_one():
    wide, _ = crowd(items=30)
    frame = pd.DataFrame(wide, [f"i{n}" for n in range(30)], list("abcde"))
    long = frame.rename_axis("item").reset_index()
    long = long.melt("item", var_name="annotator", value_name="label").dropna()
    long = long.astype({"label": int})
    tables = [
        cs.sklearn.label_quality_multiannotator(given, **FAST)["label_quality"]
        for given in (frame, long, cs.read(long))
    ]
    first = tables[0]["consensus_quality_score"]
    for other in tables[1:]:
        score = other["consensus_quality_score"].loc[first.index]
        assert np.allclose(score, first, atol=1e-6)


def test_a_classifier_helps_as_much_as_it_knows():
    wide, truth = crowd(seed=3, people=2)
    share = {}
    blind, seeing = scores(truth, 0.0), scores(truth, 3.0)
    for name, pred_probs in (("none", None), ("blind", blind), ("seeing", seeing)):
        table = cs.sklearn.label_quality_multiannotator(wide, pred_probs, **FAST)
        share[name] = (table["label_quality"]["consensus_label"] == truth).mean()
    assert share["seeing"] > share["none"] + 0.05
    assert abs(share["blind"] - share["none"]) < 0.04


@pytest.mark.parametrize(
    ("labels", "pred_probs", "match"),
    [
        (np.array([[0.0, np.nan], [np.nan, np.nan]]), None, "item 1 has no label"),
        (np.array([[0.0, 1.0], [1.0, 0.0]]), np.ones((2, 1)), "shape"),
        (np.array([[0.0, 1.0], [1.0, 0.0]]), np.full((2, 2), 2.0), "not probabilities"),
        (pd.DataFrame([[0, 1], [1, 0]], index=["a", "a"]), None, "two items are 'a'"),
    ],
)
def test_what_does_not_fit_together_is_refused(labels, pred_probs, match):
    with pytest.raises(OptionError, match=match):
        cs.sklearn.label_quality_multiannotator(labels, pred_probs, **FAST)
