"""What every model owes, checked on each file of the room."""

import importlib
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from numpyro.handlers import seed, trace

from consilience.annotators import load, names
from consilience.errors import OptionError
from consilience.inference.closed_form.ascent import Steps
from consilience.inference.engines import em, gibbs, vb
from consilience.model import (
    DIMS,
    SCORE,
    Model,
    belief,
    given,
    joint,
    lay_out,
    marginal,
    num_substates,
    simulate,
)
from consilience.model import score as scored

ONCE = Steps(restarts=1)
FIT = {
    "em": (em.fit, em.Options(steps=ONCE)),
    "vb": (vb.fit, vb.Options(steps=ONCE, draws=0)),
    "gibbs": (gibbs.fit, gibbs.Options(chains=2, tune=40, draws=60)),
}


FITTED = [name for name in names() if isinstance(load(name), Model)]
RULES = [name for name in FITTED if load(name).rule]
WITH_SCORE = [name for name in FITTED if name not in RULES]


@pytest.fixture(params=WITH_SCORE)
def model(request):
    return load(request.param)


@pytest.fixture(params=WITH_SCORE)
def generative(request):
    """Return a model whose prior says something of who is right.

    A prior that is learned stays near its start: from a dozen annotators nothing else
    is learned well, and a study may be drawn in which labels are never right.
    """
    model = load(request.param)
    learned = model.closed and hasattr(model.prior, "held")
    # Four styles are too many for a dozen annotators unless they are plain.
    plain = {"own": 12.0} if request.param == "community_bcc" else {}
    return load(request.param, {"held": 100.0, **plain}) if learned else model


def taken(model, **spaces):
    """Return the space of the kind that a model takes."""
    return next(each for kind, each in spaces.items() if kind in model.kinds)


@pytest.fixture
def design(request, design, contains_design, objects_design):
    """Return a design of the kind that the model takes."""
    given = next(
        (name for name in ("model", "generative") if name in request.fixturenames), None
    )
    if given is None:
        return design
    model = request.getfixturevalue(given)
    return taken(model, choice=design, contains=contains_design, objects=objects_design)


@pytest.fixture
def small(model, every_answer, objects_design):
    """Return a space of one size in all tests of a model: they share programs."""
    choice, contains = every_answer("choice", 3), every_answer("contains", 1)
    return taken(model, choice=choice, contains=contains, objects=objects_design)


def needs_single_answers(model):
    if model.kinds == ("objects",):
        pytest.skip("its answers are sets of labels; it has this test in its own file")


# Compiled, as operations one by one take longer: there are a hundred in a score.
@partial(jax.jit, static_argnums=0)
def expected_counts(model, observations, logs, weight):
    """How often each event of each parameter is expected, states weighted."""

    def of(logs):
        return scored(given(model, observations, logs), observations)

    _, pull = jax.vjp(of, logs)
    return pull(observations.scale[:, None] * weight)[0]


@partial(jax.jit, static_argnums=0)
def score(model, observations, parameters):
    return scored(given(model, observations, parameters), observations)


def sites(program, model, observations):
    """Return the sites of a program by name, with shapes in the stead of values."""
    results = {}

    def traced(observations):
        results.update(trace(seed(program, 0)).get_trace(model, observations))

    jax.eval_shape(traced, observations)
    return results


@pytest.mark.parametrize(("kind", "labels"), [("choice", 3), ("contains", 1)])
def test_the_score_sums_over_all_answers_to_the_prior_of_the_state(
    model, every_answer, some_parameters, kind, labels
):
    if kind not in model.kinds:
        pytest.skip(f"the model takes no {kind}")
    space = every_answer(kind, labels)
    with jax.enable_x64(True):
        observations = lay_out(model, space)
        parameters = some_parameters(model, observations)
        scores = np.exp(score(model, observations, parameters)).sum(0)
        total = scores.reshape(-1, num_substates(model)).sum(1)
        log_prevalence = given(model, observations, parameters).answers.log_prevalence
        if log_prevalence is not None:
            assert np.allclose(total, np.exp(log_prevalence))
        assert np.allclose(total.sum(), 1)


def test_candidates_keep_the_score_of_the_states_they_list(
    model, every_answer, some_parameters
):
    if "choice" not in model.kinds:
        pytest.skip("the model takes no choice")
    units = [f"i{number:03d}" for number in range(9)]
    lists = pd.DataFrame(
        [(unit, label) for unit in units for label in ("l0", "l1", "l2")],
        columns=["item", "label"],
    )
    free = every_answer("choice", 3)
    short = lists[(lists["item"] != "i000") | (lists["label"] != "l2")]
    listed = every_answer("choice", 3, lists=short)
    with jax.enable_x64(True):
        whole = lay_out(model, free)
        parameters = some_parameters(model, whole)
        expected = np.array(score(model, whole, parameters))
        result = score(model, lay_out(model, listed), parameters)
        expected[0, 2 * num_substates(model) :] = -np.inf
        # On the short list, a model whose errors fall on what was shown says otherwise.
        rows = slice(model is load("structured"), None)
        assert np.allclose(result[rows], expected[rows])


def test_dims_name_every_parameter(model, design):
    with jax.enable_x64(True):
        observations = lay_out(model, design)
        of_joint = sites(joint, model, observations)
        del of_joint[SCORE]
    shapes = {
        name: site["value"].shape
        for name, site in of_joint.items()
        if site["type"] in ("sample", "deterministic") and not site.get("is_observed")
    }
    # Others are there only where the prior requests them.
    dims = {**DIMS, **model.dims}
    assert shapes.keys() <= dims.keys()
    assert model.layout or shapes.keys() >= model.dims.keys()
    sizes = {
        "annotator": observations.num_annotators,
        "true_class": observations.num_states,
        "given_class": observations.num_answers,
    }
    for name, shape in shapes.items():
        axes = dims[name]
        assert shape == tuple(map(sizes.get, axes, shape))


def test_expected_counts_are_the_answers_and_the_units(model, small, some_parameters):
    with jax.enable_x64(True):
        observations = lay_out(model, small)
        parameters = some_parameters(model, observations)
        if "confusion" not in parameters:
            pytest.skip("its counts are gradients of no confusion")
        truth = belief(score(model, observations, parameters))
        result = expected_counts(model, observations, parameters, truth)
        counts = {name: np.asarray(value) for name, value in result.items()}
    assert np.allclose(counts["confusion"].sum(), len(small.answer))
    assert np.allclose(counts["prevalence"], np.asarray(truth).sum(0))


def test_an_answer_that_counts_twice_is_two_answers(model, small, some_parameters):
    needs_single_answers(model)

    def counted(twice):
        """Let these answers count twice, and let the others be there twice."""
        n = np.where(twice, 2, 1)
        names = ("unit", "annotator", "answer")
        each = {name: np.repeat(getattr(small, name), 3 - n) for name in names}
        return replace(small, **each, n=np.repeat(n, 3 - n))

    # One half, then the other: so that both are of one size.
    half = np.arange(len(small.n)) < len(small.n) // 2
    with jax.enable_x64(True):
        both = [lay_out(model, counted(twice)) for twice in (half, ~half)]
        parameters = some_parameters(model, both[0])
        scores = [score(model, one, parameters) for one in both]
    assert np.allclose(*scores)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_neither_draws_nor_predicts_answers(name, design):
    with pytest.raises(OptionError, match="a rule without a likelihood"):
        simulate(load(name), design, jax.random.key(0))
    with pytest.raises(OptionError, match="a rule without a likelihood"):
        load(name).program(None, load(name).prior)


def test_simulated_truth_is_found_as_often_as_promised(
    generative, design, answered, drawn_by_numpy
):
    model = generative
    needs_single_answers(model)
    if model is load("contains"):
        pytest.skip("long to compile; it has this test, and its twin, in its own file")
    engine = next(name for name in model.engines if name in FIT)
    fit, effort = FIT[engine]
    # Counts of a thousandth can't be drawn from.
    improper = model is load("dawid_skene")
    prior = load("bayesian_dawid_skene") if improper else model
    with jax.enable_x64(True):
        given, _ = drawn_by_numpy(prior, lay_out(prior, design), 12)
        made = simulate(prior, design, jax.random.key(5), given)
        space, state = answered(design, made.answer), np.asarray(made.state)
        asked = np.arange(len(state)) >= 0
        if model.of_classes:  # and of no items without a class alone
            asked = np.arange(len(state)) % 2 == 0
            possible = asked[:, None] | (state[:, None] == space.state)
            space = replace(space, log_prior=np.where(possible, 0.0, -np.inf))
        result = fit(model, space, 6, effort)
    promised = result.belief.max(1)[asked]
    hits = (result.belief.argmax(1) == state)[asked]
    # Point estimates promise too much: on top of chance, the error of the parameters.
    sampling = np.sqrt((promised * (1 - promised)).sum()) / len(hits)
    shape = len(design.annotators) * 3 * 2 / len(design.answer)
    assert abs(hits.mean() - promised.mean()) < 4 * sampling + shape


@pytest.mark.parametrize("name", names())
def test_its_file_explains_it_and_names_its_sources(name):
    model = load(name)
    text = importlib.import_module(f"consilience.annotators.{name}").__doc__
    assert text.splitlines()[0].count(":") == 1
    assert ".. math::" in text
    assert model.references
    assert model.engines


def test_marginal_and_belief_take_the_score_apart(model, small, some_parameters):
    with jax.enable_x64(True):
        observations = lay_out(model, small)
        scores = score(model, observations, some_parameters(model, observations))
        best = scores.max(1)
        rebuilt = jnp.log(belief(scores).max(1)) + marginal(scores)
        assert np.allclose(rebuilt, best)
        assert np.allclose(belief(scores).sum(1), 1)
