"""The engine that is chosen where none is named."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from consilience.annotators import load, names
from consilience.inference import EngineOptions, with_default_draws
from consilience.inference.result import DRAWS, MAX_DRAWN, default_engine
from consilience.model import Model
from consilience.responses import read
from consilience.spaces import space_of


@pytest.fixture(scope="module")
def space(simulated):
    result, _, _ = simulated(
        "multinomial", 0, items=20, annotators=4, per_item=3, classes=2
    )
    return result


def enlarged(space, number):
    wide = np.zeros(number, np.int32)
    return replace(space, unit=wide, annotator=wide, answer=wide, n=wide + 1)


FITTED = [name for name in names() if isinstance(load(name), Model)]


@pytest.mark.parametrize("name", FITTED)
def test_no_model_is_sampled_unasked(name):
    model = load(name)
    engine, reason = default_engine(model)
    assert engine == model.engines[0] != "nuts"
    assert ("the engine nuts" in reason) == ("nuts" in model.engines)


def test_few_answers_get_draws_where_no_closed_form_takes_them(space):
    def drawn(name, given, **asked):
        model = load(name)
        engine, _ = default_engine(model)
        return with_default_draws(model, given, engine, EngineOptions(**asked)).draws

    assert drawn("glad", space) == DRAWS
    assert drawn("glad", space, draws=3) == 3
    assert drawn("glad", enlarged(space, MAX_DRAWN)) is None
    assert drawn("dawid_skene", space) is None
    assert drawn("logistic_random_effects", space) is None
    assert drawn("bayesian_dawid_skene", space) is None
    rows = {"item": ["i", "i"], "annotator": ["a", "b"], "label": ["x", "y"]}
    objects = space_of(read(pd.DataFrame(rows), kind="objects"))
    assert drawn("objects", objects) == 20  # a few about the mode
