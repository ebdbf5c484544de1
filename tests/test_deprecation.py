"""Deprecated names: they work for one release, and say which name to use."""

import warnings

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience import scoring
from consilience.annotators import RENAMED, current_name, load, names
from consilience.deprecation import renamed_arguments
from consilience.posterior import export
from consilience.scoring import ScoreOptions
from consilience.simulation import ObjectsSettings, simulate_objects

ANSWERS = pd.DataFrame(
    [(i, a, "xy"[(i + (a == 2)) % 2]) for i in range(12) for a in range(3)],
    columns=["item", "annotator", "label"],
)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Effort", "EngineOptions"),
        ("foresee_objects", "cross_validate_objects"),
        ("population", "study_summary"),
    ],
)
def test_a_deprecated_name_is_the_new_one_and_warns(old, new):
    with pytest.warns(FutureWarning, match=f"use `consilience.{new}` instead"):
        assert getattr(cs, old) is getattr(cs, new)


def test_a_new_name_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cs.EngineOptions(draws=3).draws == 3


def test_a_name_that_never_was_is_an_error():
    with pytest.raises(AttributeError, match="Efforts"):
        _ = cs.Efforts


@pytest.mark.parametrize("old", sorted(RENAMED))
def test_models_answer_to_their_old_names(old):
    assert old not in names()
    with pytest.warns(FutureWarning, match=f"use `{RENAMED[old]}` instead"):
        assert load(old) is load(RENAMED[old])


def test_a_run_that_was_stored_under_an_old_name_opens(tmp_path):
    fit = cs.fit(ANSWERS, model="one_coin_dawid_skene", engine="em")
    fit.data.attrs["model"] = "one_coin"
    fit.save(tmp_path / "run")
    again = cs.load(tmp_path / "run")
    assert again.data.attrs["model"] == current_name("one_coin")
    assert np.allclose(again.labels()["probability"], fit.labels()["probability"])


def test_a_deprecated_argument_is_passed_on_and_warns():
    @renamed_arguments(mass="prob")
    def half(*, prob):
        return prob / 2

    with pytest.warns(FutureWarning, match="use `prob=` instead"):
        assert half(mass=0.8) == 0.4
    assert half(prob=0.8) == 0.4


@pytest.mark.parametrize("options", [cs.EngineOptions, ScoreOptions])
def test_a_record_answers_to_the_old_name_of_a_field(options):
    with pytest.warns(FutureWarning, match="use `prob=` instead"):
        record = options(mass=0.5)
    assert record == options(prob=0.5) != options()
    with pytest.warns(FutureWarning, match="use `prob` instead"):
        assert record.mass == record.prob == 0.5
    with pytest.raises(TypeError, match="masses"):
        options(masses=0.5)


@pytest.mark.parametrize(
    ("old", "new"),
    [("beforehand", "covariate_effects"), ("worth", "relative_information")],
)
def test_a_fit_answers_to_the_old_names_of_its_tables(old, new):
    fit = cs.fit(ANSWERS, model="multinomial", engine="em")
    with pytest.warns(FutureWarning, match=f"use `Fit.{new}` instead"):
        table = getattr(fit, old)()
    pd.testing.assert_frame_equal(table, getattr(fit, new)())
    assert not hasattr(fit, "worthless")


def test_a_table_is_exported_under_its_old_name(tmp_path):
    fit = cs.fit(ANSWERS, model="multinomial", engine="em")
    with pytest.warns(FutureWarning, match="use `covariate_effects` instead"):
        files = export(fit, ["beforehand"], "csv", tmp_path / "tables")
    assert [path.name for path in files] == ["covariate_effects.csv"]


def test_scores_are_found_where_they_were():
    with pytest.warns(FutureWarning, match="use `consilience.scoring.score` instead"):
        from consilience.benchmark import score
    assert score is scoring.score


def test_a_prior_answers_to_the_old_names_of_its_settings():
    with pytest.warns(FutureWarning, match="use `context_effect` instead"):
        model = load("contains", {"led": 2.0})
    assert model is load("contains", {"context_effect": 2.0})


def test_a_simulation_of_objects_answers_to_the_old_names_of_its_settings():
    with pytest.warns(FutureWarning, match="use `single_label` instead"):
        study = simulate_objects(items=8, settings={"picker": 1.0})
    assert len(study.responses.table) == 8 * 5  # each names one label
    with pytest.warns(FutureWarning, match="use `single_label=` instead"):
        assert ObjectsSettings(picker=0.3) == ObjectsSettings(single_label=0.3)
