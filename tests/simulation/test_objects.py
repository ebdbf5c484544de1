"""Simulated objects: what is drawn has the frequencies that the truth states."""

import numpy as np
import pytest

import consilience as cs
from consilience.errors import OptionError
from consilience.simulation import ObjectsSettings, simulate_objects
from consilience.truth.named import named_sets

ITEMS, PEOPLE = 60, 400
# Several tests look at all items or labels at once: one in a million by chance.
LIMIT = 5.0


def drawn(**settings):
    return simulate_objects(
        items=ITEMS,
        annotators=PEOPLE,
        per_item=PEOPLE,
        seed=3,
        settings={"twice": 0.3, **settings},
    )


@pytest.fixture(scope="module")
def crowd():
    """Everyone sees every item."""
    return drawn()


def shares(study):
    """How often each label of each item is named, and named as the main one."""
    table = study.responses.table.astype({"item": "str", "label": "str"})
    by = table.groupby(["item", "label"])["main"].agg(["size", "sum"])
    return study.truth["objects"].join(by / PEOPLE, on=["item", "label"]).fillna(0.0)


def away(observed, expected, number):
    """Standard errors between a share that was seen and the one that was stated."""
    return (observed - expected) / np.sqrt(expected * (1 - expected) / number + 1e-12)


def spread_of_people(study):
    """Variance that people who differ add to a mean over them, at most a half."""
    return study.truth["annotators"]["single_label"].var() / PEOPLE


def test_labels_are_named_as_often_as_the_truth_says(crowd):
    result = shares(crowd)
    # The people of the study are a sample: they pick more or less than people do.
    error = np.sqrt(result["named"] * (1 - result["named"]) / PEOPLE)
    slack = LIMIT * np.sqrt(error**2 + spread_of_people(crowd)) + 1e-9
    assert (np.abs(result["size"] - result["named"]) < slack).all()
    # Over all labels too, where chance within items averages out.
    mean = (result["size"] - result["named"]).mean()
    assert abs(mean) < LIMIT * np.sqrt(
        spread_of_people(crowd) + (error**2).mean() / 200
    )


def test_the_same_check_catches_people_who_pick_more(crowd):
    others = drawn(single_label=0.75)
    result = shares(others)
    stated = crowd.truth["objects"]["named"]
    assert (others.truth["objects"]["label"] == crowd.truth["objects"]["label"]).all()
    error = np.sqrt(stated * (1 - stated) / PEOPLE)
    slack = LIMIT * np.sqrt(error**2 + spread_of_people(others)) + 1e-9
    assert not (np.abs(result["size"] - stated) < slack).all()


def test_main_objects_are_drawn_by_salience_and_called_by_their_shares(crowd):
    result = shares(crowd)
    expected = result["salience"] * result["naming"]
    assert np.abs(away(result["sum"], expected, PEOPLE)).max() < LIMIT


def test_pickers_name_one_label():
    table = drawn(single_label=1.0).responses
    assert (named_sets(table).size == 1).all()


def test_objects_are_as_many_as_a_chinese_restaurant_seats():
    settings = {"fewest": 5.0, "most": 5.0, "new": 2.0}
    study = simulate_objects(
        items=500, annotators=1, per_item=1, seed=0, settings=settings
    )
    truth = study.truth["objects"]
    number = truth.groupby("item")["object"].nunique()
    chance = 2.0 / (2.0 + np.arange(5))
    error = np.sqrt((chance * (1 - chance)).sum() / 500)
    assert abs(number.mean() - chance.sum()) < 4 * error


def test_shares_and_salience_sum_to_one(crowd):
    truth = crowd.truth["objects"]
    by = truth.groupby(["item", "object"])
    assert np.allclose(by["naming"].sum(), 1)
    assert np.allclose(by["salience"].first().groupby("item").sum(), 1)
    assert truth.groupby("item")["main"].sum().eq(1).all()


def test_the_data_sets_label_is_the_main_one_as_often_as_asked():
    study = simulate_objects(items=400, annotators=1, per_item=1, seed=1)
    main = study.truth["objects"].loc[lambda t: t["main"]].set_index("item")["label"]
    own = study.responses.items.set_index("item")["dataset_label"]
    mistaken = ObjectsSettings().mistaken
    error = np.sqrt(mistaken * (1 - mistaken) / 400)
    assert abs((own != main).mean() - mistaken) < 4 * error


def test_gold_holds_what_more_than_tau_report(crowd):
    truth = crowd.truth["objects"]
    gold = crowd.responses.gold
    kept = truth[truth["reported"] > 0.5]
    assert gold["item"].tolist() == kept["item"].tolist()
    assert gold["label"].astype("str").tolist() == kept["label"].tolist()


def test_one_seed_gives_one_study():
    one, again, other = (
        simulate_objects(items=20, seed=seed).responses.table["label"].tolist()
        for seed in (1, 1, 2)
    )
    assert one == again
    assert one != other


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(OptionError, match="no setting 'own'; they have: fewest"):
        simulate_objects(settings={"own": 1.0})
    with pytest.raises(OptionError, match="single_label is -1"):
        simulate_objects(settings={"single_label": -1.0})
    with pytest.raises(OptionError, match="are shares up to 1"):
        simulate_objects(classes=3)
    with pytest.raises(OptionError, match="cannot ask 5 of 3 annotators"):
        simulate_objects(annotators=3)
    with pytest.raises(OptionError, match="drawn by no model"):
        cs.simulate(kind="objects", model="majority")
