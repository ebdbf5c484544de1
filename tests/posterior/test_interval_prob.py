"""Intervals of another probability are those of a fit that was asked for it."""

import json

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.demo import study
from consilience.errors import OptionError
from consilience.posterior import Fit
from consilience.posterior.stored import with_tables
from consilience.reports import gather

FITS = {
    "vb": ("bayesian_dawid_skene", "vb", {"draws": 200}),
    "em": ("glad", "em", {"draws": 40}),
    "gibbs": ("correlated_dawid_skene", "gibbs", {"draws": 60}),
}
TABLES = ("labels", "annotators", "confusion")


@pytest.fixture(scope="module", params=FITS)
def fits(request):
    """One study, fitted with intervals of two probabilities."""
    model, engine, settings = FITS[request.param]
    answers = study(0, num_photos=30).answers
    responses = cs.read(answers, item="photo", label="animal")
    return {
        prob: cs.fit(
            responses,
            model=model,
            engine=engine,
            effort=cs.EngineOptions(prob=prob, **settings),
        )
        for prob in (0.9, 0.5)
    }


def apart(one: pd.DataFrame, other: pd.DataFrame) -> float:
    columns = ["lower", "upper"]
    gap = one[columns].to_numpy(float) - other[columns].to_numpy(float)
    return float(np.nanmax(np.abs(gap)))


@pytest.mark.parametrize("table", TABLES)
def test_a_table_at_another_probability_is_that_of_another_fit(fits, table):
    asked = fits[0.9].with_(prob=0.5).table(table)
    assert apart(asked, fits[0.5].table(table)) < 1e-6
    assert apart(asked, fits[0.9].table(table)) > 0.05


def test_both_posteriors_of_the_truth_move(fits):
    for which in ("raw", "tempered"):
        moved = fits[0.9].with_(prob=0.5, truth=which).labels()
        assert apart(moved, fits[0.5].with_(truth=which).labels()) < 1e-6


def test_a_prediction_has_the_probability_of_its_fit(fits):
    if fits[0.9].data.attrs["engine"] != "em":
        pytest.skip("bounds of a prediction are of draws")
    answers = study(0, num_photos=30).answers
    labels = sorted(answers["animal"].unique())
    some = answers[answers["photo"] <= "photo-010"]
    given = cs.read(some, item="photo", label="animal", labels=labels)
    wide = cs.predict(fits[0.9], given)
    narrow = cs.predict(fits[0.9].with_(prob=0.5), given).labels()
    assert apart(narrow, wide.with_(prob=0.5).labels()) < 1e-6
    assert apart(narrow, wide.labels()) > 0.01


BOUNDS = ["lower", "upper"]


@pytest.fixture(scope="module")
def mixtures():
    """Fits of the default, whose labels are means of several models."""
    answers = study(0, num_photos=40).answers
    given = cs.read(answers, item="photo", label="animal")
    return {
        prob: cs.fit(given, effort=cs.EngineOptions(draws=60, restarts=1, prob=prob))
        for prob in (0.5, 0.9)
    }


def test_bounds_of_a_mixture_follow_the_probability(mixtures):
    asked, fitted = mixtures[0.9].with_(prob=0.5).labels(), mixtures[0.5].labels()
    near = fitted["probability"].between(0.01, 0.99)
    assert near.sum() > 20
    kept = mixtures[0.9].labels()
    gaps = [
        np.abs(each[near][BOUNDS].to_numpy() - fitted[near][BOUNDS].to_numpy()).mean()
        for each in (asked, kept)
    ]
    assert gaps[0] < 0.4 * gaps[1]
    assert (asked["lower"] <= asked["probability"]).all()
    assert (asked["probability"] <= asked["upper"]).all()


def test_a_mixture_at_another_probability_is_saved(mixtures, tmp_path):
    moved = mixtures[0.9].with_(prob=0.8)
    moved.save(tmp_path / "run")
    again = cs.load(tmp_path / "run")
    pd.testing.assert_frame_equal(again.labels(), moved.labels())
    assert apart(again.labels(), mixtures[0.9].labels()) > 0.01


def test_bounds_of_a_stored_table_move_and_its_values_stay(choice_fit):
    fit = choice_fit()
    kept = fit.annotators().assign(accuracy=0.8, lower=0.1, upper=0.99)
    fit = Fit(with_tables(fit.data, {"annotators": kept}))
    moved = fit.with_(prob=0.5).annotators()
    assert moved["accuracy"].equals(kept["accuracy"])
    assert (moved["lower"] > 0.1).all()
    assert (moved["lower"] < moved["accuracy"]).all()
    assert (moved["upper"] < 0.99).all()
    assert fit.with_(prob=0.9).annotators().equals(kept)
    assert fit.with_(prob=0.5).items().equals(fit.items())


@pytest.mark.parametrize("prob", [0.0, 1.0, -1.0, np.nan])
def test_a_probability_is_between_zero_and_one(choice_fit, prob):
    with pytest.raises(OptionError, match="between 0 and 1"):
        choice_fit().with_(prob=prob).annotators()


def test_an_export_says_the_probability_of_its_intervals(choice_fit, tmp_path):
    generator = np.random.default_rng(0)
    drawn = generator.dirichlet([3, 1], (1, 40, 2, 2))
    fit = choice_fit(confusion=drawn)
    cs.export(fit, ["annotators"], "csv", tmp_path / "out", prob=0.5)
    about = json.loads((tmp_path / "out" / "about.json").read_text("utf-8"))
    assert about["prob"] == 0.5
    written = pd.read_csv(tmp_path / "out" / "annotators.csv")
    written = written.sort_values("annotator", ignore_index=True)
    assert apart(written, fit.with_(prob=0.5).annotators()) < 1e-9
    assert apart(written, fit.annotators()) > 0.01


@pytest.fixture(scope="module")
def objects(objects_study):
    """One fit of objects for each probability of the intervals."""
    return {
        prob: cs.fit(
            objects_study.responses,
            model="objects",
            engine="em",
            effort=cs.EngineOptions(prob=prob),
        )
        for prob in (0.9, 0.5)
    }


@pytest.mark.parametrize("table", ["annotators", "confusion"])
def test_bounds_of_objects_are_near_those_of_another_fit(objects, table):
    moved, asked, wide = (
        fit.table(table)
        for fit in (objects[0.9].with_(prob=0.5), objects[0.5], objects[0.9])
    )
    wide, asked = wide.dropna(subset="lower"), asked.dropna(subset="lower")
    moved = moved.dropna(subset="lower")
    width = [(each["upper"] - each["lower"]).mean() for each in (wide, asked, moved)]
    assert width[1] < 0.7 * width[0]
    assert abs(width[2] / width[1] - 1) < 0.05


def test_what_moved_is_saved_and_on_the_page(objects, tmp_path):
    moved = objects[0.9].with_(prob=0.5)
    moved.save(tmp_path / "run")
    again = cs.load(tmp_path / "run")
    assert again.annotators().equals(moved.annotators())
    kept = pd.read_parquet(tmp_path / "run" / "tables" / "annotators.parquet")
    assert np.allclose(kept["lower"], moved.annotators()["lower"])
    page = gather({"objects": objects[0.9].with_(prob=0.5)}, resamples=0)
    assert len(page.runs[0].table("annotators")) == len(moved.annotators())
