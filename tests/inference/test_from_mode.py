"""NUTS from the mode: what all share is in the metric of the curvature there."""

import jax
import numpy as np
import pytest
from tests.studies import crossed

from consilience import read
from consilience.annotators import load
from consilience.inference import EngineOptions
from consilience.inference.engines import nuts
from consilience.spaces import space_of

EFFORT = EngineOptions(tune=100, draws=100, chains=2)


class Warmed(Exception):  # noqa: N818 (no error: what is waited for)
    """A warm-up was asked for."""


def test_numbers_that_are_many_are_warmed_up(monkeypatch):
    def warmed(*asked):
        assert {"distance", "scale", "threshold_spread"} <= set(asked[-1])
        assert "threshold" not in asked[-1]
        raise Warmed

    frame = crossed(50, 6, 6).assign(label="cat")
    frame["answer"] = np.resize(["no", "maybe", "yes", "no", "yes"], len(frame))
    space = space_of(read(frame, kind="contains"))
    monkeypatch.setattr(nuts, "MOST", 10)
    monkeypatch.setattr(nuts, "_kernel", warmed)
    with jax.enable_x64(True), pytest.raises(Warmed):
        nuts.fit(load("contains"), space, 0, EFFORT)
