"""Simulated studies, and fits that several tests look at."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from tests.studies import crossed

from consilience.annotators import load
from consilience.model import simulate
from consilience.responses import read
from consilience.spaces import space_of


@pytest.fixture(scope="session")
def simulated():
    """Answers, truth and confusions drawn from a model's own prior."""

    def draw(name, seed, prior=None, *, classes, **design):
        labels = [f"c{code}" for code in range(classes)]
        frame = crossed(**design)
        frame["label"] = np.resize(labels, len(frame))
        space = space_of(read(frame, labels=labels))
        with jax.enable_x64(True):
            made = simulate(load(name, prior), space, jax.random.key(seed))
            confusion = np.asarray(made.parameters["confusion"])
        answer = np.asarray(made.answer, np.int32)
        return replace(space, answer=answer), np.asarray(made.state), confusion

    return draw
