"""Objects and Contains given to a fit together: what is taken, refused and kept."""

import json

import numpy as np
import pandas as pd
import pytest
from arviz_stats import summary

import consilience as cs
from consilience.errors import KindError, OptionError
from consilience.inference import EngineOptions
from consilience.responses import read
from consilience.spaces import space_of

NAMED = [
    ("i", "1", "a", True),
    ("i", "1", "b", False),
    ("i", "2", "c", True),
    ("j", "1", "a", True),
    ("k", "1", "b", True),
    ("k", "2", "a", True),
]
SAID = [
    ("i", "b", "yes", 3),
    ("i", "b", "no", 1),
    ("i", "c", "maybe", 2),
    ("i", "d", "no", 4),  # nobody named it
    ("j", "a", "yes", 5),  # the only candidate
    ("elsewhere", "a", "yes", 2),
]


def objects(rows=NAMED):
    frame = pd.DataFrame(rows, columns=["item", "response_id", "label", "main"])
    return read(frame, kind="objects", labels=["a", "b", "c", "d"])


def contains(rows=SAID):
    frame = pd.DataFrame(rows, columns=["item", "label", "answer", "n"])
    return read(frame, kind="contains", labels=["d", "c", "b", "a"])


def test_answers_about_candidates_are_counted_by_name():
    space = space_of(objects(), contains=contains())
    place = {name: row for row, name in enumerate(space.unit_item)}
    asked = space.named.contains_counts
    assert asked[place["i"]].tolist() == [[0, 0, 0], [1, 0, 3], [0, 2, 0]]
    assert not asked[[place["j"], place["k"]]].any()


def test_what_cannot_be_fitted_together_is_refused():
    with pytest.raises(OptionError, match="taken beside those of kind objects"):
        cs.fit(contains(), contains=contains())
    with pytest.raises(KindError, match="are of kind objects"):
        cs.fit(objects(), model="objects", contains=objects())
    with pytest.raises(OptionError, match="does not use contains"):
        cs.fit(objects(), model="tsipras2020", contains=contains())


def test_a_fit_of_objects_alone_knows_of_no_leading_question(
    objects_study, objects_fit
):
    asked = contains([("item3", "a", "yes", 1)])
    with pytest.raises(OptionError, match="no estimate of leading questions"):
        cs.predict(objects_fit, objects_study.responses, contains=asked)
    with pytest.raises(OptionError, match="give both tasks to the fit"):
        cs.contains.leading_question(objects_fit)


@pytest.fixture(scope="module")
def study():
    prior = {"fewest": 3.0, "most": 3.0, "contains_answers": 4.0}
    return cs.simulate(kind="objects", items=30, per_item=3, prior=prior, seed=2)


@pytest.fixture(scope="module")
def fitted(study):
    effort = EngineOptions(restarts=1, iterations=5, draws=0)
    return cs.fit(
        study.responses,
        model="objects",
        engine="em",
        contains=study.contains,
        effort=effort,
    )


def test_arviz_sums_up_all_parameters_of_objects(objects_fit):
    data = objects_fit.data
    table = summary(data, ci_prob=0.9, kind="stats")
    pairs = data["posterior"]["pair"].to_numpy()
    first = data["constant_data"]["first_label"].to_numpy()
    assert [pair.split(" / ")[0] for pair in pairs] == list(first)
    assert len(pairs)
    posterior = data["posterior"].to_dataset()
    assert len(table) == sum(posterior[name].size for name in posterior)
    beside = posterior.assign_coords(first_label=("pair", first))
    with pytest.raises(ValueError, match="first_label"):
        summary(beside, ci_prob=0.9, kind="stats")


def test_both_tasks_are_fitted_kept_and_used(study, fitted, tmp_path):
    fitted.save(tmp_path / "run")
    kept = cs.load(tmp_path / "run")
    reported = cs.contains.leading_question(kept)
    assert reported.equals(cs.contains.leading_question(fitted))
    names = ("endorsement_probability", "detection_probability")
    odds = [reported[name] / (1 - reported[name]) for name in names]
    assert np.allclose((odds[0] / odds[1])[:2], reported["odds_ratio"][:2], rtol=1e-4)
    assert reported["lower"].isna().all()
    assert any(
        "Contains" in said for said in json.loads(kept.data.attrs["assumptions"])
    )
    assert kept.data["constant_data"]["contains_counts"].sum() == 4 * 3 * 30
    again = cs.predict(kept, study.responses, contains=study.contains)
    without = cs.predict(kept, study.responses)
    probability = [
        fit.data["truth"]["probability"].to_numpy() for fit in (fitted, again, without)
    ]
    assert np.allclose(probability[0], probability[1], atol=1e-4)
    assert not np.allclose(probability[0], probability[2], atol=1e-2)
