"""What items hold, of a study simulated by another hand than the model's."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import consilience as cs
from consilience.errors import OptionError
from consilience.objects.draws import streams
from consilience.posterior.item_posterior import PANELS, PHASE, completed


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


def test_a_run_is_read_again_as_it_was_written(fit, tmp_path):
    fit.save(tmp_path / "run")
    again = cs.load(tmp_path / "run")
    for table in ("labels", "items", "objects", "same_object", "ambiguity"):
        pd.testing.assert_frame_equal(fit.table(table), again.table(table))
    written = pd.read_parquet(tmp_path / "run" / "tables" / "same_object.parquet")
    assert " ".join(written.columns) == "item label other_label probability synonyms"


def test_the_main_label_is_found(study, fit):
    truth = study.truth["objects"]
    # The label that most call the main object's: salience is not told, naming is.
    main = truth[truth["main"]].sort_values("naming").groupby("item").last()["label"]
    result = keyed(fit.items(), "item")["main_label"].astype(str)
    right = result == main.astype(str).reindex(result.index)
    assert right.mean() > 0.6


@pytest.mark.parametrize(("votes", "holds"), [((2, 1), True), ((0, 0), False)])
def test_a_panel_holds_those_who_have_answered(votes, holds):
    draws, chance = 20_000, 0.6
    counts = completed(
        np.array([votes]),
        np.broadcast_to([1 - chance, chance], (1, draws, 2)) * 0.5,
        np.array([[False, True]]),
        streams(0, ["item"]),
    )
    shares = dict(zip((*PANELS, 0), counts.mean(0), strict=True))
    tolerance = 4 * 0.5 / np.sqrt(draws)
    # Of a panel of five that has two votes against one, both who are new must agree.
    assert (abs(shares[5] - chance**2) < tolerance) == holds
    assert shares[0] == 1
    assert (shares[3] == 0) == holds


def sizes_by_the_rule(study):
    """Return on how many items most name several labels, each of those tied a part."""
    table = study.responses.table
    size = table.groupby(["item", "annotator"], observed=True).size().rename("size")
    sizes = size.reset_index()
    votes = pd.crosstab(sizes["item"], sizes["size"])
    top = votes.eq(votes.max(axis=1), axis=0)
    return (top.drop(columns=1).sum(axis=1) / top.sum(axis=1)).mean()


def test_where_all_have_answered_nothing_is_foreseen(study, fit):
    drawn = fit.data["objects"]["judged_several"].sel(panel=9).to_numpy()
    expected = sizes_by_the_rule(study)
    error = 4 * drawn.std() / np.sqrt(len(drawn))
    assert abs(drawn.mean() - expected) < error
    panels = fit.table("panels").groupby("annotators")["several"].mean()
    assert abs(panels[9] - expected) > error


def test_progress_counts_every_item_once(study):
    seen = []
    responses = study.responses
    first = responses.table["item"].cat.categories[:9]
    some = responses.where(responses.table["item"].isin(first))
    cs.fit(some, model="objects", progress=seen.append, seed=0)
    done = [each.done for each in seen if each.phase == PHASE]
    assert done == sorted(set(done))
    assert done[-1] == seen[-1].total == some.table["item"].nunique()
