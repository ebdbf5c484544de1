"""Every command that gives a run's numbers says whether to trust them."""

import json
from inspect import signature

import pandas as pd
import pytest

import consilience as cs
from consilience.checks.verdict import as_dataset, at_most
from consilience.cli import APP
from consilience.cli.options import commands_in
from consilience.posterior.tree import with_groups

OUT = {"items.csv", "ratings.csv", "report.html", "decisions.csv", "figures"}
WARNING = "DO NOT TRUST THIS FIT YET: checks: 1 failed (rhat)"
# By command: the kind of its run, and what else it needs.
COMMANDS = {
    "export": ("choice", ("--what", "items", "--out", "items.csv")),
    "score": ("choice", ("--gold", "gold.csv")),
    "annotators": ("choice", ()),
    "ratings": ("ordered", ("--resamples", "20", "--out", "ratings.csv")),
    "evaluate": ("choice", ("--predictions", "gold.csv", "--resamples", "20")),
    "rate": ("choice", ("--reference", "annotator0")),
    "judges": ("choice", ("--reference", "annotator0", "annotator1")),
    "report": ("choice", ("--out", "report.html", "--resamples", "0")),
    "contains filtering": ("contains", ()),
    "contains decide": ("contains", ("--out", "decisions.csv")),
    "contains leading-question": ("contains", ()),
    "study": ("objects", ("--responses", "responses", "--out", "figures")),
}
KINDS = {
    "choice": ("dawid_skene", {}),
    "ordered": ("dawid_skene", {}),
    "contains": ("contains_states", {}),
    "objects": ("tsipras2020", {"per_item": 3}),
}


@pytest.fixture(scope="session")
def failed(tmp_path_factory):
    """A run of each kind, of which a check failed."""
    folders = {}
    for kind, (model, more) in KINDS.items():
        asked = kind.replace("ordered", "choice")
        made = cs.simulate(
            kind=asked, items=15, annotators=5, classes=6, seed=0, **more
        )
        given = made.responses
        if kind == "ordered":
            table = given.table[["item", "annotator", "label"]].astype(str)
            given = cs.read(table.assign(label=table["label"].str[-1]))
        fitted = cs.fit(given, model=model, ordered=kind == "ordered")
        verdict = as_dataset([at_most("rhat", 2.0, 1.05, "take `draws=4000`")])
        data = with_groups(fitted.data, diagnostics=verdict)
        folder = tmp_path_factory.mktemp(kind)
        cs.Fit(data).save(folder / "run")
        cs.write(given, folder / "responses")
        best = fitted.items()
        if "label" in best:
            best[["item", "label"]].to_csv(folder / "gold.csv", index=False)
        folders[kind] = folder
    return folders


def words_of(command, failed, monkeypatch):
    kind, more = COMMANDS[command]
    monkeypatch.chdir(failed[kind])
    return (*command.split(), "run", *more)


def test_all_commands_of_runs_are_tried():
    of_runs = {
        name
        for name, command in commands_in(APP)
        if "run" in str(signature(command.default_command).parameters)
    }
    others = {"predict", "fit", "images tasks", "images candidates"}
    assert of_runs - others <= {*COMMANDS}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_says_that_a_check_failed(
    command, failed, run, monkeypatch, tmp_path, capsys
):
    if command == "contains leading-question":  # needs similar labels, and a long fit
        none = pd.DataFrame(columns=["context", "odds", "lower", "upper"])
        monkeypatch.setattr("consilience.analysis.leading_question", lambda _: none)
    words = words_of(command, failed, monkeypatch)
    words = [str(tmp_path / w) if w in OUT else w for w in words]
    assert run(*words) == 0, capsys.readouterr().err
    assert WARNING in capsys.readouterr().out


@pytest.fixture
def path(failed):
    return failed["choice"] / "run"


def test_programs_are_told_as_well(path, run, capsys):
    assert run("score", path, "--gold", path.parent / "gold.csv", "--json") == 0
    assert json.loads(capsys.readouterr().out)["trust"] == {str(path): WARNING}


def test_one_failed_check_among_others_is_enough(path, run, tmp_path, capsys):
    verdicts = as_dataset(
        [at_most("drift", 1.0, 2.0, ""), at_most("rhat", 2.0, 1.05, "")]
    )
    mixed = cs.Fit(with_groups(cs.load(path).data, diagnostics=verdicts))
    mixed.save(tmp_path / "mixed")
    assert run("annotators", tmp_path / "mixed", "--strict") == 3
    assert "TRUST THIS FIT YET: checks: 1 passed, 1 failed" in capsys.readouterr().out


@pytest.mark.parametrize("more", [(), ("--json",), ("-q",)])
def test_a_failed_check_is_an_error_where_that_is_asked_for(path, run, more):
    gold = ("--gold", path.parent / "gold.csv")
    assert run("score", path, *gold, *more, "--strict") == 3
    assert run("--strict", "annotators", path, *more) == 3
    assert run("annotators", path, *more) == 0


def test_what_is_written_says_it(path, run, tmp_path):
    assert run("export", path, "--out", tmp_path / "tables") == 0
    about = json.loads((tmp_path / "tables/about.json").read_text())
    assert about["checks"] == WARNING
    page = cs.report(cs.load(path), tmp_path / "report.html").read_text("utf-8")
    assert WARNING in page.split("<h2", 2)[1]


def test_a_sound_run_is_not_called_otherwise(path, run, tmp_path, capsys):
    passed = as_dataset([at_most("rhat", 1.0, 1.05, "")])
    sound = cs.Fit(with_groups(cs.load(path).data, diagnostics=passed))
    sound.save(tmp_path / "sound")
    assert run("annotators", tmp_path / "sound", "--strict") == 0
    shown = capsys.readouterr().out
    assert "checks: 1 passed" in shown
    assert "TRUST" not in shown
