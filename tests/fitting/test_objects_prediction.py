"""What one study of objects has learned, used on other items and on more answers."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.errors import DataError, OptionError, UnfamiliarAnnotatorsWarning
from consilience.posterior.tables import TABLES
from consilience.posterior.tree import with_groups

TABLES_OF_ITEMS = (
    *("labels", "items", "objects", "object_counts"),
    *("same_object", "ambiguity", "panels"),
)


def about(responses, items):
    return responses.where(responses.table["item"].isin(items))


def rows(fit, name):
    frame = fit if isinstance(fit, pd.DataFrame) else TABLES[name](fit.data)
    text = frame.select_dtypes("category").columns
    plain = frame.astype(dict.fromkeys(text, "str"))
    return plain.sort_values("item", kind="stable", ignore_index=True)


def same(one, other, tolerance=1e-9):
    """Return whether two tables are the same, numbers to rounding."""
    if len(one) != len(other) or list(one) != list(other):
        return False
    numbers = one.select_dtypes("number").columns
    text = one.drop(columns=numbers).equals(other.drop(columns=numbers))
    values = (each[numbers].to_numpy(float) for each in (one, other))
    return text and np.allclose(*values, atol=tolerance, equal_nan=True)


@pytest.fixture(scope="module")
def again(objects_study, objects_fit):
    return cs.predict(objects_fit, objects_study.responses)


def test_the_same_answers_are_believed_the_same(objects_fit, again):
    for name in TABLES_OF_ITEMS:
        # Parameters are kept in single precision: a draw in a thousand may fall apart.
        assert same(rows(objects_fit, name), rows(again, name), 0.003), name
    truth = (each.data["truth"]["probability"] for each in (objects_fit, again))
    assert np.allclose(*truth, atol=1e-5)
    assert "parameters are those of an earlier fit" in again.data.attrs["engine_reason"]


def test_items_alone_are_believed_as_among_all(objects_study, again):
    items = ["item3", "item17", "item44"]
    predicted = cs.predict(again, about(objects_study.responses, items))
    for name in TABLES_OF_ITEMS:
        among = rows(again, name)
        among = among[among["item"].isin(items)].reset_index(drop=True)
        assert same(among, rows(predicted, name)), name


def in_rounds(responses, items, number):
    """Return answers about some items in rounds, each response whole."""
    named = responses.table["response_id"].astype(str).to_numpy()
    here = responses.table["item"].isin(items).to_numpy()
    ids = np.random.default_rng(0).permutation(np.unique(named[here]))
    return [
        responses.where(np.isin(named, part)) for part in np.array_split(ids, number)
    ]


@pytest.fixture(scope="module")
def arrived(objects_study, objects_fit):
    items = [f"item{number}" for number in range(12)]
    rounds = in_rounds(objects_study.responses, items, 6)
    session = cs.Sequential(objects_fit)
    return items, rounds, session, [session.update(each) for each in rounds]


def test_answers_one_after_the_other_are_believed_as_all_at_once(
    objects_study, objects_fit, arrived
):
    items, _, session, _ = arrived
    whole = cs.predict(objects_fit, about(objects_study.responses, items))
    for name in TABLES_OF_ITEMS:
        assert same(session.table(name), rows(whole, name)), name
        assert same(rows(session.fit(), name), rows(whole, name)), name


def test_before_the_last_answers_came_it_was_believed_otherwise(
    objects_study, objects_fit, arrived
):
    items, rounds, _, _ = arrived
    some = cs.Sequential(objects_fit)
    for each in rounds[:-1]:
        some.update(each)
    whole = cs.predict(objects_fit, about(objects_study.responses, items))
    assert not same(some.table("items"), rows(whole, "items"))


def test_an_update_looks_at_no_other_items(arrived):
    _, rounds, session, result = arrived
    for reported, fit in zip(rounds, result, strict=True):
        assert set(fit.items()["item"]) == set(reported.table["item"])
    with pytest.raises(DataError, match="had answered about item"):
        session.update(rounds[0])


def test_several_draws_of_parameters_are_averaged(objects_study, objects_fit_of_draws):
    """As of a fit by nuts: what is believed is the mean over the draws."""
    drawn = objects_fit_of_draws(3)
    responses = about(objects_study.responses, [f"item{number}" for number in range(6)])

    def predicted(draws):
        posterior = drawn.data["posterior"].to_dataset().isel(draw=draws)
        return cs.predict(
            cs.Fit(with_groups(drawn.data, posterior=posterior)), responses
        )

    together, apart = predicted([0, 1, 2]), [predicted([each]) for each in range(3)]
    mean = np.mean([each.data["truth"]["probability"] for each in apart], axis=0)
    assert np.allclose(together.data["truth"]["probability"], mean)
    exact = [rows(each, "same_object")["probability"] for each in apart]
    result = rows(together, "same_object")["probability"]
    assert np.allclose(result, np.mean(exact, axis=0))
    assert not np.allclose(result, exact[0], atol=1e-3)
    assert together.labels()["lower"].isna().all()


def test_labels_that_are_new_are_taken_as_usual(objects_fit):
    frame = pd.DataFrame(
        {
            "item": ["new"] * 4,
            "annotator": list("abbc"),
            "label": ["class1", "class1", "zebra", "zebra"],
            "main": [True, True, False, True],
        }
    )
    with pytest.warns(UnfamiliarAnnotatorsWarning):
        predicted = cs.predict(objects_fit, cs.read(frame, kind="objects"))
    assert set(predicted.labels()["label"]) == {"class1", "zebra"}
    assert np.isfinite(predicted.table("same_object")["probability"]).all()


def test_more_answers_about_a_known_item_count_once(objects_study, objects_fit):
    """Its earlier answers are in the sums, and are taken off."""
    responses = about(objects_study.responses, ["item3"])
    known = cs.predict(objects_fit, responses)
    names = {"item3": "stranger"}
    strange = replace(
        responses,
        table=responses.table.assign(
            item=responses.table["item"].cat.rename_categories(names)
        ),
        items=responses.items.replace({"item": names}),
        offered=responses.offered.replace({"item": names}),
    )
    other = cs.predict(objects_fit, strange)
    one, two = (each.data["log_likelihood"]["responses"] for each in (known, other))
    assert not np.allclose(one, two, atol=1e-4)


def test_numbers_of_candidates_must_be_those_of_the_earlier_fit(
    objects_study, objects_fit
):
    responses = about(objects_study.responses, ["item3"])
    candidates = responses.offered[["item", "label"]].assign(score=1.0)
    with pytest.raises(OptionError, match="the earlier fit had none"):
        cs.predict(objects_fit, responses, candidates=candidates)
    assert (
        len(
            cs.predict(
                objects_fit, responses, candidates=candidates[["item", "label"]]
            ).items()
        )
        == 1
    )
