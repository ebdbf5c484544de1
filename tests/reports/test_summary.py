"""The page opens with what was asked, what came out, whom to look at and what to do."""

from dataclasses import replace

import pandas as pd
import pytest

import consilience as cs
from consilience import reports
from consilience.posterior.trust import FAILED
from consilience.reports.sections.in_short import summary


def sentences_of(fit, **tables):
    report = reports.gather({"mine": fit}, resamples=0)
    run = report.runs[0]
    run = replace(run, tables={**run.tables, **tables})
    (part,) = summary(replace(report, runs=(run,))).parts
    return part.entries


@pytest.fixture(scope="module")
def fits():
    sizes = {"items": 15, "annotators": 6, "classes": 6, "seed": 0}
    models = {"choice": "dawid_skene", "contains": "contains_states"}
    made = {
        kind: cs.fit(
            cs.simulate(kind=kind, **sizes).responses, model=model, engine="em"
        )
        for kind, model in models.items()
    }
    objects = cs.simulate(kind="objects", per_item=3, **sizes).responses
    return made | {"objects": cs.fit(objects, model="tsipras2020")}


@pytest.mark.parametrize("kind", ["choice", "contains", "objects"])
def test_each_kind_has_its_sentences(fits, kind):
    sentences = sentences_of(fits[kind])
    assert len(sentences) >= 4
    assert all(
        not sentence[0].islower() and sentence[-1] == "." for sentence in sentences
    )
    assert sentences[0].startswith("6 annotators were asked ")
    assert " nan" not in " ".join(sentences)


def test_what_is_not_as_votes_say_is_counted():
    rows = [(f"i{k}", who, "ab"[k % 2]) for k in range(20) for who in "uvwxyz"]
    rows += [("x", who, "a") for who in "uvw"] + [("x", "y", "b"), ("x", "z", "b")]
    table = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    fit = cs.fit(cs.read(table), model="dawid_skene", engine="em")
    assert "all are as most votes say" in sentences_of(fit)[1]
    items = fit.table("items")
    wrong = items.assign(label=items["label"].mask(items["item"] == "x", "b"))
    assert "1 of them are not as most votes say" in sentences_of(fit, items=wrong)[1]


def test_a_failed_check_and_its_remedy_are_said(fits):
    checks = fits["choice"].diagnostics()
    row = checks.iloc[0].to_dict() | {"name": "rhat", "outcome": FAILED, "ok": False}
    failed = pd.DataFrame([row | {"remedy": "take `draws=4000`"}])
    *_, trust, what = sentences_of(fits["choice"], diagnostics=failed)
    assert trust == "DO NOT TRUST THIS FIT YET: checks: 1 failed (rhat)."
    assert what == "To do next: take `draws=4000` (check rhat)."
