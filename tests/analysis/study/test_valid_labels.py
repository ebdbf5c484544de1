"""How many labels are valid at thresholds: by hand and against frequencies."""

import numpy as np
import pytest
from scipy.stats import binom
from tests.analysis.made import objects_responses

import consilience as cs


def test_labels_by_the_rule_are_counted_by_shares_of_answers():
    rows = [
        ("i", "a", "lamp", True),
        ("i", "a", "shade", False),
        ("i", "b", "lamp", True),
        ("j", "a", "shade", True),
    ]
    responses = objects_responses(rows, {"i": "lamp", "j": "shade"})
    result = cs.analysis.valid_labels(
        cs.fit(responses, model="tsipras2020"), [0.4, 0.6]
    )
    # Of i, lamp has both answers and shade one of two.
    assert result["value"].tolist() == pytest.approx([1.5, 0.5, 1.0, 0.0])
    assert result["counted"].eq("labels").all()
    assert result["items"].eq(2).all()
    several = result.query("statistic == 'several'")
    assert several["value"].between(several["lower"], several["upper"]).all()


def test_the_distribution_of_objects_has_the_mean_and_the_tail_of_valid_labels(
    objects_study, objects_fit, objects_fit_of_draws
):
    table = cs.analysis.valid_label_counts(objects_fit, [0.3, 0.5], most=20)
    means = cs.analysis.valid_labels(objects_fit, [0.3, 0.5]).set_index(
        ["counted", "threshold", "statistic"]
    )["value"]
    for cell, rows in table.groupby(["counted", "threshold"]):
        assert rows["value"].sum() == pytest.approx(1)
        mean = (rows["number"] * rows["value"]).sum()
        assert mean == pytest.approx(means[(*cell, "mean")])
        assert (rows["number"] + 1) @ rows["value"] != pytest.approx(mean)
        several = rows.loc[rows["number"] >= 2, "value"].sum()
        assert several == pytest.approx(means[(*cell, "several")])
    # One draw does not tell what is unknown of the parameters.
    assert table[["lower", "upper"]].isna().all(axis=None)
    drawn = cs.predict(objects_fit_of_draws(3), objects_study.responses)
    table = cs.analysis.valid_label_counts(drawn, [0.5])
    assert table["value"].between(table["lower"], table["upper"]).all()


def test_the_distribution_of_asked_labels_is_that_of_all_their_combinations():
    study = cs.simulate(kind="contains", items=25, annotators=6, classes=4, seed=2)
    once = cs.EngineOptions(restarts=1)
    fit = cs.fit(study.responses, model="contains_counts", engine="em", effort=once)
    stated = cs.analysis.valid_labels(fit, [0.3, 0.5])
    stated = stated.set_index(["threshold", "statistic"])["value"]
    for threshold in (0.3, 0.5):
        above = f"above_{threshold}"
        chance = cs.contains.frequencies(fit, [threshold])
        expected = np.zeros(5)
        for _, probability in chance.groupby("item", observed=True)[above]:
            for present in np.ndindex(*(2,) * len(probability)):
                hit = np.array(present, bool)
                weight = np.where(hit, probability, 1 - probability).prod()
                expected[hit.sum()] += weight / 25
        table = cs.analysis.valid_label_counts(fit, [threshold], most=4)
        assert table["value"].tolist() == pytest.approx(expected, abs=1e-6)
        mean, several = stated[threshold, "mean"], stated[threshold, "several"]
        assert mean == pytest.approx(chance[above].sum() / 25)
        assert several == pytest.approx(expected[2:].sum(), abs=1e-6)
        # Labels are not present with the mean probability of all.
        binomial = binom.pmf(np.arange(5), 4, mean / 4)
        assert np.abs(table["value"] - binomial).max() > 0.02
