"""Gold labels of objects teach what is a right name of what is there."""

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.errors import DataError
from consilience.fitting.objects import judged, questions

EFFORT = cs.EngineOptions(restarts=1, draws=3)


@pytest.fixture(scope="module")
def study():
    made = cs.simulate(
        kind="objects", items=40, annotators=12, classes=6, per_item=5, seed=0
    )
    gold = made.responses.gold.astype(str)[["item", "label"]]
    return made.responses, gold


@pytest.fixture(scope="module")
def fits(study):
    responses, gold = study
    items = gold["item"].unique()
    given = gold[gold["item"].isin(items[:18])]
    rest = gold[~gold["item"].isin(items[:18])]
    made = {
        name: cs.fit(responses, gold=each, effort=EFFORT, seed=0)
        for name, each in {"without": None, "with": given}.items()
    }
    return made, given, rest


def test_each_candidate_is_a_question_to_each_response(study):
    responses, _ = study
    rows = [("i", "cat"), ("i", "dog"), ("j", "cat")]
    table = pd.DataFrame(rows, columns=["item", "label"])
    answers = [
        ("i", "r1", "ann", "cat", True),
        ("i", "r1", "ann", "dog", False),
        ("i", "r2", "bob", "dog", True),
        ("j", "r3", "ann", "cat", True),
    ]
    names = ["item", "response_id", "annotator", "label", "main"]
    given = cs.read(pd.DataFrame(answers, columns=names), kind="objects")
    found = questions(given, table).table.astype(str)
    found = found.set_index(["item", "annotator", "label"])["answer"].to_dict()
    assert found == {
        ("i", "ann", "cat"): "yes",
        ("i", "ann", "dog"): "yes",
        ("i", "bob", "cat"): "no",
        ("i", "bob", "dog"): "yes",
        ("j", "ann", "cat"): "yes",
    }
    gold = pd.DataFrame([("i", "dog")], columns=["item", "label"])
    assert judged(gold, table)["answer"].tolist() == ["no", "yes"]
    with pytest.raises(DataError, match="none of its items has a label that the fit"):
        judged(gold.assign(item="k"), table)
    assert responses.kind == "objects"


@pytest.mark.study
def test_gold_teaches_what_counts_as_there(fits):
    made, _, rest = fits
    before, after = (cs.score(made[name], rest).metrics for name in ("without", "with"))
    assert after["log_loss"].value < before["log_loss"].value - 0.1
    table = made["with"].table("gold").set_index("fit")
    assert table.loc["difference", "log_loss_upper"] < 0
    sentence = made["with"].data["gold"].attrs["sentence"]
    assert "pairs of item and label: on gold left out, log-loss is" in sentence
    # What gold says nothing of stays.
    for name in ("objects", "object_counts", "items"):
        one, other = (made[each].table(name) for each in ("without", "with"))
        pd.testing.assert_frame_equal(pd.DataFrame(one), pd.DataFrame(other))


def test_gold_is_the_truth_of_its_items_and_not_scored(fits):
    made, given, rest = fits
    labels = made["with"].labels().astype({"item": str, "label": str})
    about = labels[labels["item"].isin(given["item"])]
    valid = pd.MultiIndex.from_frame(given)
    right = pd.MultiIndex.from_frame(about[["item", "label"]]).isin(valid)
    assert (about["probability"] == right).all()
    score = cs.score(made["with"], pd.concat([given, rest]))
    assert score.given == len(given)


def test_other_items_are_predicted_as_gold_has_taught(fits, tmp_path):
    made, _, _ = fits
    new = cs.simulate(
        kind="objects", items=25, annotators=12, classes=6, per_item=5, seed=9
    ).responses
    truth = new.gold.astype(str)[["item", "label"]]
    made["with"].save(tmp_path / "run")
    loss = {
        name: cs.score(cs.predict(fit, new), truth).metrics["log_loss"].value
        for name, fit in {**made, "loaded": cs.load(tmp_path / "run")}.items()
    }
    assert loss["with"] < loss["without"] - 0.1
    assert loss["loaded"] == pytest.approx(loss["with"])


@pytest.mark.study
def test_labels_at_random_teach_little(study, fits):
    responses, _ = study
    made, given, rest = fits
    generator = np.random.default_rng(0)
    labels = made["without"].labels()[["item", "label"]].astype(str)
    about = labels[labels["item"].isin(given["item"])]
    chance = generator.random(len(about)) < 0.5
    answers = about.assign(answer=np.where(chance, "yes", "no"))
    fit = cs.fit(responses, gold=answers, effort=EFFORT, seed=0)
    loss = cs.score(fit, rest).metrics["log_loss"].value
    assert loss > cs.score(made["with"], rest).metrics["log_loss"].value
