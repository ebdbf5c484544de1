"""An earlier study as a prior: known annotators better known, strangers as ever."""

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.errors import OptionError

EFFORT = cs.EngineOptions(restarts=1, draws=12, tolerance=1e-6)
WORDS = np.array(["no", "maybe", "yes"])
PEOPLE = 12


def study(items, people, seed, threshold):
    """Answers of people of such thresholds about items seen at random."""
    generator = np.random.default_rng(seed)
    seen = np.where(generator.random(items) < 0.3, 1.5, -3.0)
    seen += 1.2 * generator.normal(size=items)
    place = [generator.permutation(len(people))[:4] for _ in range(items)]
    item, who = np.repeat(np.arange(items), 4), np.concatenate(place)
    away = seen[item] - threshold[people[who]]
    draw = generator.logistic(size=len(who))
    code = (away + 0.6 > draw).astype(int) + (away - 0.6 > draw)
    rows = pd.DataFrame(
        {
            "item": [f"s{seed}i{k}" for k in item],
            "annotator": [f"a{people[k]:02d}" for k in who],
            "label": "cat",
            "answer": WORDS[code],
        }
    )
    return cs.read(rows, kind="contains")


@pytest.fixture(scope="module")
def threshold():
    return np.random.default_rng(5).normal(size=2 * PEOPLE)


@pytest.fixture(scope="module")
def earlier(threshold):
    told = study(600, np.arange(PEOPLE), 1, threshold)
    return cs.fit(told, model="contains", engine="em", effort=EFFORT)


@pytest.fixture(scope="module")
def later(threshold):
    # Half of the people were not there before.
    return study(40, np.arange(PEOPLE // 2, PEOPLE + PEOPLE // 2), 2, threshold)


def error(fit, threshold, known):
    """Root mean square error of thresholds of known people, or of strangers."""
    found = fit.data["posterior"]["threshold"].mean(("chain", "draw"))
    number = np.array([int(str(name)[1:]) for name in found["annotator"].to_numpy()])
    chosen = (number < PEOPLE) == known
    away = found.to_numpy() - threshold[number]
    return np.sqrt(np.mean((away[chosen]) ** 2))


@pytest.fixture(scope="module")
def fits(earlier, later):
    common = {"model": "contains", "engine": "em", "effort": EFFORT}
    return {
        "alone": cs.fit(later, **common),
        "told": cs.fit(later, prior_from=earlier, **common),
    }


def test_people_known_from_an_earlier_study_are_better_known(fits, threshold):
    alone, told = (error(fits[name], threshold, known=True) for name in fits)
    assert told < 0.7 * alone


def test_strangers_are_learned_as_ever(fits, threshold):
    alone, told = (error(fits[name], threshold, known=False) for name in fits)
    assert told < 1.3 * alone


def test_the_fit_says_whose_posterior_its_prior_was(fits):
    assumptions = fits["told"].data.attrs["assumptions"]
    assert (
        "the posterior of an earlier fit (contains by em), which knew 6 of the 12"
        in (assumptions)
    )


def test_under_other_names_the_earlier_study_is_of_no_help(
    earlier, later, fits, threshold
):
    # The twin of the first test: each is taken for another.
    rows = later.table[["item", "annotator", "label", "answer"]].astype(str)
    number = rows["annotator"].str[1:].astype(int)
    rows["annotator"] = [
        f"a{(k + 1) % PEOPLE if k < PEOPLE else k:02d}" for k in number
    ]
    told = cs.fit(
        rows, model="contains", engine="em", effort=EFFORT, prior_from=earlier
    )
    found = told.data["posterior"]["threshold"].mean(("chain", "draw")).to_series()
    names = sorted({k for k in number if k < PEOPLE})
    at = [f"a{(k + 1) % PEOPLE:02d}" for k in names]
    away = found[at].to_numpy() - threshold[names]
    right = error(fits["told"], threshold, known=True)
    assert np.sqrt(np.mean(away**2)) > 2 * right


def test_a_point_is_no_prior(later):
    point = cs.fit(
        later,
        model="contains",
        engine="em",
        effort=cs.EngineOptions(restarts=1, sweeps=3),
    )
    with pytest.raises(OptionError, match="fit it again with draws"):
        cs.fit(later, model="contains", engine="em", prior_from=point)


def test_models_with_closed_forms_say_that_they_cannot(later):
    light = cs.fit(later, model="contains_states", engine="vb")
    with pytest.raises(OptionError, match="fit both studies together"):
        cs.fit(later, model="contains_states", engine="vb", prior_from=light)


def test_another_model_is_no_prior(later, earlier):
    with pytest.raises(OptionError, match="of the model contains, this one of glad"):
        cs.fit(later, model="glad", prior_from=earlier)
