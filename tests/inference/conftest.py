"""Simulated studies, and fits that several tests look at."""

from dataclasses import replace

import jax
import numpy as np
import pandas as pd
import pytest

from consilience.annotators import load
from consilience.model import simulate
from consilience.responses import read
from consilience.spaces import space_of


def crossed(items, annotators, per_item, classes, seed=0):
    """A design: `per_item` of the annotators, picked at random, answer each item."""
    generator = np.random.default_rng(seed)
    who = generator.random((items, annotators)).argsort(1)[:, :per_item].ravel()
    labels = [f"c{code}" for code in range(classes)]
    frame = pd.DataFrame(
        {
            "item": np.repeat([f"i{number:04d}" for number in range(items)], per_item),
            "annotator": np.array([f"a{code:03d}" for code in range(annotators)])[who],
            "label": generator.choice(labels, items * per_item),
        }
    )
    return space_of(read(frame, labels=labels))


@pytest.fixture(scope="session")
def simulated():
    """Answers, truth and confusions drawn from a model's own prior."""

    def draw(name, seed, prior=None, **design):
        model = load(name)
        if prior is not None:
            model = replace(model, prior=replace(model.prior, **prior))
        space = crossed(**design)
        with jax.enable_x64(True):
            made = simulate(model, space, jax.random.key(seed))
            answer = np.asarray(made.answer, np.int32)
            confusion = np.asarray(made.parameters["confusion"])
        return replace(space, answer=answer), np.asarray(made.state), confusion

    return draw
