"""The laws of what takes seconds to compile: once for each, on studies of one size.

Of each engine and kind the suite tries the first model, but for objects by `nuts`,
which take minutes, and `make studies` all.
"""

import numpy as np
import pytest
from tests.laws.combinations import (
    COMPILED,
    NAMES,
    answers,
    gap_in_errors,
    probabilities,
)

import consilience as cs

SEEDS = range(4)
UNUSED = [*NAMES, "nobody says so"]


FIRST = [
    next(each for each in COMPILED if (each.engine, each.kind) == which)
    for which in dict.fromkeys((each.engine, each.kind) for each in COMPILED)
    if which != ("nuts", "objects")
]


def _tried():
    """Mark as a study whatever shares its engine and kind with one before it."""
    for each in COMPILED:
        marks = [] if each in FIRST else [pytest.mark.study]
        yield pytest.param(each, marks=marks, id="-".join(each))


@pytest.fixture(params=_tried(), scope="module")
def each(request):
    return request.param


@pytest.fixture(scope="module")
def table(each):
    return answers(each.kind, items=60)


def fitted(each, table, seed=0):
    """Fit with a label that nobody uses."""
    labels = None if each.kind == "contains" else UNUSED
    return each.fit(table, labels=labels, seed=seed)


@pytest.fixture(scope="module")
def fit(each, table):
    return fitted(each, table)


@pytest.fixture(scope="module")
def many(each, table):
    return np.array([probabilities(fitted(each, table, seed)) for seed in SEEDS])


def test_every_table_is_finite_with_a_label_that_nobody_uses(fit):
    assert np.isfinite(probabilities(fit)).all()
    for name in fit.tables:
        fit.table(name)


def test_names_and_order_of_rows_change_no_more_than_seeds_do(each, table, many):
    backwards = [f"z{9 - int(name[1:])}" for name in table["annotator"]]
    renamed = table.assign(annotator=backwards).sample(frac=1, random_state=1)
    other = [probabilities(fitted(each, renamed, seed)) for seed in SEEDS]
    assert gap_in_errors(many, np.array(other)) < 4


def test_the_same_test_catches_another_study(each, table, many):
    """The twin: two labels, or two answers, have changed their names."""
    if each not in FIRST:
        pytest.skip("one of each engine and kind shows that the test can fail")
    column, words = ("answer", ["yes", "no"]) if "answer" in table else ("label", "xy")
    turned = table.replace({column: dict(zip(words, words[::-1], strict=True))})
    changed = np.array([probabilities(fitted(each, turned, seed)) for seed in SEEDS])
    assert gap_in_errors(many, changed) > 4


def test_unanimous_answers_are_finite(each, table):
    column = "answer" if each.kind == "contains" else "label"
    told = table.assign(**{column: "yes" if column == "answer" else "x"})
    told = told.drop_duplicates(["item", "annotator", "label"])
    assert np.isfinite(probabilities(fitted(each, told))).all()


def test_what_is_loaded_is_what_was_saved(fit, tmp_path):
    fit.save(tmp_path / "run")
    again = cs.load(tmp_path / "run")
    assert probabilities(again).equals(probabilities(fit))
    for name in fit.tables:
        assert again.table(name).equals(fit.table(name)), name
