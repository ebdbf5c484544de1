"""Parts of a space are the space of fewer rows."""

from dataclasses import fields, is_dataclass

import numpy as np
import pandas as pd
import pytest

from consilience.responses import read
from consilience.spaces import space_of
from consilience.truth import ContainsSpace
from consilience.truth.coding import some_answers, some_units

CHOICE = [
    ("i", "a", "x"),
    ("i", "b", "y"),
    ("j", "a", "z"),
    ("k", "b", "y"),
    ("k", "c", "x"),
    ("l", "c", "z"),
]
CONTAINS = [
    ("i", "a", "cat", "yes"),
    ("i", "b", "dog", "no"),
    ("j", "a", "cat", "maybe"),
    ("k", "c", "dog", "yes"),
    ("k", "a", "dog", "no"),
]
LISTS = [("i", "x"), ("i", "y"), ("j", "z"), ("j", "y"), ("k", "x"), ("l", "z")]


def choice(**given):
    responses = read(pd.DataFrame(CHOICE, columns=["item", "annotator", "label"]))
    return space_of(responses, **given)


def contains():
    table = pd.DataFrame(CONTAINS, columns=["item", "annotator", "label", "answer"])
    return space_of(read(table, kind="contains"))


SPACES = {
    "plain": choice(),
    "listed": choice(lists=pd.DataFrame(LISTS, columns=["item", "label"])),
    "gold": choice(gold=pd.DataFrame({"item": ["k"], "label": ["x"]})),
    "contains": contains(),
}


def facts(space, unit):
    """All that is said of a unit, by name."""
    mine = space.unit == unit
    lists = space.state[unit if len(space.state) > 1 else 0]
    prior = space.log_prior[unit if len(space.log_prior) > 1 else 0]
    return (
        space.unit_item[unit],
        space.unit_label[unit] if isinstance(space, ContainsSpace) else None,
        space.annotators[space.annotator[mine]].tolist(),
        [space.answers[code] for code in space.answer[mine]],
        space.n[mine].tolist(),
        lists.tolist(),
        prior.tolist(),
    )


@pytest.mark.parametrize("name", SPACES)
def test_some_units_are_told_as_they_were(name):
    space = SPACES[name]
    units = np.array([1, 3])
    part = some_units(space, units)
    assert part.num_units == 2
    assert [facts(part, place) for place in range(2)] == [
        facts(space, u) for u in units
    ]
    assert (np.diff(part.unit) >= 0).all()
    assert part.unit.dtype == space.unit.dtype


def assert_same(one, other):
    for field in fields(one):
        same = getattr(one, field.name), getattr(other, field.name)
        if is_dataclass(same[0]):
            assert_same(*same)
        else:
            assert np.array_equal(*map(np.asarray, same)), field.name


@pytest.mark.parametrize("name", SPACES)
def test_all_units_and_all_answers_are_the_whole(name):
    space = SPACES[name]
    whole = np.arange(space.num_units)
    kept = np.ones(len(space.unit), bool)
    for part in (some_units(space, whole), some_answers(space, kept)):
        assert_same(part, space)


def test_some_answers_leave_the_units():
    space = SPACES["listed"]
    kept = np.array([True, False, True, False, False, True])
    part = some_answers(space, kept)
    assert part.num_units == space.num_units
    assert facts(part, 0)[2:4] == (["a"], ["x"])
    assert facts(part, 2)[2:5] == ([], [], [])
    assert facts(part, 3) == facts(space, 3)
