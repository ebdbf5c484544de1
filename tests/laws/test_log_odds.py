"""A shift of all log odds changes nothing, and a contradiction is an error."""

import numpy as np
import pandas as pd
import pytest
from tests.laws.combinations import EXACT, Combination, answers, probabilities, thinned

from consilience import annotators
from consilience.errors import DataError
from consilience.model import takes_columns

LISTED = [
    each
    for each in EXACT
    if each.kind == "choice" and takes_columns(annotators.load(each.model))
]
CLOSE = 1e-6


def candidates(table: pd.DataFrame) -> pd.DataFrame:
    items = table["item"].unique()
    rows = [(item, label) for item in items for label in "xyz"]
    odds = np.random.default_rng(2).normal(size=len(rows))
    return pd.DataFrame(rows, columns=["item", "label"]).assign(log_odds=odds)


@pytest.mark.parametrize("exact", thinned(LISTED))
def test_a_shift_of_the_log_odds_of_an_item_changes_nothing(exact):
    table = answers("choice")
    listed = candidates(table)
    item = listed["item"].factorize()[0]
    for shift in (-800.0 - item, 5.0 * item):
        moved = listed.assign(log_odds=listed["log_odds"] + shift)
        one = probabilities(exact.fit(table, candidates=listed))
        other = probabilities(exact.fit(table, candidates=moved))
        assert np.abs(one - other).max() < CLOSE


def test_the_same_test_catches_log_odds_that_are_doubled():
    exact, table = Combination("dawid_skene", "em", "choice"), answers("choice")
    listed = candidates(table)
    doubled = listed.assign(log_odds=2 * listed["log_odds"])
    one = probabilities(exact.fit(table, candidates=listed))
    other = probabilities(exact.fit(table, candidates=doubled))
    assert np.abs(one - other).max() > CLOSE


def test_a_candidate_listed_twice_alike_counts_once():
    exact, table = Combination("dawid_skene", "em", "choice"), answers("choice")
    listed = candidates(table)
    twice = pd.concat([listed, listed.iloc[:7]])
    one = probabilities(exact.fit(table, candidates=listed))
    assert probabilities(exact.fit(table, candidates=twice)).equals(one)


@pytest.mark.parametrize("odds", [3.0, -np.inf])
def test_a_candidate_listed_twice_otherwise_is_an_error(odds):
    exact, table = Combination("dawid_skene", "em", "choice"), answers("choice")
    listed = candidates(table)
    both = pd.concat([listed, listed.iloc[:1].assign(log_odds=odds)])
    with pytest.raises(DataError, match="lists 'x' twice"):
        exact.fit(table, candidates=both)


@pytest.mark.parametrize("odds", [-np.inf, np.inf])
def test_log_odds_that_leave_no_label_possible_are_an_error(odds):
    exact, table = Combination("dawid_skene", "em", "choice"), answers("choice")
    listed = candidates(table)
    first = listed["item"] == listed["item"].iloc[0]
    listed.loc[first, "log_odds"] = odds
    with pytest.raises(DataError, match="log_odds"):
        exact.fit(table, candidates=listed)
