"""Long steps along a climb: where they lead, and that they lead to the same top."""

import numpy as np
import pytest
from tests.studies import crossed

from consilience.annotators import load
from consilience.inference import ascent
from consilience.inference.ascent import Optimum, Steps, optimize
from consilience.inference.engines import vb
from consilience.model import HostModel
from consilience.progress import silent
from consilience.responses import read
from consilience.spaces import space_of


def at(log_counts):
    counts = np.exp(np.asarray(log_counts, float)) - ascent.FLOOR
    return Optimum({"prevalence": counts}, {"prevalence": np.ones(len(counts))})


def test_of_steps_that_shrink_by_a_factor_the_limit_is_found():
    limit, start, rate = np.array([2.0, 3.0]), np.array([1.0, -1.0]), 0.9
    path = [at(limit - rate**step * start) for step in range(3)]
    ahead, capped = ascent.extrapolated(tuple(path), farthest=64.0)
    assert not capped
    assert np.allclose(ahead.counts["prevalence"], at(limit).counts["prevalence"])
    # Held to fewer sweeps than it would take, the step ends before the limit.
    near, capped = ascent.extrapolated(tuple(path), farthest=5.0)
    assert capped
    assert not np.allclose(near.counts["prevalence"], at(limit).counts["prevalence"])


@pytest.fixture(scope="module")
def space():
    generator = np.random.default_rng(0)
    frame = crossed(150, 12, 4, generator)
    truth = generator.integers(3, size=150).repeat(4)
    accuracy = np.where(frame["annotator"] < "a006", 0.85, 0.5)
    right = generator.random(len(truth)) < accuracy
    label = np.where(right, truth, generator.integers(3, size=len(truth)))
    return space_of(read(frame.assign(label=label.astype(str))))


def climbed(name, space, **steps):
    generator = np.random.default_rng(1)
    tables = HostModel(load(name), space)
    return optimize(tables, vb.RULE, Steps(**steps), generator, silent)[1]


@pytest.mark.parametrize("name", ["community_bcc", "hierarchical_dawid_skene"])
def test_long_steps_reach_the_same_top_in_fewer_sweeps(name, space, monkeypatch):
    quick = climbed(name, space, tolerance=1e-9)
    monkeypatch.setattr(ascent, "PLAIN", 10**9)
    plain = climbed(name, space, tolerance=1e-9)
    assert np.diff(quick.objective[0]).min() > -1e-8
    assert quick.objective.max() > plain.objective.max() - 1e-3
    assert quick.objective.shape[1] < plain.objective.shape[1]


def test_no_more_starts_are_made_once_enough_have_ended_at_the_best(space):
    steps = {"restarts": 8, "tolerance": 1e-9}
    few = climbed("hierarchical_dawid_skene", space, agreeing=3, **steps)
    assert len(few.objective) == 3
    every = climbed("hierarchical_dawid_skene", space, **steps)
    assert len(every.objective) == 8
    assert np.nanmax(few.objective) == pytest.approx(np.nanmax(every.objective))
