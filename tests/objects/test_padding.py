"""Items of objects are filled up to few sizes, and what is added changes nothing."""

from dataclasses import replace
from functools import partial

import jax
import numpy as np
import pytest
from numpyro.handlers import seed

import consilience as cs
from consilience.annotators import load, objects
from consilience.model import lay_out, sample_answers
from consilience.objects import block_counts
from consilience.objects.space import frequent_pairs
from consilience.spaces import space_of
from consilience.truth import padded
from consilience.truth.coding import some_units


def space_of_study(items, number, *, most=3):
    """Return the items of few candidates, for programs that compile soon."""
    design = {"items": items, "annotators": 7, "per_item": 5, "classes": 6}
    space = space_of(cs.simulate(kind="objects", **design, seed=number).responses)
    return some_units(space, np.flatnonzero(space.named.size <= most))


@pytest.fixture(autouse=True)
def _precise():
    with jax.enable_x64(True):
        yield


@jax.jit
def likelihoods(observations, parameters, weight):
    """Return the likelihoods of items, and the slopes of their weighted sum."""

    def total(parameters):
        each = objects.likelihood(observations, parameters)
        return (weight * each).sum(), each

    slopes, each = jax.grad(total, has_aux=True)(parameters)
    return each, slopes


def both(name, space):
    """Return what models are given of a space, and of the same filled."""
    model, more = load(name), padded(space)
    less, filled = lay_out(model, space), lay_out(model, more)
    program = partial(seed(sample_answers, 1), model)
    drawn = jax.eval_shape(lambda data: program(data).answers.parameters, less)
    generator = np.random.default_rng(1)
    parameters = {name: generator.normal(size=drawn[name].shape) for name in drawn}
    wide = dict(parameters)
    # What pairs and annotators that fill up have is used nowhere.
    pairs = np.size(filled.layout.pair_items) - np.size(less.layout.pair_items)
    rest = {"pairs": pairs, "synonym_pairs": pairs}
    for effect in rest.keys() & parameters.keys():
        wide[effect] = np.append(parameters[effect], np.full(rest[effect], 3.0))
    return (less, parameters), (filled, wide)


def assert_same(space):
    given, filled = both("objects", space)
    weight = np.random.default_rng(0).exponential(size=space.num_units)
    more = np.zeros(len(filled[0].guess) - len(weight))
    expected, slopes = likelihoods(*given, weight)
    observed, wide = likelihoods(*filled, np.append(weight, more))
    assert np.allclose(observed[: len(expected)], expected, rtol=1e-10)
    for effect, slope in slopes.items():
        every = np.asarray(wide[effect])
        assert np.allclose(every[: len(slope)], slope, rtol=1e-8, atol=1e-9), effect
        assert not every[len(slope) :].any()


@pytest.mark.parametrize("items", [75, pytest.param(120, marks=pytest.mark.study)])
def test_likelihoods_and_slopes_are_those_without_padding(items):
    space = space_of_study(items, items)
    given, filled = both("objects", space)
    assert len(filled[1]["pairs"]) > len(given[1]["pairs"])
    assert_same(space)


def test_units_that_are_heard_would_make_pairs_of_labels_frequent():
    space = space_of_study(75, 75)
    named = padded(space).named
    every = np.ones(len(named.observed), bool)
    expected = frequent_pairs(space.named)
    assert frequent_pairs(named) == expected
    assert frequent_pairs(replace(named, observed=every)) != expected


def with_no_items(space):
    return replace(space, named=replace(space.named, padded=True))


def test_completions_with_weight_would_change_likelihoods(monkeypatch):
    space = space_of_study(75, 75)
    # With no unit behind the last, allocations that fill up are those of a real one.
    monkeypatch.setattr(block_counts, "NEVER", 0.0)
    monkeypatch.setattr("consilience.truth.padding._with_items", with_no_items)
    with pytest.raises(AssertionError, match="allclose"):
        assert_same(space)


def shapes(name, space):
    leaves, tree = jax.tree.flatten(lay_out(load(name), space))
    return [np.shape(leaf) for leaf in leaves], tree


def test_studies_of_about_one_size_have_the_same_shapes():
    spaces = [space_of_study(items, items) for items in (120, 116, 124)]
    first, *others = [shapes("objects", padded(space)) for space in spaces]
    assert all(other == first for other in others)
    first, *others = [shapes("objects", space) for space in spaces]
    assert all(other != first for other in others)


def test_many_items_are_not_filled_up(monkeypatch):
    space = space_of_study(40, 2)
    assert padded(space).named.padded
    monkeypatch.setattr("consilience.truth.padding.MANY", space.num_units - 1)
    assert not padded(space).named.padded
    assert padded(space).num_units == space.num_units
