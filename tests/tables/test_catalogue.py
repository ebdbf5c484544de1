"""The catalogue states the columns that tables have, and no others."""

import re
from pathlib import Path

import pandas as pd
import pytest

import consilience as cs
from consilience.demo import study
from consilience.errors import OptionError
from consilience.posterior.tables import TABLES
from consilience.tables import CATALOGUE

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "tables.md"
# Columns that only some tables of the name have, of a kind, a model or a number type.
OF_SOME = {
    "labels": {"named"},
    "items": {"objects", "main_label", "median", "mean", "present"},
    "objects": {"named", "right_name"},
    "annotators": {
        f"{name}{bound}"
        for name in [
            *("sensitivity", "specificity", "spammer"),
            *("bias", "precision", "extremity", "copy_of", "flag", "flag_probability"),
            "evidence",
        ]
        for bound in ("", "_lower", "_upper")
    },
    "annotator_groups": {"bias", "bias_lower", "bias_upper"},
}
OF_REPORTS = {"dropped", "given", "mistaken", "runs", "score"}  # put together there


def stated(name):
    """Columns of a table, as the catalogue has them."""
    return {each for column in CATALOGUE[name].results for each in column.names}


def amiss(name, frame):
    """Columns that one has and the other lacks."""
    return (set(frame.columns) ^ stated(name)) - (OF_SOME.get(name, set()))


def of_fit(fit):
    """Tables of a fit, those that it has not left out."""
    for name, make in TABLES.items():
        try:
            yield name, make(fit.data)
        except OptionError:
            continue


@pytest.fixture(scope="module")
def choice():
    answers = study(0, num_photos=30).answers
    return cs.read(answers, item="photo", label="animal")


def grouped(responses):
    people = responses.table["annotator"].cat.categories
    groups = pd.DataFrame({"annotator": people, "group": ["a", "b"] * 12 + ["a"]})
    return cs.fit(
        responses, model="hierarchical_dawid_skene", engine="vb", annotators=groups
    )


def asked(kind, model, **options):
    made = cs.simulate(kind=kind, items=12, annotators=5, classes=6, seed=0, **options)
    return cs.fit(made.responses, model=model)


FITS = {
    "groups": grouped,
    "habit": lambda responses: cs.fit(responses, model="mace", engine="em"),
    "contains": lambda _: asked("contains", "contains_states"),
    "rule": lambda _: asked("objects", "tsipras2020", per_item=3),
}


@pytest.mark.parametrize("kind", FITS)
def test_tables_of_a_fit_have_the_columns_that_are_stated(choice, kind):
    tables = dict(of_fit(FITS[kind](choice)))
    assert {"labels", "items", "annotators", "confusion", "diagnostics"} <= set(tables)
    assert {name: amiss(name, frame) for name, frame in tables.items()} == {
        name: set() for name in tables
    }


def test_tables_of_objects_have_the_columns_that_are_stated():
    made = cs.simulate(
        kind="objects", items=12, annotators=5, classes=6, per_item=3, seed=0
    )
    fit = cs.fit(made.responses, model="objects", engine="em")
    tables = dict(of_fit(fit))
    assert len(tables["same_object"])
    assert {name for name, frame in tables.items() if amiss(name, frame)} == set()


def test_tables_that_are_asked_for_have_the_columns_that_are_stated(choice):
    table = choice.table[["item", "annotator", "label"]]
    rated = table.assign(label=table["label"].cat.codes + 1)
    fit = cs.fit(rated, ordered=True, model="hierarchical_dawid_skene")
    assert stated("annotators") - set(fit.table("annotators").columns) == {
        f"{name}{bound}"
        for name in ["sensitivity", "specificity", "spammer"]
        for bound in ("", "_lower", "_upper")
    } | {"copy_of"}
    assert amiss("check", fit.table("check")) == {"text"}  # came with no answer
    made = cs.analysis.mean_ratings(fit)
    for name in ("overall", "groups", "differences"):
        assert amiss(f"rating_{name}", getattr(made, name)) == set()


def test_agreement_and_checks_have_the_columns_that_are_stated(choice):
    agreement = cs.agreement(choice, by=("label", "pair"), resamples=20)
    checks = cs.analysis.predictive_checks(cs.fit(choice, model="multinomial"))
    frames = {
        "coefficients": agreement.coefficients,
        "agreement_labels": agreement.labels,
        "agreement_pairs": agreement.pairs,
        "predictive_checks": checks,
    }
    assert {name: amiss(name, frame) for name, frame in frames.items()} == {
        name: set() for name in frames
    }


def test_tables_of_a_ranking_have_the_columns_that_are_stated():
    rows = {"first": [*"xyxz"], "second": [*"yxzy"], "winner": [*"xxxz"]}
    ranking = cs.comparisons.fit(cs.comparisons.read(rows))
    for name in ("scores", "ranks"):
        assert amiss(name, getattr(ranking, name)()) == set()
    assert amiss("score_differences", ranking.differences()) == set()
    assert amiss("judge_traits", ranking.judges()) == set()


def test_a_column_that_nothing_states_is_noticed(choice):
    table = cs.fit(choice, model="majority").items()
    assert amiss("items", table.assign(mood=1.0)) == {"mood"}
    assert amiss("items", table.drop(columns="entropy")) == {"entropy"}


def test_every_table_of_a_result_is_on_the_page():
    page = PAGE.read_text("utf-8")
    named = {*re.findall(r"<!-- columns of (\w+) -->", page)}
    assert named <= set(CATALOGUE)
    figures = {name for name, schema in CATALOGUE.items() if schema.mark}
    assert set(CATALOGUE) - OF_REPORTS - named - figures == set()
