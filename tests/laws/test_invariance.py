"""What a study is called, and in which order its rows are, changes nothing."""

import numpy as np
import pandas as pd
import pytest
from tests.laws.combinations import (
    AUTO,
    EXACT,
    QUICK,
    Combination,
    answers,
    gap_in_errors,
    probabilities,
    thinned,
)

# Starts are shaken in the order of the items, and end within the tolerance of a sweep.
CLOSE = 5e-3
BACKWARDS = {"x": "c", "y": "b", "z": "a"}


def apart(one: pd.Series, other: pd.Series) -> float:
    assert one.index.equals(other.index)
    return float(np.abs(one - other).max())


@pytest.fixture(params=thinned(EXACT), scope="module")
def exact(request):
    return request.param


@pytest.fixture(scope="module")
def table(exact):
    return answers(exact.kind)


@pytest.fixture(scope="module")
def expected(exact, table):
    return probabilities(exact.fit(table))


def test_the_order_of_rows_changes_nothing(exact, table, expected):
    shuffled = table.sample(frac=1, random_state=1)
    assert apart(probabilities(exact.fit(shuffled)), expected) < 1e-6


def test_names_change_nothing(exact, table, expected):
    """Of items, annotators and, where they have no order or meaning, of labels."""
    items = {name: f"j{999 - int(name[1:]):03d}" for name in set(table["item"])}
    people = {name: f"z{9 - int(name[1:])}" for name in set(table["annotator"])}
    new = table.replace({"item": items, "annotator": people})
    named = exact.kind == "choice" and exact.model != "ordinal_dawid_skene"
    labels = BACKWARDS if named else {}
    new = new.assign(label=new["label"].replace(labels))
    result = probabilities(exact.fit(new, labels=[*"abc"] if named else None))
    old = {after: before for before, after in [*items.items(), *labels.items()]}
    result.index = pd.MultiIndex.from_tuples(
        [(old[item], old.get(label, label)) for item, label in result.index],
        names=["item", "label"],
    )
    assert apart(result.sort_index(), expected) < CLOSE


def test_counts_and_repeated_rows_are_one_thing(exact, table):
    number = np.where(np.arange(len(table)) % 5 == 0, 3, 1)
    counted = probabilities(exact.fit(table.assign(n=number)))
    rows = table.loc[table.index.repeat(number)]
    repeated = probabilities(exact.fit(rows))
    assert apart(counted, repeated) < 1e-6


def test_the_same_tests_catch_answers_that_depend_on_a_name():
    """The twin: whoever comes first by name counts twice."""
    combination = Combination("dawid_skene", "em", "choice")
    table = answers("choice")

    def fitted(table):
        first = table["annotator"] == table["annotator"].min()
        return probabilities(combination.fit(table.assign(n=np.where(first, 2, 1))))

    backwards = table["annotator"].map(lambda name: f"z{9 - int(name[1:])}")
    assert apart(fitted(table.assign(annotator=backwards)), fitted(table)) > CLOSE


DRAWN = [*(each for each in QUICK if not each.exact), *AUTO]


@pytest.mark.parametrize(
    "drawn",
    [
        pytest.param(each, marks=[pytest.mark.study] * bool(place), id="-".join(each))
        for place, each in enumerate(DRAWN)
    ],
)
def test_names_change_draws_by_their_sampling_error_alone(drawn):
    table = answers(drawn.kind, items=24)
    backwards = table["annotator"].map(lambda name: f"z{9 - int(name[1:])}")
    renamed = table.assign(annotator=backwards)
    seeds = range(3)
    same = np.array([probabilities(drawn.fit(table, seed=seed)) for seed in seeds])
    other = np.array([probabilities(drawn.fit(renamed, seed=seed)) for seed in seeds])
    assert gap_in_errors(same, other) < 4
    # The twin: two labels have changed their names.
    column, words = ("answer", ["yes", "no"]) if "answer" in table else ("label", "xy")
    turned = renamed.replace({column: dict(zip(words, words[::-1], strict=True))})
    other = np.array([probabilities(drawn.fit(turned, seed=seed)) for seed in seeds])
    assert gap_in_errors(same, other) > 4
