"""Drift: who gets worse in the order of the answers is found, and nobody else."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.errors import OptionError
from consilience.posterior.drifting import annotators_in_time

ITEMS, PEOPLE, EACH = 400, 10, 5


def answers(seed, first=0.85, last=0.3):
    """p0 is right less often from half-way on; the others are as before."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(3, size=ITEMS)
    who = generator.random((ITEMS, PEOPLE)).argsort(1)[:, :EACH]
    late = np.arange(ITEMS)[:, None] > ITEMS / 2
    sure = np.where(who == 0, np.where(late, last, first), 0.85)
    other = (truth[:, None] + generator.integers(1, 3, who.shape)) % 3
    said = np.where(generator.random(who.shape) < sure, truth[:, None], other)
    return pd.DataFrame(
        {
            "item": [f"i{item:03d}" for item in np.arange(ITEMS).repeat(EACH)],
            "annotator": [f"p{person}" for person in who.ravel()],
            "label": [f"c{label}" for label in said.ravel()],
        }
    )


def drifts(rows):
    """Return the table of drift of a fit."""
    responses = cs.read(rows)
    fit = cs.fit(responses, model="hierarchical_dawid_skene")
    return cs.analysis.drift(fit, responses), fit, responses


@pytest.fixture(scope="module")
def drifted():
    return drifts(answers(0))


def test_who_gets_worse_is_found_and_nobody_else(drifted):
    table, fit, responses = drifted
    assert table["annotator"][0] == "p0"
    assert table["flag_probability"][0] > 0.99
    assert table["upper"][0] < -0.2
    assert table["flag_probability"][1:].max() < 0.5
    flagged = annotators_in_time(fit, responses)
    row = flagged.set_index("annotator").loc["p0"]
    assert row["flag"] == "drifts"
    assert row["evidence"].startswith("right in ")


def test_in_another_order_there_is_no_drift():
    rows = answers(0).sample(frac=1, random_state=1)
    assert drifts(rows)[0]["flag_probability"].max() < 0.5


def test_times_of_answers_come_before_the_order_of_rows(drifted):
    _, fit, responses = drifted
    generator = np.random.default_rng(1)
    days = pd.Timestamp("2026-01-01") + pd.to_timedelta(
        generator.permutation(len(responses.table)), unit="h"
    )
    timed = responses.table.assign(created_at=days.astype(str))
    timed = replace(responses, table=timed)
    assert cs.analysis.drift(fit, timed)["flag_probability"].max() < 0.5


def test_other_responses_are_refused(drifted):
    _, fit, _ = drifted
    with pytest.raises(OptionError, match="not among"):
        cs.analysis.drift(fit, cs.read(answers(1)[:500]))


def test_answers_that_the_responses_lack_are_not_guessed(drifted):
    _, fit, responses = drifted
    table = responses.table.copy()
    table.loc[0, "annotator"] = "p1" if table.loc[0, "annotator"] != "p1" else "p2"
    with pytest.raises(OptionError, match="1 of the 2,000 answers"):
        cs.analysis.drift(fit, replace(responses, table=table))


def test_who_gets_a_little_worse_is_flagged():
    table, fit, responses = drifts(answers(31, 0.8, 0.6))
    sure = table.set_index("annotator")["flag_probability"]
    assert 0.25 < sure["p0"] < 0.45
    assert sure.drop("p0").max() < 0.1
    flag = annotators_in_time(fit, responses).set_index("annotator")["flag"]
    assert flag["p0"] == "drifts"
    assert not flag.drop("p0").str.contains("drifts").any()


def test_samples_of_an_annotator_are_in_the_order_of_their_answers(tmp_path):
    responses = cs.read(answers(0))
    samples = pd.DataFrame({"annotator": ["p7", "p8", "p9"], "repeat_of": "model"})
    fit = cs.fit(responses, model="hierarchical_dawid_skene", annotators=samples)
    fit.save(tmp_path / "run")
    for each in (fit, cs.load(tmp_path / "run")):
        table = annotators_in_time(each, responses).set_index("annotator")
        assert table.loc["p0", "flag"] == "drifts"
        assert "model" in set(cs.analysis.drift(each, responses)["annotator"])
