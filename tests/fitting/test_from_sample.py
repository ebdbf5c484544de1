"""Fits of all items that go on from a fit of some."""

import numpy as np
import pytest

import consilience as cs
from consilience.fitting import comparing
from consilience.fitting.automatic import ENOUGH, fit_from_sample, going_on
from consilience.fitting.comparing import fit_near_votes, sample
from consilience.fitting.request import Request
from consilience.inference.ascent import Steps
from consilience.progress import silent
from consilience.spaces import space_of

ONCE = Request(seed=1, effort=cs.EngineOptions(restarts=1))


@pytest.fixture(scope="module")
def crowd():
    made = cs.simulate(items=500, annotators=20, classes=3, per_item=5, seed=4)
    return made.responses


@pytest.fixture
def some(crowd, monkeypatch):
    """A space, and items of it drawn at random."""
    monkeypatch.setattr(comparing, "MAX_COMPARED", 900)
    space = space_of(crowd)
    return space, sample(space, 0)


def sweeps(single):
    return np.isfinite(single.result.optimization.objective).sum()


def test_a_climb_from_a_sample_ends_where_any_does_after_fewer_sweeps(some):
    space, part = some
    name = "hierarchical_dawid_skene"
    by_some = fit_near_votes(name, "some", part, ONCE, silent)
    whole = fit_near_votes(name, "all", space, ONCE, silent)
    ours = fit_from_sample(by_some, "on", space, ONCE, silent)
    assert sweeps(ours) < sweeps(whole)
    gap = whole.result.optimization.objective[0]
    best, reached = np.nanmax(gap), np.nanmax(ours.result.optimization.objective)
    assert reached > best - 100 * ENOUGH * space.n.sum()
    assert np.abs(ours.result.belief - whole.result.belief).mean() < 0.01
    assert ours.tempering is not None
    # What it starts from counts: the sample is not all.
    alone = fit_near_votes(name, "some", part, ONCE, silent)
    start = going_on(Steps(sweeps=1), alone, ONCE).start
    assert not np.allclose(
        start["prevalence"], whole.result.parameters["prevalence"].mean((0, 1))
    )


def test_auto_of_many_answers_says_what_was_learned_from_a_sample(crowd, monkeypatch):
    whole = cs.fit(crowd)
    monkeypatch.setattr(comparing, "MAX_COMPARED", 900)
    fit = cs.fit(crowd)
    assert "on 180 items drawn at random" in fit.data.attrs["engine_reason"]
    assert "learned from a sample of the items" in fit.data.attrs["assumptions"]
    assert "r_hat" not in set(fit.diagnostics()["name"])
    keys = ["item", "label"]
    one, other = (each.labels().set_index(keys)["probability"] for each in (fit, whole))
    assert (one - other).abs().mean() < 0.03
    bounds = fit.annotators().set_index("annotator")
    accuracy = whole.annotators().set_index("annotator")["accuracy"]
    inside = (bounds["lower"] < accuracy) & (accuracy < bounds["upper"])
    assert inside.mean() > 0.8
