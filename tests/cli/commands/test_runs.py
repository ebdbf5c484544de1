import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.cli import outcome
from consilience.errors import CannotWriteError


def test_export_writes_the_named_tables_or_all_as_csv(run, fitted, capsys):
    options = ("--what", "labels,soft_labels", "--format", "parquet", "--out", "tables")
    assert run("export", fitted, *options, "--json") == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert files == ["tables/labels.parquet", "tables/soft_labels.parquet"]
    soft = pd.read_parquet("tables/soft_labels.parquet")
    assert list(soft.columns) == ["item", "cat", "dog"]
    assert run("export", fitted, "--out", "all") == 0
    assert run("export", fitted, "--out", "all") == 2
    assert run("export", fitted, "--out", "all", "--overwrite") == 0
    names = ("labels", "items", "annotators", "confusion", "diagnostics")
    assert {path.name for path in Path("all").glob("*.csv")} == {
        f"{name}.csv" for name in names
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--what", "moods"), "confusion"),  # of those that there are
        (("--what", "label_sets"), "give --what label_sets and --gold together"),
        (("--gold", "gold.csv"), "give --what label_sets and --gold together"),
    ],
)
def test_tables_that_cannot_be_exported_are_refused(
    run, fitted, truth, capsys, given, said
):
    assert truth.name == "gold.csv"
    assert run("export", fitted, *given, "--out", "tables") == 2
    assert said in capsys.readouterr().err


def test_export_of_one_table_can_be_a_file(run, fitted, tmp_path, capsys):
    options = ("export", fitted, "--out", "items.csv")
    assert run(*options) == 2
    assert (
        "name of a csv file, but asked for are labels, items" in capsys.readouterr().err
    )
    assert run(*options, "--what", "items") == 0
    assert len(pd.read_csv(tmp_path / "items.csv")) == 12
    assert run(*options, "--what", "items") == 2
    assert "pass --overwrite" in capsys.readouterr().err
    assert run("export", fitted, "--what", "items", "--out", "items.parquet") == 0
    assert len(pd.read_parquet(tmp_path / "items.parquet")) == 12
    mixed = ("--what", "items", "--format", "json", "--overwrite")
    assert run(*options, *mixed) == 2
    assert "name of a csv file" in capsys.readouterr().err


def test_export_writes_label_sets_that_gold_calibrates(run, fitted, truth, capsys):
    gold = ("--gold", truth, "--item", "photo", "--label", "said")
    options = ("--what", "label_sets,items", "--format", "parquet", "--seed", "3")
    asked = (*options, "--prob", "0.8")
    assert run("export", fitted, *asked, *gold, "--out", "all") == 0
    sets = pd.read_parquet("all/label_sets.parquet")
    table = pd.read_csv(truth, dtype=str).set_axis(["item", "label"], axis=1)
    expected = cs.analysis.label_sets(cs.load(fitted), table, prob=0.8, seed=3)
    pd.testing.assert_frame_equal(sets, expected)
    assert len(pd.read_parquet("all/items.parquet")) == 12
    assert run("export", fitted, *options, "--by-class", *gold, "--out", "no") == 2
    assert "at least 9 items of the label 'cat'" in capsys.readouterr().err


def test_a_fit_that_cannot_be_saved_is_kept_elsewhere(
    run, export, columns, capsys, monkeypatch, tmp_path
):
    def full(*_, **__):
        msg = "run: cannot be written (No space left on device)"
        raise CannotWriteError(msg)

    (tmp_path / "spare").mkdir()
    monkeypatch.setattr(outcome, "gettempdir", lambda: str(tmp_path / "spare"))
    original, how = cs.Fit.save, ("--model", "majority", *columns)

    def elsewhere(fit, out, **more):
        return full() if out.name == "run" else original(fit, out, **more)

    monkeypatch.setattr(cs.Fit, "save", elsewhere)
    assert run("fit", export, *how, "--out", "run") == 2
    said = capsys.readouterr().err
    (kept,) = (tmp_path / "spare").iterdir()
    assert f"the fit is kept as {kept}" in said
    assert len(cs.load(kept).items()) == 12
    monkeypatch.setattr(cs.Fit, "save", full)
    assert run("fit", export, *how, "--out", "run") == 2
    assert "the same command with the same seed gives it again" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(("turned", "right"), [(False, 1.0), (True, 0.0)])
def test_score_counts_what_the_fit_got_right(run, fitted, truth, capsys, turned, right):
    named = ("--gold", truth, "--item", "photo", "--label", "said")
    if turned:  # the gold says otherwise
        text = truth.read_text().replace("cat", "x").replace("dog", "cat")
        truth.write_text(text.replace("x", "dog"))
    assert run("score", fitted, *named, "--json") == 0
    output = json.loads(capsys.readouterr().out)
    assert output["items"] == 12
    assert output["metrics"]["accuracy"]["value"] == pytest.approx(right)
    assert run("score", fitted, *named) == 0
    assert "accuracy (ties split)" in capsys.readouterr().out


def test_export_and_score_take_the_posterior_that_was_asked_for(
    run, fitted, truth, capsys
):
    written, losses = {}, {}
    named = ("--gold", truth, "--item", "photo", "--label", "said", "--json")
    for which in ("raw", "tempered"):
        options = ("--what", "labels", "--format", "parquet", "--truth", which)
        assert run("export", fitted, *options, "--out", which) == 0
        written[which] = pd.read_parquet(f"{which}/labels.parquet")["probability"]
        wanted = cs.load(fitted).with_(truth=which).labels()
        assert np.allclose(written[which], wanted["probability"])
    for asked in ((), ("--truth", "raw"), ("--truth", "tempered")):
        capsys.readouterr()
        assert run("score", fitted, *named, *asked) == 0
        metrics = json.loads(capsys.readouterr().out)["metrics"]
        losses[asked[1:]] = metrics["log_loss"]["value"]
    assert written["tempered"].max() < written["raw"].max()
    assert written["tempered"].min() > written["raw"].min()
    assert losses[()] == losses[(cs.load(fitted).data["truth"].attrs["reported"],)]
    # All labels are right, and less sure.
    assert losses[("tempered",)] > losses[("raw",)]


def test_what_a_run_has_learned_is_used_on_another_file(
    run, fitted, columns, tmp_path, capsys
):
    (tmp_path / "later.csv").write_text(
        "photo,who,said\n101,ann,cat\n101,eve,dog\n102,bob,dog\n"
    )
    options = ("predict", fitted, "later.csv", *columns, "--out", "later")
    assert run(*options, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["items"] == 2
    assert "1 annotators were not in it" in said["engine_reason"]
    best = cs.load("later").items().set_index("item")["label"].astype(str)
    assert best["102"] == "dog"
    assert run(*options) == 2
    assert "already exists" in capsys.readouterr().err


def test_a_prediction_of_nobody_familiar_says_so_before_anything_else(
    run, fitted, columns, tmp_path, capsys
):
    (tmp_path / "later.csv").write_text("photo,who,said\n101,new,cat\n102,new,dog\n")
    options = ("predict", fitted, "later.csv", *columns)
    assert run(*options, "--out", "later") == 0
    said = capsys.readouterr().out
    assert said.startswith("WARNING: none of the 1 annotators")
    assert "passed, " in said
    assert "(familiar_annotators" in said
    assert run(*options, "--out", "again", "--json") == 0
    options = json.loads(capsys.readouterr().out)
    assert options["warning"].startswith("none of the 1 annotators")
    assert options["checks"]["cannot be told"] >= 1
