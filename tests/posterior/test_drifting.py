"""Drift: who gets worse in the order of the answers is found, and nobody else."""

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.errors import OptionError
from consilience.posterior.drifting import annotators_in_time

ITEMS, PEOPLE, EACH = 400, 10, 5


def answers(seed):
    """p0 gives right answers until half-way, then guesses; the others are as before."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(3, size=ITEMS)
    who = generator.random((ITEMS, PEOPLE)).argsort(1)[:, :EACH]
    late = np.arange(ITEMS)[:, None] > ITEMS / 2
    sure = np.where((who == 0) & late, 0.3, 0.85)
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


def test_who_gets_worse_is_found_and_nobody_else():
    table, fit, responses = drifts(answers(0))
    assert table["annotator"][0] == "p0"
    assert table["sure"][0] > 0.99
    assert table["upper"][0] < -0.2
    assert table["sure"][1:].max() < 0.5
    flagged = annotators_in_time(fit, responses)
    row = flagged.set_index("annotator").loc["p0"]
    assert row["flag"] == "drifts"
    assert row["evidence"].startswith("right in ")


def test_in_another_order_there_is_no_drift():
    rows = answers(0).sample(frac=1, random_state=1)
    assert drifts(rows)[0]["sure"].max() < 0.5


def test_times_of_answers_come_before_the_order_of_rows():
    responses = cs.read(answers(0))
    fit = cs.fit(responses, model="hierarchical_dawid_skene")
    generator = np.random.default_rng(1)
    days = pd.Timestamp("2026-01-01") + pd.to_timedelta(
        generator.permutation(len(responses.table)), unit="h"
    )
    timed = responses.table.assign(created_at=days.astype(str))
    object.__setattr__(responses, "table", timed)
    assert cs.analysis.drift(fit, responses)["sure"].max() < 0.5


def test_intervals_hold_a_change_of_zero_as_often_as_they_say():
    held = [
        ((table["lower"] <= 0) & (table["upper"] >= 0))[table["annotator"] != "p0"]
        for table in (drifts(answers(seed))[0] for seed in range(5))
    ]
    share = np.concatenate(held).mean()
    # 45 intervals: three standard errors of a share of .9.
    assert share > 0.9 - 3 * np.sqrt(0.09 / 45)


def test_other_responses_are_refused():
    _, fit, _ = drifts(answers(0))
    with pytest.raises(OptionError, match="not among"):
        cs.analysis.drift(fit, cs.read(answers(1)[:500]))


def test_answers_that_the_responses_lack_are_not_guessed():
    _, fit, responses = drifts(answers(0))
    table = responses.table.copy()
    table.loc[0, "annotator"] = "p1" if table.loc[0, "annotator"] != "p1" else "p2"
    object.__setattr__(responses, "table", table)
    with pytest.raises(OptionError, match="1 of the 2,000 answers"):
        cs.analysis.drift(fit, responses)


def falling(seed, *, shuffled=False):
    """Answers of one who falls from .75 to .25, among 17 who are right in .8."""
    rng = np.random.default_rng(seed)
    truth, rows = rng.integers(3, size=400), []
    for item, true in enumerate(truth):
        for who in rng.choice(18, 4, replace=False):
            skill = 0.8 if who else 0.75 - 0.5 * item / len(truth)
            wrong = (true + rng.integers(1, 3)) % 3
            rows.append((item, f"a{who}", int(true if rng.random() < skill else wrong)))
    table = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    return table.sample(frac=1, random_state=seed) if shuffled else table


def test_who_falls_by_half_within_ninety_answers_is_flagged_and_hardly_another():
    flagged = []
    for seed in range(6):
        responses = cs.read(falling(seed))
        fit = cs.fit(responses, model="hierarchical_dawid_skene", engine="vb")
        table = annotators_in_time(fit, responses)
        flagged += table[table["flag"].str.contains("drifts")]["annotator"].tolist()
    assert flagged.count("a0") >= 3
    assert len(flagged) - flagged.count("a0") <= 3  # of 102, each with chance .01


def test_in_no_order_nobody_is_flagged():
    responses = cs.read(falling(2, shuffled=True))
    fit = cs.fit(responses, model="hierarchical_dawid_skene", engine="vb")
    table = annotators_in_time(fit, responses)
    assert not table["flag"].str.contains("drifts").any()
