import importlib
from dataclasses import replace

import jax
import numpy as np
import pandas as pd
import pytest
from tests.studies import FITTED, SMALL, score

from consilience.annotators import load, names
from consilience.errors import OptionError
from consilience.inference import EngineOptions
from consilience.inference.engines import em, gibbs, vb
from consilience.model import Rule, given, lay_out, num_substates, simulate

ONCE = EngineOptions(restarts=1)
FIT = {
    "em": (em.fit, ONCE),
    "vb": (vb.fit, replace(ONCE, draws=0)),
    "gibbs": (gibbs.fit, EngineOptions(chains=2, tune=40, draws=60)),
}
RULES = [name for name in FITTED if isinstance(load(name), Rule)]
WITH_SCORE = [name for name in FITTED if name not in RULES]
# Tables are summed in one way, which one of their models shows.
ONE_OF_EACH = [name for name in WITH_SCORE if not load(name).by_tables]
ONE_OF_EACH.append("bayesian_dawid_skene")


# Answers that are sets of labels have this test in the file of their model.
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (name, kind)
        for name in WITH_SCORE
        for kind in load(name).kinds
        if kind != "objects"
    ],
)
def test_the_score_sums_over_all_answers_to_the_prior_of_the_state(
    name, kind, every_answer, some_parameters
):
    model, space = load(name), every_answer(kind, 3 if kind == "choice" else 1)
    with jax.enable_x64(True):
        observations = lay_out(model, space)
        parameters = some_parameters(model, observations)
        scores = np.exp(score(model, observations, parameters)).sum(0)
        total = scores.reshape(-1, num_substates(model)).sum(1)
        log_prevalence = given(model, observations, parameters).answers.log_prevalence
        if log_prevalence is not None:
            assert np.allclose(total, np.exp(log_prevalence))
        assert np.allclose(total.sum(), 1)


@pytest.mark.parametrize(
    "name", [name for name in ONE_OF_EACH if "choice" in load(name).kinds]
)
def test_candidates_keep_the_score_of_the_states_they_list(
    name, every_answer, some_parameters
):
    model = load(name)
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


@pytest.mark.parametrize("name", RULES)
def test_a_rule_neither_draws_nor_predicts_answers(name, design):
    with pytest.raises(OptionError, match="a rule without a likelihood"):
        simulate(load(name), design, jax.random.key(0))
    with pytest.raises(OptionError, match="a rule without a likelihood"):
        load(name).program(None, load(name).prior)


# One of each way to lay answers out and to fit them; the files of class_confusion,
# contains and objects, which compile long, have this test, too.
@pytest.mark.parametrize(
    "name",
    [
        *("dawid_skene", "bayesian_dawid_skene", "ebcc", "community_bcc"),
        *("correlated_dawid_skene", "glad", "structured", "contains_counts"),
    ],
)
def test_simulated_truth_is_found_as_often_as_promised(
    name, design, contains_design, drawn_by_numpy
):
    model = load(name)
    if model.closed(SMALL) and hasattr(model.prior, "held"):
        # A prior that is learned stays near its start: from a dozen annotators nothing
        # else is learned well, and a study may be drawn in which labels are never
        # right. Four styles are too many for a dozen annotators unless they are plain.
        plain = {"own": 12.0} if name == "community_bcc" else {}
        model = load(name, {"held": 100.0, **plain})
    fit, effort = FIT[next(engine for engine in model.engines if engine in FIT)]
    # Counts of a thousandth can't be drawn from.
    prior = load("bayesian_dawid_skene") if name == "dawid_skene" else model
    design = design if "choice" in model.kinds else contains_design
    with jax.enable_x64(True):
        given, _ = drawn_by_numpy(prior, lay_out(prior, design), 12)
        made = simulate(prior, design, jax.random.key(5), given)
        state = np.asarray(made.state)
        space = replace(design, answer=np.asarray(made.answer, np.int32))
        result = fit(model, space, 6, effort)
    promised = result.belief.max(1)
    hits = result.belief.argmax(1) == state
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
