"""What one study has learned, used on another."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import consilience as cs
from consilience.errors import OptionError, UnfamiliarAnnotatorsWarning
from consilience.fitting.earlier import align_draws
from consilience.posterior.trust import CANNOT_TELL, PASSED
from consilience.responses import read
from consilience.spaces import space_of

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


def test_the_same_items_are_believed_alike(studies, fitted):
    again = cs.predict(fitted, studies[0])
    before, after = (fit.labels()["probability"] for fit in (fitted, again))
    # The earlier fit has drawn the truth along with the parameters.
    assert np.abs(before - after).max() < 0.03
    columns = ["annotator", "accuracy"]
    assert np.allclose(
        fitted.annotators()[columns].set_index("annotator"),
        again.annotators()[columns].set_index("annotator"),
        atol=0.02,
    )
    assert "parameters are those of an earlier fit" in again.data.attrs["engine_reason"]


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


def test_a_prediction_can_be_kept_and_read_again(studies, fitted, tmp_path):
    predicted = cs.predict(fitted, studies[1])
    predicted.save(tmp_path / "run")
    reported = cs.load(tmp_path / "run").labels()
    pd.testing.assert_frame_equal(reported, predicted.labels())
    again = cs.predict(cs.load(tmp_path / "run"), studies[1])
    assert np.allclose(
        again.labels()["probability"], reported["probability"], atol=0.02
    )


def test_other_labels_are_refused(studies, fitted):
    changed = studies[1].replace({"label": {"y": "z"}})
    with pytest.raises(OptionError, match=r"other labels .only in one of both: y, z"):
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


@pytest.fixture(scope="module")
def appearances():
    """Answers about two labels, with a number known beforehand of each pair."""
    generator = np.random.default_rng(1)
    size = 150
    hint = generator.normal(size=size)
    rows = [
        (f"i{number:03d}", who, ("cat", "cup")[number % 2], word)
        for number in range(size)
        for who, word in zip(
            "abc",
            generator.choice(["no", "yes"], 3, p=[0.8, 0.2])
            if hint[number] < 0
            else generator.choice(["no", "yes"], 3, p=[0.3, 0.7]),
            strict=True,
        )
    ]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label", "answer"])
    known = frame[["item", "label"]].drop_duplicates().assign(hint=hint)
    labels = pd.DataFrame({"label": ["cat", "cup"], "parent": ["animal", "thing"]})
    return read(frame, kind="contains", labels=labels), known


@pytest.mark.study
def test_numbers_known_beforehand_are_measured_as_in_the_earlier_study(appearances):
    reported, known = appearances
    fit = cs.fit(
        reported,
        model="contains",
        engine="em",
        candidates=known,
        effort=cs.EngineOptions(restarts=1, draws=0),
    )
    again = cs.predict(fit, reported, candidates=known)
    before, after = (each.labels()["probability"] for each in (fit, again))
    assert np.allclose(before, after, atol=1e-4)
    # A few pairs of high hints: by their own mean they would be nothing special.
    few = known.nlargest(20, "hint")
    table = reported.table[reported.table["item"].isin(few["item"])]
    names = ["item", "annotator", "label", "answer"]
    rows = pd.DataFrame({name: table[name].astype(str) for name in names})
    part = read(rows, kind="contains", labels=reported.labels)
    there = cs.predict(fit, part, candidates=few).labels()
    both = fit.labels().merge(there, on=["item", "label"], suffixes=("", "_there"))
    assert len(both) == 20
    assert np.allclose(both["probability"], both["probability_there"], atol=1e-4)
    with pytest.raises(OptionError, match="the earlier fit had hint"):
        cs.predict(fit, reported, candidates=known.rename(columns={"hint": "other"}))


def test_labels_without_groups_have_the_one_of_the_earlier_fit():
    rows = [("i", "b", "cat", "yes"), ("i", "c", "cat", "no")]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label", "answer"])
    space = space_of(read(frame, kind="contains"))
    dims = ("chain", "draw", "group", "annotator")
    threshold = xr.DataArray(
        np.array([1.0, 3.0]).reshape(1, 1, 1, 2), {"annotator": ["a", "b"]}, dims
    )
    posterior = xr.Dataset({"annotator_threshold": threshold})
    # Who is new is the mean of those who were there.
    aligned = align_draws(space, posterior)["annotator_threshold"]
    assert aligned.tolist() == [[[[3.0, 2.0]]]]
