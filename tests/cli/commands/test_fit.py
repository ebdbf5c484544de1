import io
import json

import pandas as pd
import pytest
import xarray as xr
from rich.console import Console

import consilience as cs
from consilience import continuing
from consilience.checks.verdict import Verdict, as_dataset, at_most
from consilience.cli.outcome import summary
from consilience.cli.pages import fit_summary, verdicts
from consilience.demo import study
from consilience.fitting import comparing
from consilience.inference.ascent import _Climb
from consilience.posterior.tree import with_groups
from consilience.posterior.trust import CANNOT_TELL, CORRECTED, FAILED, PASSED
from consilience.tables import terminal as colours

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


def test_json_names_options_and_not_arguments(fitted, monkeypatch):
    saved = cs.load(fitted)
    saved.data.attrs["engine_reason"] = "asked for (`draws=9`)"
    saved.data.attrs["assumptions"] = json.dumps(["all of `labels=`"])
    checks = saved.diagnostics().assign(remedy="run longer (`tune=`)")
    monkeypatch.setattr(type(saved), "diagnostics", lambda _: checks)
    result = summary(saved)
    assert result["engine_reason"] == "asked for (--draws 9)"
    assert result["assumptions"] == ["all of --labels"]
    assert {row["remedy"] for row in result["diagnostics"]} == {"run longer (--tune)"}


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


@pytest.mark.usefixtures("two_models")
def test_what_a_fit_of_several_models_tells_has_room_on_a_terminal(
    run, export, columns, monkeypatch, capsys
):
    monkeypatch.setenv("COLUMNS", "80")
    options = ("--restarts", "1", "--draws", "20", "--out", "run")
    assert run("fit", export, *columns, *options) == 0
    told = capsys.readouterr()
    lines = [*told.out.splitlines(), *told.err[told.err.index("next:") :].splitlines()]
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert sum("consilience " in line for line in lines[-3:]) == 3
    # A terminal has a bar in place; elsewhere there is one line for each model.
    progress = told.err[: told.err.index("next:")].splitlines()
    assert [line.split(":")[0] for line in progress] == [
        "shared_errors (1 of 2)",
        "community_bcc (2 of 2)",
    ]
    page = " ".join(told.out.split())
    weighed = "labels: mean of several models, weighted by how well they predict"
    order = ("12 items", weighed, "annotators: of", "whose intervals hold", "checks:")
    places = [page.index(part) for part in order]
    assert places == sorted(places)
    result, compared = summary(cs.load("run")), cs.load("run").comparison()
    assert [row["model"] for row in result["comparison"]] == compared["model"].tolist()
    assert result["comparison"][0]["difference"] == 0
    assert result["model"] == compared["model"].iloc[0]


def test_intervals_of_annotators_hold_only_where_no_check_failed(monkeypatch):
    quick = ("hierarchical_dawid_skene", "community_bcc")
    monkeypatch.setattr(comparing, "CANDIDATES", quick)
    given = study(0, num_photos=30).responses()
    fitted = cs.fit(given, effort=cs.EngineOptions(restarts=1, draws=20))
    shown = {}
    for limit in (3.0, 1.01):
        verdict = as_dataset([at_most("rhat", 2.0, limit, "take `draws=4000`")])
        data = with_groups(fitted.data, diagnostics=verdict)
        console = Console(file=io.StringIO(), width=100)
        console.print(fit_summary(cs.Fit(data)))
        shown[limit] = console.file.getvalue()
    assert all("annotators: of " in each for each in shown.values())
    assert "whose intervals hold" in shown[3.0]
    assert "whose intervals hold" not in shown[1.01]
    assert "DO NOT TRUST THIS FIT YET" in shown[1.01]


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


def test_a_sound_fit_passes_strict(run, export, columns):
    assert run("fit", export, *columns, *QUICK, "--out", "run", "--strict") == 0
    again = ("predict", "run", export, *columns, "--out", "next", "--strict")
    assert run(*again) == 0


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


def test_an_engine_that_does_not_fit_the_model_is_refused_before_reading(run, capsys):
    named = ("--model", "glad", "--engine", "gibbs")
    assert run("fit", "nowhere.csv", *named, "--out", "run") == 2
    assert "glad cannot be fitted by gibbs; it has: em" in capsys.readouterr().err


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


def test_the_account_counts_the_gold_and_does_not_propose_what_was_asked(
    run, tmp_path, capsys
):
    rows = [f"{k // 4},{'abcd'[k % 4]},{k % 3 + 1}\n" for k in range(24)]
    (tmp_path / "stars.csv").write_text("item,annotator,label\n" + "".join(rows))
    (tmp_path / "gold.csv").write_text("item,label\n1,2\n2,3\n")
    options = ("--model", "majority", "--ordered", "--gold", "gold.csv", "--out", "run")
    assert run("fit", "stars.csv", *options, "-v") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "gold rows 2" in shown
    assert "1 < 2 < 3" in shown
    assert "fit with" not in shown


def row(name, outcome, remedy=""):
    ok = outcome != FAILED
    figures = {"value": 1.0, "limit": 1.01}
    return {"name": name, **figures, "outcome": outcome, "ok": ok, "remedy": remedy}


GOOD, BAD = row("rhat", PASSED), row("rhat", FAILED)
TOGETHER = row("independence", CORRECTED, "they err together")
FEW = row("independence", CANNOT_TELL, "ask more people")


@pytest.mark.parametrize(
    ("other", "said", "style"),
    [
        (GOOD, "checks: all 2 passed", colours.GOOD),
        (TOGETHER, "checks: 1 passed, 1 corrected (independence)", colours.WARNING),
        (FEW, "checks: 1 passed, 1 cannot be told (independence)", colours.WARNING),
    ],
)
def test_checks_that_did_not_pass_are_counted_apart_with_what_to_do(other, said, style):
    result = verdicts(pd.DataFrame([GOOD, other]))
    more = [f"independence: {other['remedy']}"] * (other is not GOOD)
    assert [each.plain for each in result] == [said, *more]
    assert {each.style for each in result} == {style}


def test_beside_another_failure_the_fit_is_not_to_be_trusted():
    head, table = verdicts(pd.DataFrame([BAD, TOGETHER]))
    assert "DO NOT TRUST THIS FIT YET" in head.plain
    assert "1 failed (rhat), 1 corrected (independence)" in head.plain
    assert table.row_count == 1  # the truth is tempered: there is nothing to fix


def test_what_is_corrected_is_no_failure_unless_the_raw_posterior_is_asked_for(fitted):
    data = cs.load(fitted).data
    groups = {path: node.to_dataset() for path, node in data.subtree_with_keys}
    results = []
    together = Verdict("independence", 5.0, 3.0, CORRECTED, "they err together")
    at = {path.strip("/"): path for path in groups}
    for verdict, reported in (
        (together, "tempered"),
        (together, "raw"),
        (at_most("not_finite", 5.0, 3.0, "x"), "tempered"),
    ):
        truth = groups[at["truth"]].assign_attrs(reported=reported)
        changed = {
            **groups,
            at["diagnostics"]: as_dataset([verdict]),
            at["truth"]: truth,
        }
        results.append(summary(cs.Fit(xr.DataTree.from_dict(changed)))["ok"])
    assert results == [True, False, False]


@pytest.fixture
def two_models(monkeypatch):
    """Have auto compare two models only, which takes less time."""
    monkeypatch.setattr(comparing, "CANDIDATES", ("shared_errors", "community_bcc"))


def test_answers_of_nobody_propose_no_annotators(run, tmp_path, capsys):
    rows = "".join(f"i{k % 6},{'xy'[k % 2 if k % 5 else 0]}\n" for k in range(30))
    (tmp_path / "answers.csv").write_text(f"item,label\n{rows}")
    named = ("--item", "item", "--label", "label", "--kind", "choice")
    assert run("fit", "answers.csv", *named, "--out", "run") == 0
    proposed = capsys.readouterr().err
    assert "consilience report run" in proposed
    assert "annotators" not in proposed
