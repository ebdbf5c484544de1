import json

import pandas as pd
import pytest

import consilience as cs
from consilience import continuing
from consilience.fitting import comparing
from consilience.inference.ascent import _Climb
from consilience.posterior.trust import FAILED

AGAIN = ("--overwrite", "--strict", "-v")
QUICK = ("--model", "bayesian_dawid_skene", "--engine", "em")


def test_fit_says_what_was_read_which_engine_and_how_it_went(
    run, export, columns, capsys
):
    options = ("--prior", "own=8", "--restarts", "2", "-v")
    assert run("fit", export, *columns, *QUICK, *options, "--out", "run") == 0
    said = capsys.readouterr().out
    order = ("read 36 rows", "bayesian_dawid_skene by em", "12 items", "cid", "checks:")
    places = [said.index(part) for part in order]
    assert places == sorted(places)
    assert cs.load("run").data.attrs["settings"].count('"own": 8.0') == 1


def test_fit_answers_in_json_and_shows_progress_on_standard_error(
    run, export, columns, capsys
):
    assert run("fit", export, *columns, *QUICK, "--out", "run", "--json") == 0
    said = capsys.readouterr()
    result = json.loads(said.out)
    assert result["ok"]
    assert sum(result["checks"].values()) == len(result["diagnostics"])
    assert result["model"] == "bayesian_dawid_skene"
    assert {"name", "value", "limit", "outcome", "ok", "remedy"} == set(
        result["diagnostics"][0]
    )
    assert "read 36 rows" in said.err
    assert result["comparison"] == []  # of one named model
    assert "to the best" not in said.err


def test_a_bad_fit_is_written_and_says_how_to_mend_it(run, export, columns, capsys):
    # A prior that takes every answer for a mistake turns the labels round.
    wrong = ("--prior", "own=1", "--prior", "other=90")
    assert run("fit", export, *columns, *QUICK, *wrong, "--out", "run") == 0
    said = capsys.readouterr().out
    assert "DO NOT TRUST THIS FIT YET" in said
    assert "label_switching: " in said
    assert run("fit", export, *columns, *QUICK, *wrong, "--out", "run", *AGAIN) == 3
    assert "how to fix it" in capsys.readouterr().out
    assert not cs.load("run").diagnostics()["ok"].all()


def test_quiet_tells_nothing_but_errors(run, export, columns, capsys):
    assert run("fit", export, *columns, *QUICK, "--out", "run", "--quiet") == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")
    assert run("fit", export, *columns, "-q", *QUICK, "--out", "new", "--json") == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["ok"]
    assert said.err == ""
    assert run("fit", export, *columns, *QUICK, "--out", "run", "-q") == 2
    assert "already exists" in capsys.readouterr().err


def test_an_unfinished_fit_is_gone_when_the_run_is_written(
    run, export, columns, capsys, monkeypatch, tmp_path
):
    monkeypatch.setattr(continuing, "SECONDS", -1.0)
    sweep = _Climb.sweep
    swept = []

    def killed(climb):
        if (tmp_path / "run.unfinished").is_dir():  # after copies were looked for
            swept.append(climb)
        if len(swept) == 3:
            raise KeyboardInterrupt
        sweep(climb)

    command = ("fit", export, *columns, *QUICK, "--out", "run")
    with monkeypatch.context() as patch:
        patch.setattr(_Climb, "sweep", killed)
        assert run(*command) == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert (tmp_path / "run.unfinished").is_dir()
    assert not (tmp_path / "run").exists()
    assert run(*command) == 0
    assert "goes on from what run.unfinished has" in capsys.readouterr().out
    assert not (tmp_path / "run.unfinished").exists()
    assert run(*command[:-1], "other") == 0
    one, other = cs.load("run").labels(), cs.load("other").labels()
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_an_end_that_cuts_a_fit_short_fails_a_check(run, export, columns, capsys):
    ended = ("--max-seconds", "0.000001", "--strict")
    assert run("fit", export, *columns, *QUICK, *ended, "--out", "run") == 3
    said = capsys.readouterr().out
    assert "max_seconds: " in said
    assert "with more --max-seconds, or without it" in said


def test_an_existing_run_is_refused_before_anything_is_read(run, fitted, capsys):
    assert run("fit", "nowhere.csv", "--out", fitted) == 2
    assert "already exists" in capsys.readouterr().err
    assert cs.load(fitted).data.attrs["engine"] == "em"


def test_gold_given_to_a_fit_is_believed(run, export, columns, tmp_path):
    (tmp_path / "gold.csv").write_text("photo,said\n001,dog\n")
    options = ("--gold", "gold.csv", "--out", "run")
    assert run("fit", export, *columns, *QUICK, *options) == 0
    best = cs.load("run").items().set_index("item")
    assert best.loc["001", "label"] == "dog"
    assert best.loc["001", "probability"] == pytest.approx(1.0)


def row(name, outcome, remedy=""):
    ok = outcome != FAILED
    figures = {"value": 1.0, "limit": 1.01}
    return {"name": name, **figures, "outcome": outcome, "ok": ok, "remedy": remedy}


@pytest.fixture
def two_models(monkeypatch):
    """Have auto compare two models only, which takes less time."""
    monkeypatch.setattr(comparing, "CANDIDATES", ("shared_errors", "community_bcc"))


@pytest.mark.usefixtures("two_models")
def test_auto_shows_how_the_models_stand(run, export, columns, capsys):
    options = ("--restarts", "1", "--draws", "20", "--out", "run")
    assert run("fit", export, *columns, *options, "--json") == 0
    said = capsys.readouterr()
    result = json.loads(said.out)
    compared = cs.load("run").comparison()
    assert [row["model"] for row in result["comparison"]] == compared["model"].tolist()
    assert result["comparison"][0]["difference"] == 0
    assert result["model"] == compared["model"].iloc[0]
    assert result["truth"] in ("raw", "tempered")
    page = " ".join(said.err.split())
    weighed = "labels: mean of several models (weights: prediction of answers"
    order = ("12 items", weighed, "annotators: of", "whose intervals hold", "checks:")
    places = [page.index(part) for part in order]
    assert places == sorted(places)
