import dataclasses
import json
import re

import pandas as pd
import pytest

import consilience as cs
from consilience.analysis import cooccurring
from consilience.errors import OptionError
from consilience.reports import gather
from consilience.reports.columns import columns
from consilience.reports.sections import sections
from consilience.reports.written import page
from consilience.responses.id_types import as_texts


def test_the_record_holds_every_table_of_the_run_as_it_is(report, fit):
    run = report.runs[0]
    for name in ("labels", "items", "annotators", "confusion", "diagnostics"):
        of_fit = as_texts(fit.table(name))  # a report holds text
        same = {"check_dtype": False, "check_categorical": False}
        same["check_frame_type"] = False
        pd.testing.assert_frame_equal(as_texts(run.table(name)), of_fit, **same)
    assert run.model == "bayesian_dawid_skene"
    assert run.engine == "em"


def test_the_answers_of_the_record_are_those_that_were_given(report, responses):
    columns = ["item", "annotator", "label", "n"]
    given = responses.table[columns].astype({"n": int}).astype(str)
    kept = report.runs[0].answers[columns].astype(str)
    assert sorted(map(tuple, kept.values)) == sorted(map(tuple, given.values))


def test_contains_keeps_item_label_and_answer_apart(yes_or_no, contains):
    fitted, responses = yes_or_no
    columns = ["item", "annotator", "label", "answer"]
    given = responses.table[columns].astype(str)
    kept = contains.runs[0].answers[columns].astype(str)
    assert sorted(map(tuple, kept.values)) == sorted(map(tuple, given.values))
    assert gather({"votes": fitted}, resamples=0).description.kind == "contains"


def test_runs_that_do_not_belong_together_are_refused(fit, yes_or_no):
    with pytest.raises(OptionError, match="kinds choice and contains"):
        gather({"a": fit, "b": yes_or_no[0]})
    other = cs.read(pd.DataFrame({"item": ["x"], "annotator": ["a"], "label": ["b"]}))
    with pytest.raises(OptionError, match="are not among the 1 of the responses"):
        gather({"em": fit}, responses=other)
    with pytest.raises(OptionError, match="no run"):
        gather({})


def test_objects_tell_the_pairs_of_labels_that_the_analysis_finds():
    made = cs.simulate(kind="objects", items=300, classes=6, seed=1).responses
    fitted = cs.fit(made, model="tsipras2020")
    report = gather({"rule": fitted}, responses=made, resamples=0)
    together = cs.responses.with_names(cooccurring(fitted, made), made.labels)
    assert len(together) > 0
    result = report.pairs["objects_that_come_together"]
    pd.testing.assert_frame_equal(result, together)
    section = next(each for each in sections(report) if each.id == "pairs")
    tables = {part.caption: part for part in section.parts}
    assert len(tables["Objects that come together"].rows) == len(together)
    assert set(report.runs[0].answers["main"]) == {True, False}
    assert gather({"rule": fitted}, resamples=0).pairs == {}


def test_labels_have_the_names_that_are_given_and_these_are_no_markup(
    fit, responses, hostile
):
    names = pd.DataFrame({"label": hostile[:2], "name": ["cat", "<b>dog</b>"]})
    report = gather({"em": fit}, responses=responses, names=names, resamples=0)
    run = report.runs[0]
    expected = {"cat", "<b>dog</b>", *hostile[2:]}
    assert set(run.table("labels")["label"].cat.categories) == expected
    assert set(run.table("confusion")["given_label"].unique()) == expected
    assert set(run.answers["label"].unique()) == expected
    # The fit itself keeps its codes.
    assert set(fit.labels()["label"]) == set(hostile)
    html = page(report)
    assert "<b>dog" not in html
    assert "&lt;b&gt;dog" in html


@pytest.mark.parametrize(("kind", "classes"), [("choice", 3), ("objects", 8)])
def test_where_labels_have_names_no_code_is_left_on_the_page(kind, classes):
    made = cs.simulate(
        kind=kind, items=60, annotators=6, classes=classes, per_item=4, seed=6
    ).responses
    codes = made.labels["label"].tolist()
    names = [f"kind of thing {k}" for k in range(len(codes))]
    named = dataclasses.replace(made, labels=made.labels.assign(name=names))
    fitted = cs.fit(made, model="majority" if kind == "choice" else "tsipras2020")
    report = gather({"run": fitted}, responses=named, resamples=0)
    html = page(report)
    data = json.dumps(columns(report))
    for code in codes:
        assert re.search(rf">\s*{code}\s*<", html) is None
        assert f'"{code}"' not in data
    assert names[0] in html
    assert f'"{names[0]}"' in data


def test_a_mixture_is_named_as_such_and_not_as_its_best_model(mixture):
    report = gather({"run": mixture}, resamples=0)
    assert report.runs[0].model == "auto, a mean of 2 models"
    assert "auto, a mean of 2 models" in page(report)
