"""Tables beside the answers are read by what they hold; what stays open is asked."""

import json

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.cli import main
from consilience.errors import ColumnError, DataError

ANIMALS = np.array(["cat", "dog", "owl"])
PHOTOS = np.array([f"p{k:02d}" for k in range(30)])
TRUTH = ANIMALS[np.arange(30) % 3]
OTHER = ANIMALS[(np.arange(30) + 1) % 3]
CALLED = {"item": PHOTOS, "label": TRUTH}
NUMBERS = np.arange(1, 31)


@pytest.fixture(scope="module")
def responses():
    rows = [
        (photo, person, label)
        for photo, label, other in zip(PHOTOS, TRUTH, OTHER, strict=True)
        for person in ("ann", "bob", "cid")
        for label in (other if person == "cid" and photo > "p20" else label,)
    ]
    return cs.read(pd.DataFrame(rows, columns=["image_file", "annotator", "animal"]))


@pytest.fixture(scope="module")
def fitted(responses):
    return cs.fit(responses, model="dawid_skene", engine="em")


GOLD = {
    "the names of the study": {"image_file": PHOTOS, "animal": TRUTH},
    "usual names": {"filename": PHOTOS, "class": TRUTH},
    "names that say nothing": {"aa": TRUTH, "bb": PHOTOS},
    "another label beside": {"aa": PHOTOS, "bb": TRUTH, "cc": "x"},
    "the truth beside an answer": {"aa": PHOTOS, "animal": OTHER, "gold": TRUTH},
    "a usual name that lies": {"task": "animals", "image": PHOTOS, "animal": TRUTH},
    "names that are swapped": {"comment": TRUTH, "kind": PHOTOS},
}
OPEN = {
    "two labels": ({"aa": PHOTOS, "bb": TRUTH, "cc": OTHER}, "'bb', 'cc'"),
    "nothing of the study": ({"aa": ["u", "v"], "bb": ["x", "y"]}, "'aa', 'bb'"),
    "no label": ({"aa": PHOTOS, "confidence": 0.5}, "no column 'label'"),
}


@pytest.mark.parametrize("name", GOLD)
def test_gold_is_read_by_its_content(name, responses, fitted):
    usual, gold = pd.DataFrame(CALLED), pd.DataFrame(GOLD[name])
    assert cs.score(fitted, gold) == cs.score(fitted, usual)
    one, other = (
        cs.fit(responses, model="dawid_skene", engine="em", gold=table)
        for table in (gold, usual)
    )
    pd.testing.assert_frame_equal(one.items(), other.items())


@pytest.mark.parametrize("name", OPEN)
def test_gold_that_stays_open_is_asked_about(name, responses, fitted):
    columns, sentence = OPEN[name]
    gold = pd.DataFrame(columns)
    with pytest.raises(ColumnError, match=sentence):
        cs.score(fitted, gold)
    with pytest.raises(ColumnError, match="call the one to read"):
        cs.fit(responses, model="dawid_skene", gold=gold)
    gold = pd.DataFrame(CALLED | {n: gold[n][0] for n in gold})
    assert cs.score(fitted, gold) == cs.score(fitted, pd.DataFrame(CALLED))


def test_numbers_of_items_and_of_labels_are_told_apart():
    answers = pd.DataFrame(
        {
            "item": np.repeat(NUMBERS, 3),
            "annotator": ["ann", "bob", "cid"] * 30,
            "label": np.repeat(NUMBERS % 5 + 1, 3),
        }
    )
    fit = cs.fit(answers, model="majority")
    gold = pd.DataFrame({"aa": NUMBERS % 5 + 1, "bb": NUMBERS})
    assert cs.score(fit, gold).metrics["accuracy"].value == 1
    with pytest.raises(ColumnError, match="no one column looks like the item"):
        cs.score(fit, gold.assign(bb=NUMBERS % 5 + 1))


@pytest.mark.parametrize("names", [("image_file", "animal"), ("aa", "bb")])
def test_candidates_and_new_gold_of_a_prediction(names, responses, fitted):
    pairs = pd.DataFrame([(p, a) for p in PHOTOS for a in ANIMALS])
    lists = pairs.set_axis([*names], axis=1)
    usual = pairs.set_axis(["item", "label"], axis=1)
    one, other = (
        cs.fit(responses, model="dawid_skene", engine="em", candidates=table)
        for table in (lists, usual)
    )
    pd.testing.assert_frame_equal(one.items(), other.items())
    gold = pd.DataFrame(dict(zip(names, (PHOTOS[:9], TRUTH[:9]), strict=True)))
    later = cs.predict(fitted, responses, gold=gold)
    assert (later.items()["label"].astype(str)[:9] == TRUTH[:9]).all()
    two = pd.DataFrame({"aa": PHOTOS, "bb": TRUTH, "cc": OTHER})
    with pytest.raises(ColumnError, match="'label'"):
        cs.predict(fitted, responses, gold=two)


SCORES = np.where(np.arange(3) == np.arange(30)[:, None] % 3, 0.8, 0.1)
LONG = {"aa": PHOTOS.repeat(3), "bb": np.tile(ANIMALS, 30)}
PREDICTIONS = {
    "one label": {"aa": PHOTOS, "bb": TRUTH},
    "ranks": {
        **LONG,
        "Rank": 1 + (SCORES < 0.5).cumsum(1).ravel() * (SCORES < 0.5).ravel(),
    },
    "scores": {**LONG, "score": SCORES.ravel() * 9},
    "a column for each label": {
        "aa": PHOTOS,
        **dict(zip(ANIMALS, SCORES.T, strict=True)),
    },
    "columns of logits": {
        "aa": PHOTOS,
        **dict(zip(ANIMALS, SCORES.T * 9 - 5, strict=True)),
    },
}


@pytest.mark.parametrize("name", PREDICTIONS)
def test_predictions_are_read_as_they_are_laid_out(name, fitted, tmp_path, capsys):
    table, first = pd.DataFrame(PREDICTIONS[name]), pd.DataFrame(CALLED).assign(rank=1)
    wanted = cs.evaluate(fitted, first, top=1).models
    pd.testing.assert_frame_equal(cs.evaluate(fitted, table, top=1).models, wanted)
    fitted.save(tmp_path / "run")
    table.to_csv(tmp_path / "a.csv", index=False)
    given = ["--predictions", str(tmp_path / "a.csv"), "--top", "1", "--json"]
    main(["evaluate", str(tmp_path / "run"), *given])
    models = json.loads(capsys.readouterr().out)["models"]
    assert models[0]["value"] == pytest.approx(wanted["value"][0])


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (LONG, "which label of item 'p00' is the first does not show"),
        ({**LONG, "score": "high"}, "a number in each row"),
        (PREDICTIONS["columns of logits"] | {"fox": 1.0}, "'fox' are no labels"),
        (PREDICTIONS["columns of logits"] | {"owl": "x"}, "a number in each row"),
    ],
)
def test_predictions_that_stay_open_are_asked_about(table, sentence, fitted):
    with pytest.raises(DataError, match=sentence):
        cs.evaluate(fitted, pd.DataFrame(table))


def test_groups_items_and_annotators_go_by_their_content(responses):
    rows = pd.DataFrame(
        {"item": PHOTOS.repeat(2), "annotator": ["ann", "bob"] * 30}
    ).assign(label=NUMBERS.repeat(2) % 5 + 1)
    fit = cs.fit(rows, model="multinomial", ordered=True)
    groups = pd.DataFrame({"zz": ["a", "b"] * 15, "aa": PHOTOS})
    usual = groups.set_axis(["group", "item"], axis=1)
    one, other = (
        cs.analysis.mean_ratings(fit, groups=table) for table in (groups, usual)
    )
    pd.testing.assert_frame_equal(one.groups, other.groups)
    with pytest.raises(ColumnError, match="looks like the group among 'zz', 'yy'"):
        cs.analysis.mean_ratings(fit, groups=groups.assign(yy=1))
    items = pd.DataFrame({"place": "x", "aa": PHOTOS})
    again = cs.read(rows, items=items).items
    assert again["item"].tolist() == [*PHOTOS]
    with pytest.raises(ColumnError, match="looks like the item"):
        cs.read(rows, items=items.assign(aa="elsewhere"))
    people = pd.DataFrame({"worker": ["ann", "bob", "cid"], "group": ["x", "y", "y"]})
    assert cs.fit(responses, model="majority", annotators=people)
    nobody = people.rename(columns={"worker": "aa"})
    with pytest.raises(ColumnError, match="looks like the annotator"):
        cs.fit(responses, model="majority", annotators=nobody)


@pytest.mark.parametrize(("written", "meant"), [("{:.0f}", "{:.1f}"), ("{:.1f}",) * 2])
def test_numbers_with_and_without_points_are_the_same_labels(written, meant, tmp_path):
    grades = np.arange(30) % 3 + 1.0
    answers = pd.DataFrame(
        {
            "item": PHOTOS.repeat(3),
            "annotator": ["ann", "bob", "cid"] * 30,
            "label": [written.format(grade) for grade in grades.repeat(3)],
        }
    )
    fit = cs.fit(cs.read(answers), model="majority")
    gold = pd.DataFrame({"item": PHOTOS, "label": [meant.format(g) for g in grades]})
    gold.to_csv(tmp_path / "gold.csv", index=False)
    for given in (gold, tmp_path / "gold.csv"):
        assert cs.score(fit, given).metrics["accuracy"].value == 1
        assert cs.fit(answers, model="dawid_skene", engine="em", gold=given)
    assert cs.evaluate(fit, gold, top=1).models["value"][0] > 0.9
