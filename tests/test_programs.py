"""Compiled programs are dropped between fits before the system runs out of places."""

import jax
import numpy as np
import pytest

import consilience as cs
from consilience import programs


def study(number):
    made = cs.simulate(
        model="multinomial",
        items=12 + number,
        annotators=4,
        classes=2,
        per_item=3,
        seed=number,
    )
    return made.responses


def fitted(number):
    quick = cs.EngineOptions(draws=0, restarts=1)
    result = cs.fit(
        study(number), model="structured", engine="em", effort=quick, seed=number
    )
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
    before = [fitted(number) for number in range(2)]
    assert not dropped
    monkeypatch.setattr(programs, "SHARE", 0.0)
    after = [fitted(number) for number in range(2)]
    assert len(dropped) == 2
    for one, other in zip(before, after, strict=True):
        assert np.array_equal(one, other)


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


def test_programs_are_counted_where_the_system_counts_no_places(monkeypatch, tmp_path):
    monkeypatch.setattr(programs, "MAPS", tmp_path / "none")
    programs.drop_programs()
    monkeypatch.setattr(programs, "_num_compiled", 0)
    fitted(20)
    compiled = programs._num_compiled
    assert compiled > 0
    monkeypatch.setattr(programs, "MAX_PROGRAMS", compiled)
    assert not programs.drop_programs()
    monkeypatch.setattr(programs, "MAX_PROGRAMS", compiled - 1)
    assert programs.drop_programs()
    assert not programs.drop_programs()
