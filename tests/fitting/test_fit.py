"""The way from responses to a fit, through one call."""

import copy
import json

import numpy as np
import pandas as pd
import pytest

from consilience.errors import OptionError
from consilience.fitting import EngineOptions, fit
from consilience.posterior import Fit
from consilience.simulation import simulate

QUICK = EngineOptions(draws=0, restarts=1)
HIERARCHICAL = "hierarchical_dawid_skene"


@pytest.fixture(scope="module")
def made():
    return simulate(items=60, annotators=6, classes=3, per_item=4, seed=6).responses


def test_a_fit_says_what_it_was_made_from(made):
    fitted = fit(
        made, model=HIERARCHICAL, engine="vb", effort=QUICK, prior={"own": 6.0}, seed=9
    )
    attributes = fitted.data.attrs
    assert attributes["engine"] == "vb"
    assert attributes["engine_reason"] == "it was requested"
    assert attributes["seed"] == 9
    assert json.loads(attributes["settings"])["prior"]["own"] == 6.0
    assert any("simulated" in said for said in json.loads(attributes["assumptions"]))


def test_candidates_bound_what_can_be_true(made, tmp_path):
    answered = made.table[["item", "label"]].astype(str).drop_duplicates()
    path = tmp_path / "candidates.csv"
    answered.to_csv(path, index=False)
    table = fit(
        made, model=HIERARCHICAL, engine="vb", candidates=path, effort=QUICK
    ).labels()
    assert len(table) == len(answered)
    total = table.groupby("item")["probability"].sum()
    assert np.allclose(total, 1)


def test_repeated_answers_of_one_class_study_are_refused():
    with pytest.raises(Exception, match="one label"):
        fit(pd.DataFrame({"item": ["i", "j"], "annotator": "a", "label": "x"}))


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"model": "best"}, OptionError, "no model 'best'"),
        ({"model": HIERARCHICAL, "engine": "magic"}, OptionError, "no engine"),
        ({"model": "dawid_skene", "engine": "nuts"}, OptionError, "it has: em"),
        ({"seed": -1}, OptionError, "seed is -1"),
        ({"model": HIERARCHICAL, "prior": {"tilt": 1.0}}, OptionError, "no prior set"),
        ({"model": HIERARCHICAL, "prior": {"own": -1.0}}, OptionError, "positive"),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_can(made, wrong, error, message):
    with pytest.raises(error, match=message):
        fit(made, **wrong)


@pytest.mark.parametrize("lists", [False, True])
def test_labels_are_the_same_before_and_after_a_fit_is_laid_out(made, lists):
    shown = made.table[["item", "label"]].astype(str).drop_duplicates()
    candidates = shown if lists else None
    fitted = fit(
        made, model=HIERARCHICAL, engine="vb", effort=QUICK, candidates=candidates
    )
    types, before = fitted.types, fitted.labels()
    assert fitted.data is fitted.data  # laid out once
    pd.testing.assert_frame_equal(fitted.labels(), before)
    assert fitted.types == types
    pd.testing.assert_frame_equal(Fit(fitted.data).labels(), before)
    assert (len(before) < 3 * made.num_items) == lists
    with pytest.raises(AssertionError):  # the same comparison sees another posterior
        pd.testing.assert_frame_equal(fitted.with_(truth="raw").labels(), before)


def test_a_fit_is_copied_whether_or_not_it_is_laid_out(made):
    fitted = fit(made, model=HIERARCHICAL, engine="vb", effort=QUICK)
    again = copy.copy(fitted)
    assert again.labels().equals(fitted.labels())
    assert Fit(again.data).items().equals(fitted.items())
    assert not again.with_(truth="raw").items().equals(fitted.items())
