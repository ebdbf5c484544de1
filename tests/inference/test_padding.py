"""Arrays are padded to few sizes: programs serve several studies, results stay."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.studies import crossed

import consilience as cs
from consilience.annotators import load
from consilience.inference import optimize
from consilience.inference.ascent import Steps
from consilience.progress import silent
from consilience.spaces import space_of

COMPILED = "/jax/core/compile/backend_compile_duration"
CLIMBS = {"jit(energy_and_slope)", "jit(_start)", "jit(_mode_at)"}
EXACT = Steps(iterations=500, tolerance=1e-12, restarts=1)


def study(items, annotators, seed):
    """Return a study in which every item has five answers."""
    generator = np.random.default_rng(seed)
    frame = crossed(items, annotators, 5, generator)
    truth = np.arange(items).repeat(5) % 3
    right = generator.random(truth.shape) < 0.7
    label = np.where(right, truth, generator.integers(0, 3, truth.shape))
    return space_of(cs.read(frame.assign(label=label.astype(str))))


@pytest.fixture
def compiled():
    """Names of the programs that are compiled."""
    names, listens = [], True

    def note(event, _, **about):
        if listens and event == COMPILED:
            names.append(about.get("fun_name"))

    jax.clear_caches()  # else a fit may drop what earlier tests compiled
    jax.monitoring.register_event_duration_secs_listener(note)
    yield names
    listens = False  # to take the function away again has another name in each version


def mode(model, space, steps=EXACT, *, pad=True):
    with jax.enable_x64(True):
        result, *_ = optimize.ascend(
            load(model), space, steps, jax.random.key(0), silent, pad=pad
        )
    return result


def test_a_study_of_about_the_same_size_compiles_no_climb_anew(compiled):
    few = Steps(iterations=2, restarts=1)
    mode("glad", study(500, 22, 1), few)
    assert set(compiled) >= CLIMBS
    compiled.clear()
    mode("glad", study(493, 23, 2), few)
    assert not CLIMBS & set(compiled)


def assert_close(one, other):
    assert np.allclose(one.belief, other.belief, atol=2e-3)
    assert np.allclose(one.log_likelihood, other.log_likelihood, atol=1e-2)
    for name, value in one.parameters.items():
        assert value.shape == other.parameters[name].shape
        assert np.allclose(value, other.parameters[name], atol=1e-2), name


@pytest.fixture
def lists():
    """A space whose units have lists of their own: a unit added has one state."""
    space = study(33, 9, 3)
    shape = (space.num_units, 1)
    return replace(
        space,
        state=np.tile(space.state, shape),
        log_prior=np.tile(space.log_prior, shape),
    )


def test_results_are_those_without_padding_where_units_have_lists(lists):
    assert_close(mode("glad", lists, pad=True), mode("glad", lists, pad=False))


def test_units_with_a_weight_would_change_results(lists, monkeypatch):
    expected = mode("item_difficulty", lists, pad=False)
    laid_out = optimize.lay_out_data

    def weighed(*args, **options):
        data, real = laid_out(*args, **options)
        whole = replace(data.whole, scale=jnp.ones_like(data.whole.scale))
        return data._replace(whole=whole, weight=jnp.ones_like(data.weight)), real

    monkeypatch.setattr(optimize, "lay_out_data", weighed)
    with pytest.raises(AssertionError):
        assert_close(mode("item_difficulty", lists, pad=True), expected)
