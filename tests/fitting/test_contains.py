"""The model auto for answers about one label at a time."""

import pandas as pd
import pytest

import consilience as cs
from consilience.fitting import contains as room
from consilience.fitting.contains import which_contains
from consilience.responses import read
from consilience.spaces import space_of

QUICK = cs.EngineOptions(draws=0, restarts=1)


def answers(each):
    """Twelve items with so many answers."""
    rows = [
        (f"i{item:02d}", f"a{who}", "cat", ["no", "maybe", "yes"][(item + who) % 3])
        for item in range(12)
        for who in range(each)
    ]
    return pd.DataFrame(rows, columns=["item", "annotator", "label", "answer"])


LABELS = pd.DataFrame({"label": ["cat"], "parent": ["pets"]})
KNOWN = pd.DataFrame(
    {"item": [f"i{item:02d}" for item in range(12)], "label": "cat", "score": range(12)}
)


@pytest.mark.parametrize(
    ("each", "given", "lists", "name", "why"),
    [
        (3, {}, None, "contains", "calibrated from any number of answers"),
        (6, {}, None, "contains", "calibrated from any number of answers"),
        (3, {"labels": LABELS}, None, "contains", "groups"),
        (3, {}, KNOWN.astype(str), "contains", "prior covariates of labels"),
    ],
)
def test_the_model_goes_by_what_is_known(each, given, lists, name, why):
    responses = read(answers(each), kind="contains", **given)
    result = which_contains(space_of(responses, lists=lists))
    assert result[0] == name
    assert why in result[1]


def test_counts_are_taken_where_nobody_has_an_id():
    responses = read(answers(6).drop(columns="annotator"), kind="contains")
    assert which_contains(space_of(responses))[0] == "contains_counts"


def test_states_are_taken_for_an_engine_that_fits_no_scale():
    responses = read(answers(6), kind="contains")
    name, why = which_contains(space_of(responses), "vb")
    assert name == "contains_states"
    assert "vb" in why


def test_the_closed_form_is_taken_where_answers_are_many(monkeypatch):
    monkeypatch.setattr(room, "MAX_ON_SCALE", 50)
    responses = read(answers(6), kind="contains")
    name, why = which_contains(space_of(responses))
    assert name == "contains_states"
    assert "72 answers are many" in why


def test_auto_is_the_model_that_it_names_and_says_why():
    responses = read(answers(3), kind="contains")
    ours, named = (
        cs.fit(responses, model=name, engine="vb", effort=QUICK)
        for name in ("auto", "contains_states")
    )
    assert ours.data.attrs["model"] == "contains_states"
    assert ours.data.attrs["requested_model"] == "auto"
    assert ours.data.attrs["engine_reason"].endswith("; it was requested")
    assert ours.data["constant_data"].sizes["true_class"] == 3
    pd.testing.assert_frame_equal(ours.labels(), named.labels())


def test_states_that_were_asked_for_stay():
    fit = cs.fit(read(answers(3), kind="contains"), states=2, effort=QUICK, engine="vb")
    assert fit.data.attrs["model"] == "contains_states"
    assert fit.data["constant_data"].sizes["true_class"] == 2
