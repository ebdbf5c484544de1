"""An earlier study as a prior: known annotators better known, strangers as ever."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.special import expit

import consilience as cs
from consilience.errors import OptionError
from consilience.fitting.informative_prior import match_draws
from consilience.spaces import space_of

EFFORT = cs.EngineOptions(restarts=1, draws=12, tolerance=1e-6)
WORDS = np.array(["no", "maybe", "yes"])
PEOPLE = 12
KEPT = ("item", "annotator", "label", "answer")


def read_study(seed, item, who, **columns):
    names = {"item": [f"s{seed}i{k}" for k in item]}
    names["annotator"] = [f"a{number:02d}" for number in who]
    return cs.read(pd.DataFrame({**names, **columns}))


def contains_study(items, people, seed, threshold):
    """Answers of people of such thresholds about items seen at random."""
    generator = np.random.default_rng(seed)
    seen = np.where(generator.random(items) < 0.3, 1.5, -3.0)
    seen += 1.2 * generator.normal(size=items)
    place = [generator.permutation(len(people))[:4] for _ in range(items)]
    item, who = np.repeat(np.arange(items), 4), people[np.concatenate(place)]
    away = seen[item] - threshold[who]
    draw = generator.logistic(size=len(who))
    code = (away + 0.6 > draw).astype(int) + (away - 0.6 > draw)
    return read_study(seed, item, who, label="cat", answer=WORDS[code])


def choice_study(items, people, seed, skill):
    """Answers of people of such skills about items that differ in ease."""
    generator = np.random.default_rng(seed)
    truth, ease = generator.integers(2, size=items), generator.lognormal(size=items)
    place = [generator.permutation(len(people))[:6] for _ in range(items)]
    item, who = np.repeat(np.arange(items), 6), people[np.concatenate(place)]
    right = generator.random(len(who)) < expit(skill[who] * ease[item])
    label = np.where(right, truth[item], 1 - truth[item])
    return read_study(seed, item, who, label=np.array(["x", "y"])[label])


STUDY = {"glad": choice_study, "contains": contains_study}
PARAMETER = {"glad": "skill", "contains": "threshold"}


@pytest.fixture(
    scope="module", params=["glad", pytest.param("contains", marks=pytest.mark.study)]
)
def model(request):
    return request.param


@pytest.fixture(scope="module")
def own(model):
    """What each person has of their own, of the parameter that is looked at."""
    mean = {"glad": 1.0, "contains": 0.0}[model]
    return mean + np.random.default_rng(5).normal(size=2 * PEOPLE)


@pytest.fixture(scope="module")
def earlier(model, own):
    responses = STUDY[model](600, np.arange(PEOPLE), 1, own)
    return cs.fit(responses, model=model, engine="em", effort=EFFORT)


@pytest.fixture(scope="module")
def later(model, own):
    # Half of the people were not there before.
    people = np.arange(PEOPLE // 2, PEOPLE + PEOPLE // 2)
    return STUDY[model](40, people, 2, own)


def error(fit, own, known):
    """Root mean square error about known people, or about strangers."""
    name = PARAMETER[fit.data.attrs["model"]]
    result = fit.data["posterior"][name].mean(("chain", "draw"))
    number = np.array([int(str(name)[1:]) for name in result["annotator"].to_numpy()])
    chosen = (number < PEOPLE) == known
    away = result.to_numpy() - own[number]
    return np.sqrt(np.mean((away[chosen]) ** 2))


@pytest.fixture(scope="module")
def fits(model, earlier, later):
    common = {"model": model, "engine": "em", "effort": EFFORT}
    return {
        "alone": cs.fit(later, **common),
        "informed": cs.fit(later, prior_from=earlier, **common),
    }


def test_people_known_from_an_earlier_study_are_better_known(fits, own):
    alone, informed = (error(fits[name], own, known=True) for name in fits)
    assert informed < 0.7 * alone


def test_strangers_are_learned_as_ever(fits, own):
    alone, informed = (error(fits[name], own, known=False) for name in fits)
    assert informed < 1.3 * alone


def test_the_fit_says_whose_posterior_its_prior_was(fits, model):
    said = (
        f"the posterior of an earlier fit ({model} by em), which includes 6 of the 12"
    )
    assert said in fits["informed"].data.attrs["assumptions"]


def test_under_other_names_the_earlier_study_is_of_no_help(
    model, earlier, later, fits, own
):
    # The twin of the first test: each is taken for another.
    columns = [name for name in later.table if name in KEPT]
    rows = later.table[columns].astype(str)
    number = rows["annotator"].str[1:].astype(int)
    rows["annotator"] = [
        f"a{(k + 1) % PEOPLE if k < PEOPLE else k:02d}" for k in number
    ]
    informed = cs.fit(
        cs.read(rows, kind=later.kind),
        model=model,
        engine="em",
        effort=EFFORT,
        prior_from=earlier,
    )
    mean = informed.data["posterior"][PARAMETER[model]].mean(("chain", "draw"))
    result = mean.to_series()
    names = sorted({k for k in number if k < PEOPLE})
    at = [f"a{(k + 1) % PEOPLE:02d}" for k in names]
    away = result[at].to_numpy() - own[names]
    right = error(fits["informed"], own, known=True)
    assert np.sqrt(np.mean(away**2)) > 2 * right


@pytest.fixture(scope="module")
def answers():
    """A study of contains that is small enough to be fitted at once."""
    own = np.zeros(2 * PEOPLE)
    return contains_study(40, np.arange(PEOPLE), 2, own)


def test_a_point_is_no_prior():
    responses = choice_study(20, np.arange(PEOPLE), 2, np.ones(PEOPLE))
    effort = cs.EngineOptions(restarts=1, sweeps=3)
    point = cs.fit(responses, model="glad", engine="em", effort=effort)
    with pytest.raises(OptionError, match="fit it again with draws"):
        cs.fit(responses, model="glad", engine="em", prior_from=point)


@pytest.mark.parametrize(
    ("model", "engine", "message"),
    [
        ("contains_states", "vb", "fit both studies together"),
        ("contains", "em", "of the model contains_states, this one of"),
    ],
)
def test_closed_forms_and_other_models_are_no_prior(answers, model, engine, message):
    light = cs.fit(answers, model="contains_states", engine="vb")
    with pytest.raises(OptionError, match=message):
        cs.fit(answers, model=model, engine=engine, prior_from=light)


def test_labels_without_groups_have_the_one_of_the_earlier_study(answers):
    number = len(answers.table["annotator"].cat.categories)
    dims = ("chain", "draw", "group", "annotator")
    values = xr.DataArray(
        np.arange(number).reshape(1, 1, 1, number),
        {"annotator": answers.table["annotator"].cat.categories.astype(str)},
        dims,
    )
    posterior = xr.Dataset({"annotator_threshold": values})
    space = space_of(answers)
    (draws, known) = match_draws(posterior, ["annotator_threshold"], space)[
        "annotator_threshold"
    ]
    assert draws.tolist() == [[list(range(number))]]
    assert known.all()
