"""What one study has learned, used on another."""

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.errors import OptionError, UnfamiliarAnnotatorsWarning
from consilience.posterior.trust import CANNOT_TELL, FAILED, PASSED, trust
from consilience.responses import read

QUICK = cs.EngineOptions(draws=60, restarts=1)


@pytest.fixture(scope="module")
def studies():
    """Answers of good and bad annotators, in two halves, with the truth."""
    generator = np.random.default_rng(0)
    items, people = 400, 10
    skill = np.repeat([0.9, 0.55], people // 2)
    truth = generator.choice(["x", "y"], items)
    who = generator.random((items, people)).argsort(1)[:, :4]
    right = generator.random((items, 4)) < skill[who]
    other = np.where(truth == "x", "y", "x")
    frame = pd.DataFrame(
        {
            "item": np.repeat([f"i{number:03d}" for number in range(items)], 4),
            "annotator": [f"a{j}" for j in who.ravel()],
            "label": np.where(right, truth[:, None], other[:, None]).ravel(),
        }
    )
    half = np.repeat(np.arange(items) < items // 2, 4)
    gold = pd.Series(truth, [f"i{number:03d}" for number in range(items)])
    return frame[half], frame[~half], gold


@pytest.fixture(scope="module")
def fitted(studies):
    return cs.fit(
        studies[0], model="bayesian_dawid_skene", engine="vb", effort=QUICK, seed=0
    )


def accuracy(fit, gold):
    best = fit.items().set_index("item")["label"]
    return (best == gold.reindex(best.index)).mean()


def test_few_answers_of_known_annotators_are_worth_more(studies, fitted):
    _, later, gold = studies
    # Three items: too few to learn who is good from them.
    some = later[later["item"].isin(later["item"].unique()[:60])]
    strangers = some.assign(annotator="new " + some["annotator"])
    with pytest.warns(UnfamiliarAnnotatorsWarning, match=r"none of the 10 annotators"):
        of_strangers = cs.predict(fitted, strangers)
    assert accuracy(cs.predict(fitted, some), gold) > accuracy(of_strangers, gold)


def test_answers_of_others_are_not_learned_from(studies, fitted):
    later = studies[1]
    turned = later.assign(label=later["label"].map({"x": "y", "y": "x"}))
    one, other = (
        cs.predict(fitted, reported).annotators() for reported in (later, turned)
    )
    assert np.allclose(one["accuracy"], other["accuracy"])


def test_who_was_not_there_is_the_mean_of_who_was(studies, fitted):
    stranger = studies[1].head(40).assign(annotator="nobody")
    with pytest.warns(UnfamiliarAnnotatorsWarning):
        predicted = cs.predict(fitted, stranger)
    mean = (
        fitted.data["posterior"]["confusion"].mean("annotator").mean(("chain", "draw"))
    )
    own = predicted.data["posterior"]["confusion"].mean(("chain", "draw"))[0]
    assert np.allclose(own, mean, atol=0.02)
    assert "1 annotators were not in it" in predicted.data.attrs["engine_reason"]


def familiar(fit):
    """Whether anybody is familiar: the check, and the warning."""
    result = fit.diagnostics().set_index("name")["outcome"]
    return result["familiar_annotators"], bool(fit.data.attrs["warning"])


def test_where_nobody_is_familiar_there_is_a_warning_and_not_all_checks_pass(
    studies, fitted
):
    some = studies[1].head(40)
    anonymous = some.drop(columns="annotator")
    mixed = some.assign(annotator=["a0", *some["annotator"].iloc[1:] + "x"])
    for reported in (some.assign(annotator="nobody"), anonymous):
        with pytest.warns(UnfamiliarAnnotatorsWarning, match="by themselves"):
            predicted = cs.predict(fitted, reported)
        assert familiar(predicted) == (CANNOT_TELL, True)
    for reported in (some, mixed):
        assert familiar(cs.predict(fitted, reported)) == (PASSED, False)


def test_a_prediction_is_trusted_no_more_than_the_fit_it_is_from(studies, fitted):
    short = cs.EngineOptions(draws=60, restarts=1, iterations=2)
    stopped = cs.fit(
        studies[0], model="bayesian_dawid_skene", engine="vb", effort=short, seed=0
    )
    first = cs.predict(stopped, studies[1])
    for predicted in (first, cs.predict(first, studies[1])):
        verdict = predicted.diagnostics().set_index("name").loc["earlier_fit"]
        assert verdict["outcome"] == FAILED
        assert verdict["value"] >= 1
        assert trust(predicted.diagnostics()).startswith("DO NOT TRUST")
    assert "stopped_early" in first.diagnostics()["remedy"].iloc[0]
    sound = cs.predict(fitted, studies[1]).diagnostics().set_index("name")
    assert sound.loc["earlier_fit", "outcome"] == PASSED


@pytest.mark.parametrize("labels", [["y", "x"], None])
def test_labels_are_those_of_the_earlier_fit_whichever_occur(studies, fitted, labels):
    one = studies[1]["item"].iloc[0]
    some = studies[1][studies[1]["item"] == one].assign(label="y")
    expected = cs.predict(fitted, read(some, labels=["x", "y"])).labels()
    assert set(expected["label"]) == {"x", "y"}
    given = some if labels is None else read(some, labels=labels)
    pd.testing.assert_frame_equal(cs.predict(fitted, given).labels(), expected)


def test_other_labels_are_refused(studies, fitted):
    changed = studies[1].replace({"label": {"y": "z"}})
    with pytest.raises(OptionError, match=r"other labels .only in one of both: z"):
        cs.predict(fitted, changed)


def test_another_kind_is_refused(fitted):
    frame = pd.DataFrame(
        {"item": list("iij"), "annotator": "a", "label": list("xyx"), "answer": "yes"}
    )
    with pytest.raises(OptionError, match="was of kind choice"):
        cs.predict(fitted, read(frame, kind="contains"))


def test_a_model_bound_to_its_items_is_refused(studies):
    fit = cs.fit(studies[0], model="bwa")
    with pytest.raises(OptionError, match="cannot be used on other items"):
        cs.predict(fit, studies[1])
