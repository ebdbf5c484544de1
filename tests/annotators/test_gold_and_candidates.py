"""Models without closed forms: gold, candidates, and more answers than states."""

import jax
import numpy as np
import pandas as pd
import pytest

from consilience.annotators import load
from consilience.inference.engines import em
from consilience.responses import read
from consilience.spaces import space_of

MODELS = ("bwa", "glad", "item_difficulty", "logistic_random_effects")


def crowd(words, seed=0):
    """Thirty items; four annotators say the truth three times in four."""
    generator = np.random.default_rng(seed)
    truth = np.repeat(np.resize(words, 30), 4)
    other = generator.choice(words, 120)
    said = np.where(generator.random(120) < 0.75, truth, other)
    items = np.repeat([f"i{number:02d}" for number in range(30)], 4)
    return pd.DataFrame({"item": items, "annotator": list("abcd") * 30, "label": said})


def fitted(model, space):
    with jax.enable_x64(True):
        return em.fit(load(model), space, 0, em.Options()).belief


@pytest.fixture(scope="module")
def choices():
    """All four say x of the last item."""
    frame = crowd(["x", "y", "z"])
    frame.loc[frame["item"] == "i29", "label"] = "x"
    return read(frame)


@pytest.mark.parametrize("model", MODELS)
def test_gold_is_kept_whatever_is_said(model, choices):
    gold = pd.DataFrame({"item": ["i29"], "label": ["y"]})
    belief = fitted(model, space_of(choices, gold=gold))
    assert belief[29].argmax() == 1
    assert belief[29].max() == pytest.approx(1)
    assert np.allclose(belief.sum(1), 1)


@pytest.mark.parametrize("model", MODELS)
def test_without_gold_what_is_said_is_believed(model, choices):
    assert fitted(model, space_of(choices))[29].argmax() == 0


@pytest.mark.parametrize("model", MODELS)
def test_only_candidates_are_believed(model, choices):
    pairs = [(f"i{number:02d}", label) for number in range(30) for label in "xyz"]
    lists = pd.DataFrame(pairs, columns=["item", "label"])
    space = space_of(choices, lists=lists[lists.index != 89])  # not z for the last
    belief = fitted(model, space)
    assert space.state[29, :2].tolist() == [0, 1]
    assert belief[29, 2] == 0  # padding
    assert np.allclose(belief.sum(1), 1)


@pytest.mark.parametrize("model", MODELS)
def test_three_answers_tell_two_states_apart(model):
    frame = crowd(["no", "yes"], seed=1)
    frame.loc[frame.index % 9 == 0, "label"] = "maybe"
    table = frame.rename(columns={"label": "answer"}).assign(label="dog")
    space = space_of(read(table, kind="contains", labels=["dog"]))
    belief = fitted(model, space)
    assert belief.shape == (30, 2)
    assert (belief.argmax(1) == np.resize([0, 1], 30)).mean() > 0.8
