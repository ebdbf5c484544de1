"""Annotators to talk to, and items to check, on crowds whose faults are known."""

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.errors import OptionError
from consilience.posterior.flags import (
    ALIKE,
    CONFUSES,
    HABIT,
    RANDOM,
    flagged_first,
    flags,
)

LABELS = np.array(["cat", "dog", "fox", "wolf"])
ITEMS, PEOPLE, EACH = 240, 12, 5


def crowd(seed, *, faulty):
    """Four in five answers are right; p0 to p4 have a fault each, if they are to."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(4, size=ITEMS)
    who = generator.random((ITEMS, PEOPLE)).argsort(1)[:, :EACH]
    wrong = (truth[:, None] + generator.integers(1, 4, who.shape)) % 4
    said = np.where(generator.random(who.shape) < 0.8, truth[:, None], wrong)
    if faulty:
        said = np.where(who == 0, generator.integers(4, size=who.shape), said)
        usual = generator.random(who.shape) < 0.9
        said = np.where((who == 1) & usual, 1, said)
        said = np.where((who == 2) & (truth[:, None] == 2), 3, said)
        for row, people in enumerate(who):
            if {3, 4} <= {*people}:
                said[row, people == 3] = said[row, people == 4]
    return pd.DataFrame(
        {
            "item": [f"i{item:03d}" for item in np.arange(ITEMS).repeat(EACH)],
            "annotator": [f"p{person}" for person in who.ravel()],
            "label": LABELS[said.ravel()],
        }
    )


def noticed(fit):
    """Return the names of flags by annotator."""
    found = flags(fit.data).items()
    return {name: {flag.name for flag in each} for name, each in found}


EXPECTED = {
    "p0": {RANDOM},
    "p1": {HABIT},
    "p2": {CONFUSES},
    "p3": {ALIKE},
    "p4": {ALIKE},
}


@pytest.fixture(scope="module")
def fit():
    return cs.fit(crowd(0, faulty=True), model="hierarchical_dawid_skene")


def test_each_fault_has_its_flag(fit):
    assert noticed(fit) == EXPECTED
    other = cs.fit(crowd(0, faulty=True), model="dawid_skene")
    assert noticed(other) == EXPECTED


def test_without_confusions_in_the_model_a_habit_is_found():
    found = noticed(cs.fit(crowd(0, faulty=True), model="majority"))
    assert found["p1"] == {HABIT}


def test_nobody_is_flagged_where_nobody_has_a_fault():
    for seed in range(2):
        crowd_of = crowd(seed, faulty=False)
        assert not noticed(cs.fit(crowd_of, model="hierarchical_dawid_skene"))


def test_the_table_says_who_to_talk_to_and_why(fit):
    table = fit.table("annotators")
    assert [*table["annotator"]] == [*fit.data["constant_data"]["annotator"].values]
    assert table.meanings["flag_probability"]
    table = flagged_first(table)
    assert {*table["annotator"][:5]} == {*EXPECTED}
    assert (
        table["flag_probability"].is_monotonic_decreasing
        or table["flag_probability"][5:].isna().all()
    )
    assert table["accuracy"][5:].is_monotonic_increasing
    row = table.set_index("annotator").loc["p1"]
    assert row["evidence"].startswith("dog is ")
    assert "confuses" in table.set_index("annotator").loc["p2", "flag"]


def test_a_fit_of_yes_and_no_flags_who_always_says_yes():
    study = cs.simulate(kind="contains", items=150, annotators=10, per_item=5, seed=1)
    table = study.responses.table[["item", "annotator", "label", "answer"]].astype(str)
    table.loc[table["annotator"] == "annotator3", "answer"] = "yes"
    fit = cs.fit(table, model="bayesian_dawid_skene")
    assert HABIT in noticed(fit)["annotator3"]


@pytest.mark.parametrize("model", ["ordinal_dawid_skene", "hierarchical_dawid_skene"])
def test_who_rates_at_random_is_flagged_where_labels_are_ordered(model):
    generator = np.random.default_rng(0)
    truth = generator.integers(1, 6, 60)
    ratings = np.rint(truth[:, None] + generator.normal(0, 0.6, (60, 6)))
    ratings[:, 0] = generator.integers(1, 6, 60)
    rows = {
        "item": np.arange(60).repeat(6),
        "annotator": [f"p{person}" for _ in range(60) for person in range(6)],
        "label": np.clip(ratings, 1, 5).astype(int).ravel(),
    }
    fit = cs.fit(pd.DataFrame(rows), model=model, ordered=True)
    assert noticed(fit) == {"p0": {RANDOM}}


def test_the_least_certain_items_come_first_with_who_said_what(fit):
    table = fit.table("check")
    items = fit.items().set_index("item")
    assert len(table) == 100
    assert table["probability"].is_monotonic_increasing
    assert table["probability"][0] == pytest.approx(items["probability"].min())
    first = table.iloc[0]
    assert first["label"] == items.loc[first["item"], "label"]
    rows = crowd(0, faulty=True)
    rows = rows[rows["item"] == first["item"]]
    said = {*(rows["annotator"] + " " + rows["label"])}
    assert {*first["annotators"].split(", ")} == said
    counted = rows["label"].value_counts()
    assert first["answers"].split(", ")[0].split()[0] == str(counted.iloc[0])
    idle = table[table["annotators"].str.contains("p0 ")]
    assert idle["reason"].str.contains("p0").all()
    assert table["reason"].str.len().gt(0).all()


def test_pairs_of_item_and_label_are_checked_where_labels_were_asked_about():
    study = cs.simulate(kind="contains", items=40, per_item=3, seed=1)
    fit = cs.fit(study.responses, model="contains_states", engine="vb")
    table = fit.table("check")
    distance = (table["probability"] - 0.5).abs()
    assert distance.is_monotonic_increasing
    stated = fit.labels().set_index(["item", "label"])["probability"]
    assert table["probability"].to_numpy() == pytest.approx(
        stated.loc[list(zip(table["item"], table["label"], strict=True))].to_numpy()
    )


def test_of_objects_there_is_no_such_table():
    study = cs.simulate(kind="objects", items=12, annotators=8, classes=6, seed=0)
    fit = cs.fit(study.responses, model="tsipras2020")
    assert "check" not in fit.tables
    with pytest.raises(OptionError, match="of kind choice and contains"):
        fit.table("check")
    assert "flag" in fit.annotators()


def test_of_annotators_without_ids_nobody_is_flagged():
    rows = crowd(0, faulty=True)[["item", "label"]]
    fit = cs.fit(rows, model="multinomial")
    assert flags(fit.data) == {}
    assert fit.table("annotators").empty
    assert len(fit.table("check")) == 100
