"""Fits that are stopped: they go on to the same result, and end when time is over."""

import contextlib

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience import continuing
from consilience.continuing import Loop, digest, journal
from consilience.errors import OptionError
from consilience.inference.gibbs_chains import Chains

EFFORT = {
    "gibbs": cs.EngineOptions(chains=2, tune=130, draws=40),
    "nuts": cs.EngineOptions(chains=2, tune=100, draws=100),
    "vb": cs.EngineOptions(restarts=2, draws=20),
    "em": cs.EngineOptions(restarts=2, draws=20),
    "objects": cs.EngineOptions(restarts=1),
}
FITS = [
    ("choice", "dawid_skene", "em"),
    ("choice", "hierarchical_dawid_skene", "vb"),
    ("choice", "correlated_dawid_skene", "gibbs"),
    ("choice", "one_coin_dawid_skene", "nuts"),
    ("contains", "contains", "em"),
    ("contains", "auto", "auto"),
    ("objects", "objects", "em"),
    ("choice", "auto", "auto"),
]
QUICK = FITS[:3]  # the others are studies


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.fixture
def eager(monkeypatch):
    """Every loop saves its state after every step."""
    monkeypatch.setattr(continuing, "SECONDS", -1.0)
    monkeypatch.setattr(continuing, "SHARE", np.inf)


def study(kind):
    size = {"items": 12, "annotators": 5, "classes": 6, "per_item": 4}
    return cs.simulate(kind=kind, seed=3, **size).responses


def killed_after(number):
    """Return a reporter that lets so many reports pass, and then no more."""
    reports = []

    def report(progress):
        reports.append(progress)
        if len(reports) > number:
            raise KilledError

    return report, reports


def tables(fit):
    return {name: fit.table(name) for name in fit.tables if name != "comparison"}


def assert_same(one, other):
    for name, table in tables(one).items():
        pd.testing.assert_frame_equal(table, other.table(name), check_exact=True)


@pytest.mark.parametrize(
    ("kind", "model", "engine"),
    [
        pytest.param(*each, marks=[pytest.mark.study] * (each not in QUICK))
        for each in FITS
    ],
)
@pytest.mark.usefixtures("eager")
def test_a_fit_that_was_killed_goes_on_to_the_same_result(
    kind, model, engine, tmp_path
):
    responses = study(kind)
    report, reports = killed_after(np.inf)
    asked = {"model": model, "engine": engine, "seed": 5}
    asked["effort"] = EFFORT.get(kind, EFFORT.get(engine, cs.EngineOptions()))
    whole = cs.fit(responses, **asked, progress=report)
    kills = np.random.default_rng(0).integers(1, len(reports), 3)
    for kill in sorted(kills):
        with contextlib.suppress(KilledError):
            stopped, _ = killed_after(kill)
            cs.fit(responses, **asked, checkpoint=tmp_path / "c", progress=stopped)
    assert list((tmp_path / "c").rglob("*.npz"))
    assert_same(whole, cs.fit(responses, **asked, checkpoint=tmp_path / "c"))


@pytest.mark.usefixtures("eager")
def test_a_state_that_lacks_its_random_numbers_leads_elsewhere(tmp_path, monkeypatch):
    # The twin of the test above: it sees what is not saved.
    without = tuple(name for name in Chains.CHANGES if name != "random")
    monkeypatch.setattr(Chains, "CHANGES", without)
    responses = study("choice")
    asked = {"model": "correlated_dawid_skene", "effort": EFFORT["gibbs"]}
    with pytest.raises(KilledError):
        cs.fit(responses, **asked, checkpoint=tmp_path, progress=killed_after(9)[0])
    resumed = cs.fit(responses, **asked, checkpoint=tmp_path)
    with pytest.raises(AssertionError):
        assert_same(cs.fit(responses, **asked), resumed)


@pytest.mark.usefixtures("eager")
def test_other_data_settings_or_models_do_not_go_on(tmp_path):
    responses = study("choice")
    asked = {"model": "dawid_skene", "checkpoint": tmp_path}
    cs.fit(responses, **asked)
    cs.fit(responses, **asked)
    assert len([*tmp_path.iterdir()]) == 1
    cs.fit(responses, **asked, seed=1)
    cs.fit(responses.take(np.arange(40)), **asked)
    cs.fit(responses, **asked, prior={"smoothing": 3.0})
    assert len([*tmp_path.iterdir()]) == 4


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"\x93NUMPY"])
def test_a_damaged_file_is_done_again(tmp_path, content):
    responses = study("choice")
    asked = {"model": "dawid_skene", "effort": EFFORT["em"]}
    cs.fit(responses, **asked, checkpoint=tmp_path)
    for file in tmp_path.rglob("*.npz"):
        file.write_bytes(content)
    assert_same(
        cs.fit(responses, **asked), cs.fit(responses, **asked, checkpoint=tmp_path)
    )


@pytest.mark.parametrize(("model", "engine"), [*dict.fromkeys(f[1:] for f in FITS[:4])])
def test_a_fit_ends_soon_after_its_time_and_says_so(model, engine):
    fit = cs.fit(
        study("choice"),
        model=model,
        engine=engine,
        max_seconds=1e-3,
        effort=EFFORT[engine],
    )
    checks = fit.diagnostics().set_index("name")
    assert checks.loc["max_seconds", "outcome"] == "failed"
    assert "cut short" in checks.loc["max_seconds", "remedy"]
    assert np.isfinite(fit.items()["probability"]).all()


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan")])
def test_an_impossible_end_is_refused(seconds):
    with pytest.raises(OptionError, match=r"max_seconds is .* above 0"):
        cs.fit(study("choice"), model="dawid_skene", max_seconds=seconds)


@pytest.mark.usefixtures("eager")
def test_a_fit_ends_well_where_its_state_cannot_be_saved(tmp_path, caplog):
    (tmp_path / "file").write_text("no folder")
    asked = {"model": "dawid_skene", "effort": EFFORT["em"]}
    fit = cs.fit(study("choice"), **asked, checkpoint=tmp_path / "file")
    assert_same(fit, cs.fit(study("choice"), **asked))
    assert "does not save its state" in caplog.text


@pytest.mark.usefixtures("eager")
def test_a_loop_begins_where_it_was_saved(tmp_path):
    class Walker:
        CHANGES = ("place", "random")

        def __init__(self):
            self.place, self.random = np.zeros(2), np.random.default_rng(0)

    def walk(stop):
        walker = Walker()
        state = {"walker": walker, "path": [], "named": {"a": (1, None, "x")}}
        with journal(tmp_path, ["walk"], None):
            for step in Loop("a walk", state, 9):
                if step == stop:
                    raise KilledError
                walker.place = walker.place + walker.random.standard_normal(2)
                state["path"].append(step)
        return walker.place, state

    with pytest.raises(KilledError):
        walk(5)
    resumed, state = walk(None)
    assert state["path"] == [*range(9)]
    assert state["named"] == {"a": (1, None, "x")}
    expected = np.random.default_rng(0).standard_normal((9, 2)).sum(0)
    np.testing.assert_allclose(resumed, expected, rtol=1e-12)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(("model", "engine"), [f[1:] for f in FITS[:3]])
def test_what_time_has_cut_short_is_not_gone_on_from(model, engine, tmp_path):
    responses, asked = study("choice"), {"model": model, "effort": EFFORT[engine]}
    asked |= {"engine": engine, "seed": 5}
    whole = cs.fit(responses, **asked)
    short = cs.fit(responses, **asked, checkpoint=tmp_path, max_seconds=1e-3)
    assert "cut_short" in short.data.attrs
    again = cs.fit(responses, **asked, checkpoint=tmp_path)
    assert "cut_short" not in again.data.attrs
    assert_same(whole, again)


def test_the_same_values_alone_have_the_same_digest():
    table = pd.DataFrame({"item": pd.Categorical(["a", "b"]), "n": [1, 2]})
    swapped = table.assign(item=table["item"].cat.reorder_categories(["b", "a"]))
    every = [table, swapped, table.assign(n=[1, 3]), [1], (1,), {"a": 1}, "1", None]
    every += [np.arange(2), np.arange(2.0), len, study]
    digests = [digest(each) for each in every]
    assert len(set(digests)) == len(every)
    assert digests == [digest(each) for each in every]
