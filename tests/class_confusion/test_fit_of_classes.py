"""Fits of the model of classes: engines agree, classes are found, tables hold."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.errors import OptionError

CLASSES, ITEMS, ANSWERS = 6, 20, 7
TRUTH = np.array(
    [
        [0.70, 0.20, 0.04, 0.02, 0.02, 0.02],
        [0.30, 0.60, 0.04, 0.02, 0.02, 0.02],
        [0.02, 0.02, 0.80, 0.10, 0.03, 0.03],
        [0.02, 0.02, 0.25, 0.65, 0.03, 0.03],
        [0.02, 0.02, 0.02, 0.02, 0.87, 0.05],
        [0.02, 0.02, 0.02, 0.02, 0.17, 0.75],
    ]
)
POINT = cs.EngineOptions(draws=0)
NAMES = [f"c{number}" for number in range(CLASSES)]
PARENTS = ["p0", "p0", "p1", "p1", "p2", "p2"]


def drawn(seed, annotators=20, precision=10.0):
    """Draw annotators, each Dirichlet about the population, and what they answer."""
    generator = np.random.default_rng(seed)
    theirs = np.stack(
        [generator.dirichlet(precision * row, annotators) for row in TRUTH], axis=1
    )
    class_ = np.repeat(np.arange(CLASSES), ITEMS)
    who = np.stack([generator.permutation(annotators)[:ANSWERS] for _ in class_])
    chance = theirs[who, class_[:, None]].cumsum(2)
    given = (generator.random(who.shape)[:, :, None] > chance).sum(2)
    return theirs, class_, who, np.minimum(given, CLASSES - 1)


def responses_of(class_, who, given):
    item = np.repeat([f"i{number:04d}" for number in range(len(class_))], ANSWERS)
    rows = pd.DataFrame(
        {
            "item": item,
            "annotator": [f"a{number:02d}" for number in who.ravel()],
            "label": [NAMES[label] for label in given.ravel()],
        }
    )
    items = pd.DataFrame(
        {"item": pd.unique(item), "dataset_label": [NAMES[each] for each in class_]}
    )
    read = cs.read(rows, kind="choice", labels=NAMES)
    labels = read.labels.assign(parent=PARENTS)
    return replace(read, items=items, labels=labels)


@pytest.fixture(scope="module")
def study():
    theirs, class_, who, given = drawn(0)
    return theirs, class_, responses_of(class_, who, given)


@pytest.fixture(scope="module")
def fit(study):
    return cs.fit(study[2], model="class_confusion")


def cells(table):
    whole = table[table["annotator"].isna()]
    keys = [whole[name].astype(str) for name in ("true_label", "given_label")]
    return whole.set_index(pd.MultiIndex.from_arrays(keys)).sort_index()


@pytest.mark.study
def test_the_mode_and_the_exact_posterior_agree(study, fit):
    effort = cs.EngineOptions(draws=150, chains=2)
    exact = cs.fit(study[2], model="class_confusion", engine="nuts", effort=effort)
    one, other = cells(fit.confusion()), cells(exact.confusion())
    both = one.index.intersection(other.index)
    assert len(both) > CLASSES**2 / 2
    width = (other["upper"] - other["lower"])[both]
    # A fifth of an interval of nine tenths: two thirds of a standard deviation.
    apart = (one["probability"] - other["probability"])[both]
    assert (abs(apart) < 0.2 * width).all()
    assert (abs((one["upper"] - one["lower"])[both] / width - 1) < 0.5).all()
    # Other classes' confusions are not as near.
    turned = other["probability"][both].to_numpy()[::-1]
    assert not (abs(one["probability"][both] - turned) < 0.2 * width).all()


def test_what_has_a_class_keeps_it(study, fit):
    items = fit.items()
    assert items["label"].tolist() == [NAMES[each] for each in study[1]]
    assert (items["probability"] == 1).all()


@pytest.fixture(scope="module")
def half_known(study):
    _, class_, responses = study
    known = np.arange(len(class_)) % 2 == 0
    some = replace(responses, items=responses.items[known])
    return known, cs.fit(some, model="class_confusion", effort=POINT)


def test_items_without_a_class_are_judged_by_those_that_have_one(study, half_known):
    class_, (known, fitted) = study[1], half_known
    labels = fitted.labels()
    wide = labels.pivot_table("probability", "item", "label", observed=True)
    chance = wide[NAMES].to_numpy()
    assert np.allclose(chance.sum(1), 1)
    assert (chance[known, class_[known]] == 1).all()
    promised = chance[~known].max(1)
    hits = chance[~known].argmax(1) == class_[~known]
    error = np.sqrt((promised * (1 - promised)).sum()) / len(hits)
    assert abs(hits.mean() - promised.mean()) < 4 * error
    assert promised.mean() > 0.8
    assert hits.mean() < 1 or promised.mean() > 0.99


@pytest.mark.study
def test_confusions_learned_from_other_classes_would_find_fewer(study, half_known):
    class_, (known, fitted) = study[1], half_known
    responses = study[2]
    wrong = responses.items.assign(
        dataset_label=[NAMES[(each + 2) % CLASSES] for each in class_]
    )
    shifted = replace(responses, items=wrong[known])
    items = cs.fit(shifted, model="class_confusion", effort=POINT).items()
    right = np.array([NAMES[each] for each in class_])
    hits = (items["label"].astype(str).to_numpy() == right)[~known].mean()
    assert hits < (fitted.items()["label"].astype(str) == right)[~known].mean() - 0.3


def test_gold_labels_are_classes(study):
    responses = study[2]
    gold = responses.items.rename(columns={"dataset_label": "label"})
    one, other = (
        cs.fit(given, model="class_confusion", gold=gold, effort=POINT)
        for given in (responses, replace(responses, items=None))
    )
    assert one.confusion().equals(other.confusion())
    with pytest.raises(OptionError, match="no item has a label of the data set"):
        cs.fit(replace(responses, items=None), model="class_confusion")


def test_levels_sum_the_confusion_of_their_labels(fit):
    between = fit.confusion(level=1)
    assert between["annotator"].isna().all()
    assert list(between["true_label"].cat.categories) == ["p0", "p1", "p2"]
    assert np.allclose(
        between.groupby("true_label", observed=True)["probability"].sum(), 1
    )
    table = pd.concat([fit.confusion(true_label=name) for name in NAMES[:2]])
    inside = table[table["given_label"].isin(NAMES[:2])]["probability"].sum() / 2
    assert between["probability"][0] == pytest.approx(inside)
    assert between["lower"][0] < inside < between["upper"][0]
    with pytest.raises(OptionError, match="there is no label 'cow'"):
        fit.confusion(true_label="cow")


# Annotators


@pytest.fixture(scope="module")
def fits():
    results = []
    for seed in range(1, 13):
        theirs, class_, who, given = drawn(seed)
        fitted = cs.fit(responses_of(class_, who, given), model="class_confusion")
        results.append((theirs, fitted))
    return results


# The population is estimated from the same answers, as if it were not: of 20 annotators
# with 7 answers a class, the precision comes out a fifth too large, and intervals hold
# .86 of the time (eight studies).
PLUG_IN = 0.06


def inside(fitted, truth, spoil=lambda lower, upper: (lower, upper)):
    """Return whether intervals of annotators hold, of cells worth looking at."""
    table = fitted.confusion().dropna(subset="annotator")
    who = table["annotator"].astype(str).str[1:].astype(int)
    true, given = (
        table[f"{each}_label"].astype(str).str[1:].astype(int)
        for each in ("true", "given")
    )
    value = truth[who, true, given]
    lower, upper = spoil(table["lower"], table["upper"])
    hold = ((lower <= value) & (value <= upper))[TRUTH[true, given] >= 0.1]
    return hold.groupby(who).mean().to_numpy()


@pytest.mark.study
def test_intervals_of_annotators_hold_as_often_as_they_say(fits):
    held = np.concatenate([inside(fitted, truth) for truth, fitted in fits])
    error = held.std(ddof=1) / np.sqrt(len(held))
    assert abs(held.mean() - 0.9) < 4 * error + PLUG_IN


@pytest.mark.study
def test_intervals_of_half_the_width_do_not(fits):
    def halved(lower, upper):
        return lower + (upper - lower) / 4, upper - (upper - lower) / 4

    held = np.concatenate([inside(fitted, truth, halved) for truth, fitted in fits])
    error = held.std(ddof=1) / np.sqrt(len(held))
    assert held.mean() < 0.9 - 4 * error - PLUG_IN


# What is laid out


def test_main_labels_are_answers_and_others_are_evidence():
    made = cs.simulate(kind="objects", items=40, classes=6, per_item=4, seed=1)
    fitted = cs.fit(made.responses, model="class_confusion", effort=POINT)
    assert fitted.data.attrs["kind"] == "choice"
    assert fitted.data["observed_data"]["n"].sum() == made.responses.table["main"].sum()
    named = made.responses.table["label"].notna().sum()
    aside = fitted.data["constant_data"]["aside_n"].sum()
    assert aside == named - made.responses.table["main"].sum()
    assert "reverse_aside_weight" in fitted.data["posterior"]
    assert len(fitted.annotators()) > 0


def test_the_last_item_may_be_called_a_label_behind_its_class():
    """An answer's place is then behind the last entry of all lists."""
    table = pd.DataFrame(
        {"item": list("aabb"), "annotator": list("xyxy"), "label": list("uvuv")}
    )
    classes = pd.DataFrame({"item": ["a", "b"], "dataset_label": ["u", "u"]})
    responses = replace(cs.read(table), items=classes)
    fitted = cs.fit(responses, model="class_confusion", engine="em", effort=POINT)
    confusion = fitted.confusion()
    of_all = confusion[confusion["annotator"].isna()].query("true_label == 'u'")
    assert of_all["probability"].sum() == pytest.approx(1)
