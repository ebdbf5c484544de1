"""NUTS from the mode: chains mix soon, in the metric of the curvature there."""

import jax
import numpy as np
import pandas as pd
import pytest
from numpyro.diagnostics import split_gelman_rubin
from tests.studies import crossed

from consilience import read
from consilience.annotators import load
from consilience.inference import EngineOptions
from consilience.inference.engines import nuts
from consilience.spaces import space_of

EFFORT = EngineOptions(tune=100, draws=100, chains=2)
# Pairs of labels have no affinities of their own.
SHARED = load("objects", {"pairs": 0.0})


@pytest.fixture(scope="module")
def space():
    """60 items with two candidates, six answers each: some name both."""
    generator = np.random.default_rng(0)
    rows = []
    for item in range(60):
        share = generator.beta(2, 2)
        for person in range(6):
            main = "ab"[int(generator.random() < share)]
            both = generator.random() < 0.4
            rows += [
                (f"i{item}", f"p{item}-{person}", label, label == main)
                for label in ("ab" if both else main)
            ]
    columns = ["item", "annotator", "label", "main"]
    frame = pd.DataFrame(rows, columns=columns)
    return space_of(read(frame, kind="objects"))


@pytest.fixture(scope="module")
def drawn(space):
    with jax.enable_x64(True):
        result = nuts.fit(SHARED, space, 0, EFFORT)
    every = [
        draws.reshape(*draws.shape[:2], -1).astype(float)
        for draws in result.parameters.values()
        if draws.size
    ]
    return np.concatenate(every, axis=2), result.sample_stats


def mixed(draws):
    # As for the other starts: R-hat of n independent draws, five of its spreads.
    return split_gelman_rubin(draws).max() < 1 + 5 * np.sqrt(2 / draws[..., 0].size)


@pytest.mark.study
def test_chains_mix_after_a_hundred_steps_of_warm_up(drawn):
    draws, stats = drawn
    assert not stats["diverging"].any()
    assert mixed(draws)


@pytest.mark.study
def test_a_chain_that_stays_elsewhere_is_told(drawn):
    draws = drawn[0].copy()
    draws[1] += 4 * draws[1].std(0)
    assert not mixed(draws)


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
