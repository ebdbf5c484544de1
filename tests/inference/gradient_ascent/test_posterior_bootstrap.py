"""The posterior bootstrap: intervals of models that are climbed along the gradient."""

from dataclasses import replace
from functools import cache

import jax
import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.annotators import load
from consilience.checks.simulated_fits import replace_answers
from consilience.inference.closed_form import gradient_em
from consilience.inference.closed_form.ascent import Steps
from consilience.inference.engines import em
from consilience.inference.gradient_ascent import posterior_bootstrap
from consilience.model import simulate
from consilience.responses import read
from consilience.spaces import space_of

NAMES = ("threshold", "annotator_width", "annotator_discrimination")
EFFORT = em.Options(steps=Steps(restarts=1, tolerance=1e-6), draws=40)
# How far annotators differ is as good as known here: learned, it makes the bounds of
# all annotators of a small study hold or fail together.
MODEL = load("contains")
MODEL = replace(MODEL, prior=replace(MODEL.prior, spreads=0.01))


@pytest.fixture(scope="module")
def study():
    """Answers of 24 annotators, some thirty each, drawn from the model."""
    responses = cs.simulate(
        kind="contains",
        model="bayesian_dawid_skene",
        items=200,
        annotators=24,
        per_item=4,
        seed=0,
    ).responses
    space = space_of(responses)
    with jax.enable_x64(True):
        made = simulate(MODEL, space, jax.random.key(4))
    return replace_answers(space, np.asarray(made.answer)), made.parameters


def held(study):
    """Whether 90 % intervals hold each parameter of each annotator."""
    space, truth = study
    with jax.enable_x64(True):
        result = em.fit(MODEL, space, 5, EFFORT)
    each = []
    for name in NAMES:
        lower, upper = np.quantile(result.parameters[name][0], [0.05, 0.95], 0)
        true = np.asarray(truth[name])
        each.append((lower <= true) & (true <= upper))
    return np.concatenate(each)


def test_nine_tenths_intervals_hold_nine_annotators_in_ten(study):
    inside = held(study)
    assert abs(inside.mean() - 0.9) < 4 * np.sqrt(0.09 / inside.size)


def test_the_same_check_catches_draws_that_never_lean_on_the_prior(study, monkeypatch):
    def nowhere(model, summit, spreads, key):
        return {
            name: 0.0 * value
            for name, value in tilt(model, summit, spreads, key).items()
        }

    tilt = posterior_bootstrap._prior_tilt

    monkeypatch.setattr(posterior_bootstrap, "_prior_tilt", nowhere)
    inside = held(study)
    assert abs(inside.mean() - 0.9) > 4 * np.sqrt(0.09 / inside.size)


WORDS = ("no", "maybe", "yes")


@cache
def few(number):
    """A fit of a few answers, with so many draws."""
    rows = [
        (f"i{item}", who, "cat", WORDS[(item + place) % 3])
        for item in range(9)
        for place, who in enumerate("abc")
    ]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label", "answer"])
    effort = cs.EngineOptions(draws=number, sweeps=10, restarts=1)
    return cs.fit(
        read(frame, kind="contains"), model="contains", engine="em", effort=effort
    )


def test_draws_that_are_asked_for_give_every_table_its_bounds():
    fit = few(6)
    assert fit.data["posterior"].sizes["draw"] == 6
    for table in (fit.labels(), fit.annotators(), fit.confusion()):
        assert (table["lower"] < table["upper"]).all()
    labels = fit.labels()
    assert labels["probability"].between(labels["lower"], labels["upper"]).all()
    skills = fit.annotators()
    assert (skills["sensitivity_lower"] < skills["sensitivity_upper"]).all()
    assert (skills["specificity_lower"] < skills["specificity_upper"]).all()


def test_without_draws_there_are_no_bounds():
    assert few(0).labels()["lower"].isna().all()


def test_a_fit_says_that_intervals_of_few_items_tend_to_be_narrow():
    assert "narrow: 9 items" in str(few(6).data.attrs["assumptions"])
    assert "narrow" not in str(few(0).data.attrs["assumptions"])


def test_it_says_so_no_more_where_items_are_many():
    few_items, many = (gradient_em._of_bootstrap(items, 100) for items in (999, 1000))
    assert few_items[0] == many[0]
    assert (len(few_items), len(many)) == (2, 1)


def test_of_many_numbers_what_all_share_is_straight_and_nothing_is_moved(monkeypatch):
    monkeypatch.setattr(posterior_bootstrap, "MOST", 10)
    monkeypatch.setattr(posterior_bootstrap, "to_the_mean", None)
    for table in (few(6).labels(), few(6).annotators()):
        assert (table["lower"] < table["upper"]).all()
