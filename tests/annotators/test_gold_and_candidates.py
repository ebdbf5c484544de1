"""Models without closed forms: gold, candidates, and more answers than states."""

import numpy as np
import pandas as pd
import pytest

from consilience.fitting.request import Request
from consilience.fitting.single import fit_one
from consilience.inference import EngineOptions
from consilience.progress import silent
from consilience.responses import read
from consilience.spaces import space_of

MODELS = ("bwa", "glad")
EFFORT = EngineOptions(restarts=1)


def crowd(words, seed=0):
    """Thirty items; four annotators say the truth three times in four."""
    generator = np.random.default_rng(seed)
    truth = np.repeat(np.resize(words, 30), 4)
    other = generator.choice(words, 120)
    said = np.where(generator.random(120) < 0.75, truth, other)
    items = np.repeat([f"i{number:02d}" for number in range(30)], 4)
    return pd.DataFrame({"item": items, "annotator": list("abcd") * 30, "label": said})


def fitted(model, space):
    return fit_one(model, space, Request(effort=EFFORT), silent).result.belief


@pytest.fixture(scope="module")
def choices():
    """All four say y of the last item but one, which is no z, and x of the last."""
    frame = crowd(["x", "y", "z"])
    frame.loc[frame["item"] == "i28", "label"] = "y"
    frame.loc[frame["item"] == "i29", "label"] = "x"
    pairs = [(f"i{number:02d}", label) for number in range(30) for label in "xyz"]
    lists = pd.DataFrame(pairs, columns=["item", "label"])
    return read(frame), lists.drop(index=28 * 3 + 2)


@pytest.fixture(scope="module", params=MODELS)
def beliefs(request, choices):
    """With gold for the last item, and without; both of one size."""
    responses, lists = choices
    gold = pd.DataFrame({"item": ["i29"], "label": ["y"]})
    spaces = (space_of(responses, lists=lists, gold=each) for each in (gold, None))
    return [fitted(request.param, space) for space in spaces]


def test_gold_is_kept_whatever_is_said(beliefs):
    belief, _ = beliefs
    assert belief[29].argmax() == 1
    assert belief[29].max() == pytest.approx(1)
    assert np.allclose(belief.sum(1), 1)


def test_without_gold_what_is_said_is_believed(beliefs):
    assert beliefs[1][29].argmax() == 0


def test_only_candidates_are_believed(choices, beliefs):
    responses, lists = choices
    space = space_of(responses, lists=lists)
    assert space.state[28, :2].tolist() == [0, 1]
    for belief in beliefs:
        assert belief[28, 2] == 0  # padding
        assert (belief[:28].min(1) > 0).all()
        assert np.allclose(belief.sum(1), 1)
