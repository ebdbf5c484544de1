"""The engine chosen by size."""

from dataclasses import replace

import numpy as np
import pytest

from consilience.annotators import load
from consilience.inference.auto import MAX_SAMPLED, choose


@pytest.fixture(scope="module")
def space(simulated):
    found, _, _ = simulated(
        "multinomial", 0, items=20, annotators=4, per_item=3, classes=2
    )
    return found


def enlarged(space, number):
    wide = np.zeros(number, np.int32)
    return replace(space, unit=wide, annotator=wide, answer=wide, n=wide + 1)


def test_few_answers_are_sampled(space):
    engine, reason = choose(load("hierarchical_dawid_skene"), space)
    assert engine == "nuts"
    assert "60 answers x 2 states" in reason


def test_many_answers_take_the_closed_form(space):
    many = enlarged(space, MAX_SAMPLED)
    engine, reason = choose(load("hierarchical_dawid_skene"), many)
    assert engine == "vb"
    assert "NUTS" in reason


def test_objects_are_not_sampled_unasked(space):
    engine, reason = choose(load("objects"), replace(space, kind="objects"))
    assert engine == "em"
    assert "NUTS takes long" in reason


def test_a_model_with_one_engine_gets_it(space):
    assert choose(load("dawid_skene"), space)[0] == "em"
