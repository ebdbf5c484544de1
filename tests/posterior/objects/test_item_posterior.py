"""What items hold, of a study simulated by another hand than the model's."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from consilience.errors import OptionError


@pytest.fixture
def study(objects_study):
    return objects_study


@pytest.fixture
def fit(objects_fit):
    return objects_fit


def keyed(frame, *columns):
    return frame.astype(dict.fromkeys(columns, str)).set_index(list(columns))


def same_objects(study, fit):
    keys = ("item", "label", "other_label")
    same = fit.table("same_object").astype(dict.fromkeys(keys, str))
    truth = keyed(study.truth["objects"], "item", "label")["object"]
    first, second = (
        truth.reindex(pd.MultiIndex.from_frame(same[["item", name]])).to_numpy()
        for name in ("label", "other_label")
    )
    return same["probability"].to_numpy(), first == second


def surer_where_same(probability, truth):
    """By how many standard errors labels of one object have the higher probability."""
    result = stats.mannwhitneyu(probability[truth], probability[~truth])
    one, other = truth.sum(), (~truth).sum()
    error = np.sqrt(one * other * (one + other + 1) / 12)
    return (result.statistic - one * other / 2) / error


def test_two_labels_are_one_object_more_often_the_surer_the_model_is(study, fit):
    probability, truth = same_objects(study, fit)
    assert surer_where_same(probability, truth) > 4
    # Dealt at random, the same probabilities say nothing.
    dealt = np.random.default_rng(0).permutation(probability)
    assert abs(surer_where_same(dealt, truth)) < 4


def test_every_table_is_whole(fit):
    objects = fit.table("objects")
    by_object = objects.groupby(["item", "object"], observed=True)
    assert np.allclose(by_object["share"].sum(), 1, atol=1e-9)
    labels = fit.labels().set_index(["item", "label"])["probability"]
    right = objects.set_index(["item", "label"])["right_name"]
    assert right.between(0, 1).all()
    assert (right >= labels.reindex(right.index) - 1e-9).all()
    assert (right > labels.reindex(right.index) + 0.1).any()
    main = by_object["main_probability"].first().groupby("item", observed=True).sum()
    assert np.allclose(main, 1)
    counts = fit.table("object_counts").groupby(["item", "threshold"], observed=True)
    assert np.allclose(counts["probability"].sum(), 1)
    ambiguity = fit.table("ambiguity")[["structure", "naming", "salience"]].to_numpy()
    assert (ambiguity > -1e-9).all()
    assert list(fit.items().columns) == [
        *("item", "label", "probability", "entropy", "responses", "tied"),
        *("objects", "main_label"),
    ]


def test_fewer_labels_are_valid_the_more_annotators_must_name_them(fit):
    means = [
        fit.labels(threshold=least)["probability"].mean() for least in (0.2, 0.5, 0.8)
    ]
    assert means == sorted(means, reverse=True)
    reported = fit.labels()["probability"]
    assert np.allclose(fit.labels(threshold=0.5)["probability"], reported, atol=1e-6)
    with pytest.raises(OptionError, match="threshold is 2"):
        fit.labels(threshold=2.0)


def test_the_main_label_is_found(study, fit):
    truth = study.truth["objects"]
    # The label that most call the main object's: salience is not told, naming is.
    main = truth[truth["main"]].sort_values("naming").groupby("item").last()["label"]
    result = keyed(fit.items(), "item")["main_label"].astype(str)
    right = result == main.astype(str).reindex(result.index)
    assert right.mean() > 0.6
