"""People's and models' confusion side by side: by hand, and as published."""

from dataclasses import replace

import pandas as pd
import pytest
from tests.analysis.made import as_labels, contains_fit, objects_responses

import consilience as cs
from consilience.errors import KindError, OptionError
from consilience.truth.named import label_groups

# Main labels of six items, three answers each; the data set says cat, cat, cat, dog,
# dog, car.
MAINS = {
    "i0": "cat cat cat",
    "i1": "dog dog cat",
    "i2": "car car car",
    "i3": "dog dog dog",
    "i4": "cat cat dog",
    "i5": "car car car",
}
ANSWERS = [
    (item, f"a{place}", label)
    for item, labels in MAINS.items()
    for place, label in enumerate(labels.split())
]
DATASET = dict(zip(MAINS, ["cat", "cat", "cat", "dog", "dog", "car"], strict=True))
OWN = as_labels(DATASET)
PARENTS = pd.DataFrame(
    {
        "label": ["cat", "dog", "car", "animal"],
        "parent": ["animal", "animal", "vehicle", "alive"],
    }
)
FIRST = ["cat", "cat", "cat", "dog", "car", "dog"]
PREDICTED = pd.DataFrame({"model": "m", "item": list(MAINS), "label": FIRST, "rank": 1})


@pytest.fixture(scope="module")
def fit():
    rows = [(*answer, True) for answer in ANSWERS]
    responses = objects_responses(rows, DATASET, ["cat", "dog", "car"])
    return cs.fit(responses, model="tsipras2020")


def compare(fit, predicted=PREDICTED, resamples=50, **options):
    evaluation = cs.evaluate(fit, predicted, dataset_labels=OWN, resamples=resamples)
    return evaluation.confusion(**options)


@pytest.fixture(scope="module")
def comparison(fit):
    return compare(fit, labels=PARENTS)


def rates(table):
    keys = ["model", "true_label", "given_label"]
    return table.set_index(keys)["probability"].to_dict()


def test_confusions_of_people_and_of_a_model_are_as_by_hand(comparison):
    reported = rates(comparison.table())
    third = pytest.approx(1 / 3)
    assert reported["people", "cat", "cat"] == third
    assert reported["people", "cat", "dog"] == third
    assert reported["people", "cat", "car"] == third
    assert reported["people", "dog", "cat"] == 1 / 2
    assert reported["m", "cat", "cat"] == 1
    assert reported["m", "cat", "dog"] == 0  # stands there, since people have it
    assert reported["m", "dog", "car"] == 1 / 2
    assert reported["m", "car", "dog"] == 1
    table = comparison.table()
    assert (table["lower"] <= table["probability"] + 1e-12).all()
    assert (table["probability"] <= table["upper"] + 1e-12).all()
    assert table.query("true_label == 'cat'")["items"].eq(3).all()


def test_what_is_confused_inside_a_group_is_as_by_hand(comparison):
    table = comparison.within().set_index(["model", "statistic"])
    value = table["value"].to_dict()
    assert value["people", "called_otherwise"] == 3 / 6
    assert value["people", "inside"] == pytest.approx(2 / 3)
    assert value["people", "group_kept"] == pytest.approx(5 / 6)
    assert value["m", "called_otherwise"] == 2 / 6
    assert value["m", "inside"] == 0
    assert table["items"]["people", "inside"] == 3


def test_pairs_stand_with_people_first(comparison):
    table = comparison.pairs()
    first = table.iloc[0]
    assert first[["model", "label", "other_label"]].tolist() == ["people", "cat", "dog"]
    assert first["mutual"] == pytest.approx(1 / 3)
    assert first["one_sided"] == pytest.approx(1 / 6)
    assert (first["items_a"], first["items_b"]) == (3, 2)
    model = table[(table["model"] == "m") & (table["other_label"] == "dog")].iloc[0]
    assert model["mutual"] == 0
    assert comparison.pairs(min_probability=1.1).empty
    assert comparison.table(min_probability=1.1).empty


def test_models_and_the_data_set_are_judged_against_the_main_label(fit):
    result = compare(fit, against="truth")
    reported = rates(result.table())
    # Of two items that people call car, the data set calls one cat, the model neither.
    assert reported["dataset", "car", "cat"] == 1 / 2
    assert reported["m", "car", "car"] == 0
    assert reported["m", "car", "cat"] == reported["m", "car", "dog"] == 1 / 2


def test_what_cannot_be_compared_is_refused(fit, comparison):
    with pytest.raises(OptionError, match="level -1"):
        comparison.table(-1)
    with pytest.raises(OptionError, match="no label has a parent"):
        label_groups(
            pd.Index(["a"]), pd.DataFrame({"label": ["a"], "parent": [None]}), 1
        )
    with pytest.raises(OptionError, match="level 1: give 0"):
        replace(comparison, parents=None).within()
    with pytest.raises(OptionError, match="resamples 1"):
        compare(fit, resamples=1)
    with pytest.raises(OptionError, match="confusion needs the labels of the data set"):
        cs.evaluate(fit, PREDICTED).confusion()
    yes = contains_fit([("i", "cat", 1, 0, 0), ("j", "cat", 0, 0, 1)])
    rows = pd.DataFrame({"item": ["i", "j"], "label": "cat", "rank": 1})
    with pytest.raises(KindError, match="no label is the main one"):
        cs.evaluate(yes, rows, dataset_labels=rows[["item", "label"]]).confusion()


def test_the_studys_superclasses_are_as_published(data_folder):
    responses = cs.read(data_folder / "imagenet-multilabel")
    fit = cs.fit(responses, model="tsipras2020")
    own = responses.items[["item", "dataset_label"]].dropna()
    own = own.set_axis(["item", "label"], axis="columns")
    evaluation = cs.evaluate(fit, own.assign(rank=1), dataset_labels=own, resamples=2)
    result = evaluation.confusion(responses.labels)
    value = result.within().set_index(["model", "statistic"])["value"]
    assert value["people", "group_kept"] == pytest.approx(0.9275, abs=5e-5)
    assert value["people", "inside"] == pytest.approx(0.768, abs=5e-4)
    reported = rates(result.table(1))
    row = {name: reported["people", name, name] for name in ("Birds", "Devices")}
    assert row == pytest.approx({"Birds": 0.995, "Devices": 0.833}, abs=5e-4)
