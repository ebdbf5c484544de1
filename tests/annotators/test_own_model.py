"""A model from outside the library: fitted, checked, drawn from, stored as others."""

import sys
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint

import numpy as np
import numpyro
import numpyro.distributions as dist
import pandas as pd
import pytest

import consilience as cs
from consilience import annotators
from consilience.demo import study
from consilience.errors import OptionError
from consilience.model import (
    NEVER,
    HostModel,
    LogDirichlet,
    Model,
    NumPyroModel,
    confusions,
    correct_answer,
    mixture,
    namespace,
    sample,
    sample_prevalence,
)
from consilience.responses import read
from consilience.spaces import space_of


@dataclass(frozen=True)
class Prior:
    """Imagined answers of each annotator."""

    known: float = 4.0
    guessed: float = 2.0


def program(data, prior):
    """Sample who knows, and how everybody guesses."""
    log_prevalence = sample_prevalence(data, 1.0)
    knows = LogDirichlet(np.array([prior.known, prior.guessed]))
    log_knows = sample("knows", knows, "annotator", "known_guessed")
    log_guess = sample("guess", LogDirichlet(np.ones(data.num_answers)), "given_class")
    known = log_knows[:, :1, None] + NEVER * (1 - correct_answer(data))
    xp = namespace(known)
    guessed = xp.broadcast_to(log_knows[:, 1:, None] + log_guess, known.shape)
    parts = xp.concat([known[None], guessed[None]])
    return mixture(log_prevalence, parts)


MODEL = Model(
    name="shared_guess",
    program=program,
    prior=Prior(),
    engines=("vb", "em", "nuts"),
    references=("here",),
)


@pytest.fixture(scope="module")
def responses():
    answers = study(0, num_photos=40).answers
    return cs.read(answers, item="photo", label="animal")


@pytest.fixture(scope="module")
def fit(responses):
    return cs.fit(responses, model=MODEL)


def test_its_posterior_is_that_of_the_arithmetic():
    rows = [("i", "a", "x"), ("i", "b", "y")]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    tables = HostModel(MODEL, space_of(read(frame)))
    logs = {
        "prevalence": np.log([0.6, 0.4]),
        "knows": np.log([[0.9, 0.1], [0.5, 0.5]]),
        "guess": np.log([0.7, 0.3]),
    }
    # x: .6 (.9 + .1 x .7) (.5 x .3) = .0873; y: .4 (.1 x .7) (.5 + .5 x .3) = .0182.
    assert np.allclose(tables.posterior(logs)[1], [[0.0873 / 0.1055, 0.0182 / 0.1055]])


def test_a_fit_is_stored_and_used_on_other_items(fit, responses, tmp_path):
    fit.save(tmp_path / "run")
    again = cs.load(tmp_path / "run", model=MODEL)
    more = cs.predict(again, responses)
    with pytest.raises(OptionError, match="of the model shared_guess, not of mace"):
        cs.load(tmp_path / "run", model="mace")
    both = more.labels().merge(fit.labels(), on=["item", "label"])
    assert np.allclose(both["probability_x"], both["probability_y"], atol=0.02)


def test_one_of_numpyro_alone_is_fitted_too(responses):
    def plain(data, prior):
        with numpyro.plate("annotator", data.num_annotators):
            hit = numpyro.sample("hit", dist.Beta(prior.known, prior.guessed))
        xp = namespace(hit)
        even = xp.full(data.num_states, -np.log(data.num_states))
        right = correct_answer(data)
        wrong = (1 - hit[:, None, None]) / (data.num_answers - 1)
        table = xp.where(right > 0, hit[:, None, None], wrong)
        return confusions(even, xp.log(table))

    model = NumPyroModel(
        name="plain", program=plain, prior=MODEL.prior, engines=("em",), references=()
    )
    hit = cs.fit(responses, model=model).data["posterior"]["hit"]
    assert hit.sizes["annotator"] == responses.num_annotators


def test_installed_packages_name_theirs(monkeypatch):
    point = EntryPoint("theirs", f"{__name__}:MODEL", "consilience.models")
    annotators._installed.cache_clear()
    monkeypatch.setattr(annotators, "entry_points", lambda **_: [point])
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    assert "theirs" in annotators.names()
    assert annotators.load("theirs") is MODEL
    annotators._installed.cache_clear()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("no.such_module", "no module that can be imported"),
        ("json.decoder", "has no MODEL"),
        (replace(MODEL, name="mace"), "the name of another model"),
    ],
)
def test_what_is_no_model_is_refused(given, message, responses):
    with pytest.raises(OptionError, match=message):
        cs.fit(responses, model=given)


def test_a_module_is_imported_for_whoever_asks_alone(tmp_path, monkeypatch):
    (tmp_path / "harm.py").write_text("raise SystemExit", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    # A run folder may name anything; `load` reads that name.
    with pytest.raises(OptionError, match=r"package\.module of your own"):
        annotators.load("harm")
