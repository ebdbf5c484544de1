"""The posterior bootstrap: intervals of models that are climbed along the gradient."""

import jax
import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.annotators import load
from consilience.inference import gradient_em
from consilience.model import simulate
from consilience.responses import read
from consilience.spaces import space_of

NAMES = ("threshold", "annotator_width", "annotator_discrimination")
WORDS = np.array(["no", "maybe", "yes"])
# How far annotators differ is as good as known here: learned, it makes the bounds of
# all annotators of a small study hold or fail together.
PRIOR = {"spreads": 0.01}
MODEL = load("contains", PRIOR)


@pytest.fixture(scope="module")
def study():
    return drawn(200, 24)


@pytest.fixture(scope="module")
def small():
    return fitted(drawn(40, 8), 20)


def drawn(items, annotators):
    """Draw answers from the model, four to an item."""
    generator = np.random.default_rng(0)
    who = generator.random((items, annotators)).argsort(1)[:, :4]
    item = np.arange(items).repeat(4)
    columns = {"item": item, "annotator": who.ravel(), "label": "cat"}
    frame = pd.DataFrame(columns).astype(str)
    asked = frame.assign(answer=np.resize(WORDS, len(frame)))
    space = space_of(read(asked, kind="contains"))
    with jax.enable_x64(True):
        made = simulate(MODEL, space, jax.random.key(4))
    rows = {
        "item": space.unit_item[space.unit],
        "annotator": space.annotators[space.annotator],
        "answer": np.asarray(space.answers, object)[np.asarray(made.answer)],
    }
    answers = pd.DataFrame(rows).assign(label="cat")
    return read(answers, kind="contains"), made.parameters


def fitted(study, draws):
    effort = cs.EngineOptions(draws=draws, restarts=1, tolerance=1e-6)
    return cs.fit(study[0], model="contains", prior=PRIOR, effort=effort, seed=5)


@pytest.fixture(scope="module")
def fit(study):
    return fitted(study, 40)


def held(study, fit):
    """Whether 90 % intervals hold each parameter of each annotator."""
    each = []
    for name in NAMES:
        draws = fit.data["posterior"][name].to_numpy()[0]
        lower, upper = np.quantile(draws, [0.05, 0.95], 0)
        true = np.asarray(study[1][name])
        each.append((lower <= true) & (true <= upper))
    return np.concatenate(each)


@pytest.mark.study
def test_nine_tenths_intervals_hold_nine_annotators_in_ten(study, fit):
    inside = held(study, fit)
    assert abs(inside.mean() - 0.9) < 4 * np.sqrt(0.09 / inside.size)


@pytest.mark.study
def test_the_same_check_catches_draws_that_never_lean_on_the_prior(study, monkeypatch):
    def nowhere(model, summit, spreads, key):
        return {
            name: 0.0 * value
            for name, value in tilt(model, summit, spreads, key).items()
        }

    tilt = gradient_em._prior_tilt

    monkeypatch.setattr(gradient_em, "_prior_tilt", nowhere)
    inside = held(study, fitted(study, 40))
    assert abs(inside.mean() - 0.9) > 4 * np.sqrt(0.09 / inside.size)


def test_draws_that_are_asked_for_give_every_table_its_bounds(small):
    fit = small
    assert fit.data["posterior"].sizes["draw"] == 20
    for table in (fit.labels(), fit.annotators(), fit.confusion()):
        assert (table["lower"] < table["upper"]).all()
    labels = fit.labels()
    assert labels["probability"].between(labels["lower"], labels["upper"]).all()
    skills = fit.annotators()
    assert (skills["sensitivity_lower"] < skills["sensitivity_upper"]).all()
    assert (skills["specificity_lower"] < skills["specificity_upper"]).all()


def test_of_many_numbers_what_all_share_is_straight_and_nothing_is_moved(monkeypatch):
    monkeypatch.setattr(gradient_em, "MOST", 10)
    monkeypatch.setattr(gradient_em, "to_the_mean", None)
    fit = fitted(drawn(40, 8), 6)
    for table in (fit.labels(), fit.annotators()):
        assert (table["lower"] < table["upper"]).all()
