"""The model auto for answers about one label at a time."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from benchmarks import contains_crowds
from scipy.special import expit, logit

import consilience as cs
from consilience.checks.presence import beyond_habit
from consilience.fitting import grid_trait
from consilience.fitting import halves as room
from consilience.fitting.contains import which_contains
from consilience.fitting.grid_trait import learn
from consilience.fitting.request import Request
from consilience.posterior.labels import share_present
from consilience.presence.space import MEANINGS, PRESENT
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


def test_two_models_suit_answers_with_ids():
    responses = read(answers(3), kind="contains")
    assert which_contains(space_of(responses), Request())[0] == "auto"


@pytest.mark.parametrize(
    ("frame", "request_", "expected", "said"),
    [
        (answers(6).drop(columns="annotator"), Request(), "contains_counts", "id"),
        (answers(6), Request(engine="nuts"), "contains_states", "nuts"),
        (answers(6), Request(states=3), "contains_states", "3 states"),
        (answers(6), Request(states=2), "hierarchical_dawid_skene", "2 states"),
    ],
)
def test_one_model_is_taken_without_ids_or_where_it_was_asked_for(
    frame, request_, expected, said
):
    name, why = which_contains(space_of(read(frame, kind="contains")), request_)
    assert name == expected
    assert said in why


def test_auto_is_the_model_that_it_names_and_says_why():
    responses = read(answers(3), kind="contains")
    ours, named = (
        cs.fit(responses, model=name, engine="em", effort=QUICK)
        for name in ("auto", "contains_states")
    )
    assert ours.data.attrs["model"] == "contains_states"
    assert ours.data.attrs["requested_model"] == "auto"
    assert ours.data.attrs["engine_reason"].endswith("; it was requested")
    assert ours.data["constant_data"].sizes["true_class"] == 3
    pd.testing.assert_frame_equal(ours.labels(), named.labels())


@pytest.fixture(scope="module")
def crowd():
    return contains_crowds.KINDS["equal spreads"](0)


@pytest.fixture(scope="module")
def compared(crowd):
    return cs.fit(read(crowd.frame, kind="contains"))


def log_loss(fit, crowd):
    labels = fit.labels().astype({"item": str, "label": str})
    p = crowd.truth.merge(labels, how="left")["probability"]
    return -np.log(np.where(crowd.truth["present"], p, 1 - p).clip(1e-3)).mean()


def test_the_truth_is_two_models_by_halves_a_trait_and_votes(crowd, compared):
    assert "the truth is a mixture" in compared.data.attrs["engine_reason"]
    assert "latent_trait" in compared.data.attrs["engine_reason"]
    assert compared.data.attrs["model"] == room.HALVES[0]
    # Of one label, whose prevalence is that of all pairs.
    pair = crowd.frame["item"] + crowd.frame["label"]
    responses = read(crowd.frame.assign(item=pair, label="cat"), kind="contains")
    ours = cs.fit(responses).labels()["probability"].to_numpy()
    halves = [
        cs.fit(responses, model=name).labels()["probability"] for name in room.HALVES
    ]
    mean, space = np.mean(halves, 0), space_of(responses)
    seen = grid_trait.read(space, learn([space], len(space.n), mean.mean()))
    weight = (1 - seen.by_cut) * np.exp(-4 / 8)
    pooled = expit((1 - weight) * logit(mean) + weight * logit(seen.present))
    worth = crowd.frame["answer"].map({"no": 0.0, "maybe": 0.5, "yes": 1.0})
    votes = worth.groupby(pair).sum().to_numpy() + 2 * worth.mean()
    share = 0.1 / (1 + 0.15 * np.sqrt(4 * 7))
    expected = (1 - share) * pooled + share * votes / 7
    # The draws of the halves have seeds of their own: some .01 apart.
    assert np.abs(ours - expected).max() < 0.04
    assert np.abs(ours - mean).max() > 0.04


def test_presence_and_annotators_have_intervals(compared):
    labels, people = compared.labels(), compared.annotators()
    columns = ["sensitivity_lower", "sensitivity_upper", "specificity_lower"]
    assert people[columns].notna().all(axis=None)
    assert labels["lower"].le(labels["probability"]).all()
    assert labels["upper"].ge(labels["probability"]).all()
    assert labels["lower"].lt(labels["upper"]).all()


@pytest.mark.study
def test_what_is_present_is_nearer_to_the_truth_than_votes_and_panels():
    # Annotators say yes to much that is not there.
    lenient = contains_crowds.KINDS["lenient"](0)
    responses = read(lenient.frame, kind="contains")
    votes = cs.fit(responses, model="majority")
    panel = {"panel": 6.0, "maybe": 1.0}
    ours, asked = (
        cs.fit(responses, model="contains", prior=prior, effort=QUICK)
        for prior in (None, panel)
    )
    assert log_loss(ours, lenient) < log_loss(votes, lenient) - 0.05
    assert log_loss(ours, lenient) < log_loss(asked, lenient) - 0.05
    # Who names a meaning is not asked for one.
    named = "meaning_of_present"
    assert named in set(ours.diagnostics()["name"])
    assert named not in set(asked.diagnostics()["name"])


def test_other_meanings_of_present_stand_beside(compared):
    sentences = json.loads(compared.data.attrs["assumptions"])
    assert any("By other meanings: " in sentence for sentence in sentences)
    table = share_present(compared.data)
    assert list(table["meaning"]) == [MEANINGS[0], *MEANINGS[3:]]
    reported = compared.labels()["probability"].mean()
    assert table["share"].iloc[0] == pytest.approx(reported, abs=1e-4)
    checks = compared.diagnostics().set_index("name")
    apart = (table["share"] - reported).abs().max()
    assert checks.loc["meaning_of_present", "value"] == pytest.approx(apart, abs=1e-4)


def test_of_counts_present_is_what_more_than_half_would_call_so():
    rows = answers(6).drop(columns="annotator")
    fit = cs.fit(read(rows, kind="contains"), model="contains_counts", effort=QUICK)
    (sentence,) = [
        each
        for each in json.loads(fit.data.attrs["assumptions"])
        if each.startswith(PRESENT)
    ]
    how = "more than half of all people would say yes, a maybe counting half"
    assert f"{PRESENT} {how}: " in sentence
    table = share_present(fit.data)
    apart = (table["share"] - table["share"].iloc[0]).abs().max()
    checks = fit.diagnostics().set_index("name")
    assert checks.loc["meaning_of_present", "value"] == pytest.approx(apart, abs=1e-4)


@pytest.mark.study
def test_gold_labels_calibrate_what_present_means(crowd):
    # The truth by another meaning: every fourth label that is there counts as absent.
    responses = read(crowd.frame, kind="contains")
    table = crowd.truth.assign(
        answer=np.where(crowd.truth["present"], "yes", "no"),
        seen=crowd.frame.groupby(["item", "label"])["answer"]
        .agg(lambda said: (said == "yes").sum())
        .reindex(crowd.truth[["item", "label"]])
        .to_numpy(),
    )
    strict = table.assign(answer=np.where(table["seen"] >= 4, "yes", "no"))
    strict = strict.assign(present=strict["answer"] == "yes")
    gold = strict.iloc[::4][["item", "label", "answer"]]
    with_gold = cs.fit(responses, model="contains", gold=gold, effort=QUICK)
    without = cs.fit(responses, model="contains", effort=QUICK)
    rest = replace(crowd, truth=strict.drop(strict.index[::4]))
    assert log_loss(with_gold, rest) < log_loss(without, rest) - 0.02
    assert float(with_gold.data["posterior"]["cut"].mean()) > 0.3
    assert "meaning_of_present" not in set(with_gold.diagnostics()["name"])


def test_annotators_who_copy_are_named_and_others_are_not(compared):
    copied = contains_crowds.copied("equal spreads", 0)
    responses = read(copied.frame, kind="contains")
    fit = cs.fit(responses, model="contains_states", effort=QUICK, copies="keep")
    found = fit.diagnostics().set_index("name").loc["annotators_alike"]
    assert found["outcome"] == "failed"
    (pair,) = json.loads(fit.data.attrs["copies"])
    people = np.unique(copied.frame["annotator"])
    couples = [{a, b} for a, b in zip(people[::3], people[1::3], strict=False)]
    assert {pair["annotator"], pair["copy_of"]} in couples
    checks = compared.diagnostics().set_index("name")["outcome"]
    assert checks["annotators_alike"] == "passed"


def test_answers_that_nobody_looked_for_fail_a_check(compared):
    twin = contains_crowds.twin("experts among twenty", 0)
    fit = cs.fit(read(twin.frame, kind="contains"), model="contains_states")
    found = fit.diagnostics().set_index("name").loc["beyond_habit"]
    assert found["outcome"] == "failed"
    assert "by habit" in found["remedy"]
    checks = compared.diagnostics().set_index("name").loc["beyond_habit"]
    assert checks["outcome"] == "passed"
    assert checks["value"] > 0.05


def test_a_few_answers_are_too_few_to_say_that_nobody_looked(crowd):
    frame = crowd.frame[crowd.frame["item"].isin(crowd.frame["item"].unique()[:3])]
    fit = cs.fit(read(frame, kind="contains"), model="contains_states")
    found = fit.diagnostics().set_index("name").loc["beyond_habit"]
    assert found["outcome"] != "failed"


def test_habit_is_how_an_annotator_answers_elsewhere():
    # One annotator says yes three times in four, another one no: by hand.
    words = {"a": ["yes", "yes", "yes", "no"], "b": ["no", "no", "no", "no"]}
    rows = [
        (f"i{k}", who, "x", y) for who, ys in words.items() for k, y in enumerate(ys)
    ]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label", "answer"])
    space = space_of(read(frame, kind="contains"))
    yes, no = 3 * 3 / 8, 3 * 5 / 8
    habit = [(2 + yes) / 6] * 3 + [no / 6] + [(3 + no) / 6] * 4
    found = beyond_habit(space, np.zeros(8))
    assert found.gain == pytest.approx(-np.log(habit).mean())
    assert found.error > 0


def test_a_fit_by_halves_predicts_as_it_believes(compared, crowd, tmp_path):
    responses = read(crowd.frame, kind="contains")
    compared.save(tmp_path / "run")
    again = cs.load(tmp_path / "run")
    ours = cs.predict(again, responses)
    apart = ours.labels()["probability"] - compared.labels()["probability"]
    assert np.abs(apart).max() < 0.05
    # The first half alone does not.
    alone = cs.fit(responses, model=room.HALVES[0])
    other = cs.predict(alone, responses).labels()["probability"]
    assert np.abs(other - compared.labels()["probability"]).max() > 0.05
    columns = ["sensitivity", "sensitivity_lower", "specificity_upper"]
    pd.testing.assert_frame_equal(
        ours.annotators()[columns], compared.annotators()[columns], atol=0.03
    )
