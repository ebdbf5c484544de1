"""Compiled programs are dropped between fits before the system runs out of places."""

import jax
import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience import programs


def study(number):
    """Three annotators' answers about a number of items of its own."""
    items = 12 + number
    return pd.DataFrame(
        {
            "item": [f"i{item:02d}" for item in range(items)] * 3,
            "annotator": np.repeat(list("abc"), items),
            "label": np.random.default_rng(number).choice(["x", "y"], 3 * items),
        }
    )


def fitted(number):
    quick = cs.EngineOptions(draws=0, restarts=1)
    result = cs.fit(study(number), model="glad", engine="em", effort=quick, seed=number)
    return result.items()["probability"].to_numpy()


def places():
    return programs.MAPS.read_bytes().count(b"\n")


@pytest.fixture
def dropped(monkeypatch):
    """Count how often programs are dropped."""
    calls = []
    clear = jax.clear_caches
    monkeypatch.setattr(jax, "clear_caches", lambda: (calls.append(1), clear()))
    return calls


def test_programs_are_dropped_where_they_are_many_and_fits_stay_the_same(
    dropped, monkeypatch
):
    # Tests before this one may have left nearly as many as there may be.
    monkeypatch.setattr(programs, "SHARE", 1.0)
    before = fitted(0)
    assert not dropped
    monkeypatch.setattr(programs, "SHARE", 0.0)
    for number in (1, 2):
        assert np.array_equal(fitted(0), before)
        assert len(dropped) == number


@pytest.mark.skipif(not programs.MAPS.exists(), reason="Linux alone counts places")
def test_dropping_frees_the_places_that_fits_took(monkeypatch):
    fitted(10)  # what all fits share is there
    monkeypatch.setattr(programs, "SHARE", 0.0)
    programs.drop_programs()
    start = places()
    monkeypatch.setattr(programs, "SHARE", 1.0)
    for number in range(2):
        fitted(number)
    taken = places() - start
    assert taken > 50
    monkeypatch.setattr(programs, "SHARE", 0.0)
    programs.drop_programs()
    assert places() - start < 0.2 * taken
