"""Shares and pairs of a study of objects: by hand, and as published."""

from dataclasses import replace

import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

import consilience as cs
from consilience.analysis.study import cooccurring, study_summary
from consilience.errors import OptionError


def shares(summary):
    return summary.set_index("statistic")["value"].to_dict()


def test_shares_are_as_by_hand(lamps):
    result = study_summary(*lamps)
    assert list(result.columns) == ["statistic", "value", "lower", "upper", "items"]
    assert shares(result) == pytest.approx(
        {
            "several_objects": 2 / 4,
            "three_objects": 0,
            "mean_objects": 6 / 4,
            "other_main_label": 2 / 4,
            "other_main_label_several": 1 / 2,
            "other_main_label_single": 1 / 2,
        }
    )
    assert result["items"].tolist() == [4, 4, 4, 4, 2, 2]


def test_objects_that_come_together_are_counted(lamps):
    result = cooccurring(*lamps, per_class=10)
    assert result[["dataset_label", "label"]].to_numpy().tolist() == [["lamp", "shade"]]
    row = result.iloc[0]
    assert (row["together"], row["items"], row["share"]) == (2, 10, 0.2)
    expected = proportion_confint(2, 10, alpha=0.1, method="jeffreys")
    assert (row["lower"], row["upper"]) == pytest.approx(expected)
    assert cooccurring(*lamps, min_items=3).empty


def test_shares_are_one_number_whoever_tells_them(objects_study, objects_fit):
    responses, fit = objects_study.responses, objects_fit
    told_of = shares(study_summary(fit, responses))
    own = responses.items[["item", "dataset_label"]].dropna()
    own = own.set_axis(["item", "label"], axis="columns")
    judged = cs.evaluate(fit, own.assign(rank=1), dataset_labels=own, top=1).models
    items = judged.set_index(["metric", "subset"])["items"]
    number = len(fit.items())
    for statistic, metric in (
        ("several_objects", "accuracy"),
        ("other_main_label", "dataset_accuracy"),
    ):
        expected = told_of[statistic] * number
        assert items[metric, statistic] == pytest.approx(expected, rel=1e-9)
    totals = fit.data["objects"]
    drawn = totals["differs"].sel(panel=0).mean().item()
    assert told_of["other_main_label"] == pytest.approx(drawn)
    panels = fit.table("panels").groupby("annotators")["differs"].mean()
    assert told_of["other_main_label"] == pytest.approx(panels[0])
    # One draw does not tell what is unknown of the parameters.
    assert study_summary(fit, responses)[["lower", "upper"]].isna().all(axis=None)
    # What a panel of nine finds is another quantity.
    assert panels[9] != pytest.approx(drawn, abs=1e-3)


def test_what_has_no_objects_or_no_labels_of_a_data_set_is_refused(lamps):
    fit, responses = lamps
    with pytest.raises(OptionError, match="of=3 is less than the 4 items"):
        study_summary(fit, responses, of=3)
    with pytest.raises(OptionError, match="no item has a label of the data set"):
        study_summary(fit, replace(responses, items=None))
    answers = {"item": ["i"] * 2, "annotator": ["a", "b"], "label": ["x", "y"]}
    choice = cs.fit(pd.DataFrame(answers), model="majority")
    with pytest.raises(OptionError, match="the fit is of kind choice"):
        study_summary(choice, responses)


def test_the_studys_own_shares_are_as_published(data_folder):
    responses = cs.read(data_folder / "imagenet-multilabel")
    fit = cs.fit(responses, model="tsipras2020")
    result = study_summary(fit, responses, of=10_000)
    assert shares(result) == pytest.approx(
        {
            "several_objects": 2_156 / 10_000,
            "three_objects": 594 / 10_000,
            "mean_objects": 1.2954,
            "other_main_label": 2_109 / 6_761,
            "other_main_label_several": 740 / 2_156,
            "other_main_label_single": 1_369 / 4_605,
        }
    )
    together = cooccurring(fit, responses, per_class=10)
    names = responses.labels.set_index("label")["name"].str.split(",").str[0]
    pairs = {
        (names[row.dataset_label], names[row.label]): row.together
        for row in together.itertuples()
    }
    assert pairs["table lamp", "lampshade"] == pairs["airliner", "wing"] == 10
    assert pairs["pickelhaube", "military uniform"] == 9
    assert (together["together"] >= 9).sum() == 11
