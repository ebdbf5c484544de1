import json

import pandas as pd
import pytest

import consilience as cs
from consilience.cli.fit_page import annotator_table, interval_bar, verdicts
from consilience.cli.options import Work
from consilience.fitting import Effort

QUICK = ("--model", "bayesian_dawid_skene", "--engine", "em")


def test_fit_reads_any_export_and_writes_a_run(fitted):
    found = cs.load(fitted)
    assert found.data.attrs["engine"] == "em"
    best = found.items().set_index("item")["label"].astype(str)
    assert best["001"] == "cat"
    assert best["002"] == "dog"


def test_fit_says_what_was_read_which_engine_and_how_it_went(
    run, export, columns, capsys
):
    told = ("--prior", "own=8", "--restarts", "2")
    assert run("fit", export, *columns, *QUICK, *told, "--out", "run") == 0
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
    assert result["model"] == "bayesian_dawid_skene"
    assert {"name", "value", "limit", "ok", "remedy"} == set(result["diagnostics"][0])
    assert "read 36 rows" in said.err


def test_a_bad_fit_is_written_and_says_how_to_mend_it(run, export, columns, capsys):
    # A prior that takes every answer for a mistake turns the labels round.
    wrong = ("--prior", "own=1", "--prior", "other=90")
    assert run("fit", export, *columns, *QUICK, *wrong, "--out", "run") == 0
    said = capsys.readouterr().out
    assert "DO NOT TRUST THIS FIT YET" in said
    assert "how to mend it" in said
    assert not cs.load("run").diagnostics()["ok"].all()


def test_an_existing_run_is_refused_before_anything_is_read(run, fitted, capsys):
    assert run("fit", "nowhere.csv", "--out", fitted) == 2
    assert "is there already" in capsys.readouterr().err
    assert cs.load(fitted).data.attrs["engine"] == "em"


def test_gold_given_to_a_fit_is_believed(run, export, columns, tmp_path):
    (tmp_path / "gold.csv").write_text("photo,said\n001,dog\n")
    told = ("--gold", "gold.csv", "--out", "run")
    assert run("fit", export, *columns, *QUICK, *told) == 0
    best = cs.load("run").items().set_index("item")
    assert best.loc["001", "label"] == "dog"
    assert best.loc["001", "probability"] == pytest.approx(1.0)


def test_candidates_limit_what_can_be_true(run, export, columns, tmp_path):
    rows = "".join(f"{item:03d},cat\n{item:03d},dog\n" for item in range(1, 13))
    (tmp_path / "candidates.csv").write_text("item,label\n" + rows)
    told = ("--candidates", "candidates.csv", "--out", "run")
    assert run("fit", export, *columns, *QUICK, *told) == 0
    assert len(cs.load("run").labels()) == 24


def test_the_options_for_effort_are_those_of_the_library():
    assert set(Work.__dataclass_fields__) == set(Effort.__dataclass_fields__)


def test_an_interval_is_drawn_to_scale():
    bar = interval_bar(0.5, 0.0, 1.0, truth=1.0).plain
    assert bar.index("●") in (14, 15)
    assert bar[0] == "━"
    assert bar[-1] == "◆"
    assert "━" not in interval_bar(0.5, float("nan"), float("nan")).plain


def test_contains_shows_sensitivity_and_specificity():
    names = ("accuracy", "lower", "upper", "sensitivity", "specificity")
    row = {"annotator": "ann", "responses": 3} | dict.fromkeys(names, 0.5)
    heads = [
        str(column.header) for column in annotator_table(pd.DataFrame([row])).columns
    ]
    assert heads[2:5] == ["accuracy", "sens.", "spec."]


def test_checks_that_pass_take_one_line():
    passed = {"name": "rhat", "value": 1.0, "limit": 1.01, "ok": True, "remedy": ""}
    assert len(verdicts(pd.DataFrame([passed]))) == 1
    assert len(verdicts(pd.DataFrame([passed | {"ok": False}]))) == 2
