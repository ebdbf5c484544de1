"""Thresholds: what they keep and lose, counted by hand and in simulation."""

import numpy as np
import pandas as pd
import pytest
from tests.analysis.made import choice_fit, contains_fit

import consilience as cs
from consilience.analysis.decisions import filtering
from consilience.errors import OptionError
from consilience.responses import read

STUDIES, ITEMS = 8, 150
CUTS = (0.4, 0.8)


def answers(generator):
    """Answers of five people with known rates, and what is there."""
    present = generator.random(ITEMS) < 0.4
    yes = generator.random((ITEMS, 5)) < np.where(present, 0.7, 0.1)[:, None]
    frame = pd.DataFrame(
        {
            "item": np.repeat([f"i{number:03d}" for number in range(ITEMS)], 5),
            "annotator": np.tile(list("abcde"), ITEMS),
            "label": "cat",
            "answer": np.where(yes, "yes", "no").ravel(),
        }
    )
    return read(frame, kind="contains"), present, yes.mean(1)


@pytest.fixture(scope="module")
def studies():
    """For each study the table, and what the thresholds truly keep and lose."""
    generator = np.random.default_rng(0)
    results = []
    for _ in range(STUDIES):
        reported, present, share = answers(generator)
        fit = cs.fit(reported, model="multinomial", engine="em").with_(truth="raw")
        kept = np.stack([share >= cut - 1e-9 for cut in CUTS])
        wrong = (kept & ~present).sum(1) / kept.sum(1)
        lost = (~kept & present).sum(1) / present.sum()
        results.append((filtering(fit, CUTS), kept.sum(1), wrong, lost))
    return results


def test_what_is_kept_is_counted(studies):
    for table, kept, _, _ in studies:
        assert list(table["kept"]) == list(kept)
        assert np.allclose(table["kept_share"], kept / ITEMS)


@pytest.mark.parametrize("name", ["wrong", "lost"])
def test_intervals_hold_what_is_true_as_often_as_they_say(studies, name):
    held = [
        np.array(table[f"{name}_lower"] <= true) & (true <= table[f"{name}_upper"])
        for table, _, wrong, lost in studies
        for true in [{"wrong": wrong, "lost": lost}[name]]
    ]
    held = np.mean(held)
    # Two thresholds of one study go together: count them as one.
    assert held > 0.9 - 4 * np.sqrt(0.9 * 0.1 / STUDIES)


def test_the_same_check_catches_another_threshold(studies):
    held = [
        (table["wrong_lower"] <= wrong[::-1]) & (wrong[::-1] <= table["wrong_upper"])
        for table, _, wrong, _ in studies
    ]
    assert np.mean(held) < 0.9 - 4 * np.sqrt(0.9 * 0.1 / STUDIES)


def test_a_maybe_is_half_a_yes():
    fit = contains_fit([("i", "cat", 1, 1, 0), ("j", "cat", 0, 1, 1)])
    assert list(filtering(fit, [0.25, 0.5, 0.75, 0.8])["kept"]) == [2, 1, 1, 0]
    assert np.isnan(filtering(fit, [0.8]).loc[0, "wrong"])


def test_what_cannot_be_filtered_is_refused():
    with pytest.raises(OptionError, match="the fit is of kind choice"):
        filtering(choice_fit([[0.5, 0.5]], "xy"))
    with pytest.raises(OptionError, match=r"threshold 1\.5 is not above 0"):
        filtering(contains_fit([("i", "cat", 1, 1, 0)]), [1.5])
