import json

import pandas as pd
import pytest


def test_export_writes_the_named_tables(run, fitted, capsys):
    told = ("--what", "labels,soft_labels", "--format", "parquet", "--out", "tables")
    assert run("export", fitted, *told, "--json") == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert files == ["tables/labels.parquet", "tables/soft_labels.parquet"]
    soft = pd.read_parquet("tables/soft_labels.parquet")
    assert list(soft.columns) == ["item", "cat", "dog"]


def test_export_writes_every_table_as_csv_by_default(run, fitted, tmp_path):
    assert run("export", fitted, "--out", "tables") == 0
    found = {path.name for path in (tmp_path / "tables").glob("*.csv")}
    names = ("labels", "items", "annotators", "confusion", "diagnostics")
    assert found == {f"{name}.csv" for name in names}


def test_export_of_a_table_there_is_not_names_those_there_are(run, fitted, capsys):
    assert run("export", fitted, "--what", "moods", "--out", "tables") == 2
    assert "confusion" in capsys.readouterr().err


def test_score_prints_the_metrics_with_intervals(run, fitted, truth, capsys):
    assert (
        run("score", fitted, "--gold", truth, "--item", "photo", "--label", "said") == 0
    )
    assert "accuracy (ties split)" in capsys.readouterr().out


def test_score_in_json_counts_what_the_fit_got_right(run, fitted, truth, capsys):
    named = ("--item", "photo", "--label", "said")
    assert run("score", fitted, "--gold", truth, *named, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["items"] == 12
    assert found["metrics"]["accuracy"]["value"] == pytest.approx(1.0)


def test_the_same_score_falls_when_the_gold_says_otherwise(run, fitted, truth, capsys):
    text = (
        truth.read_text().replace("cat", "x").replace("dog", "cat").replace("x", "dog")
    )
    truth.write_text(text)
    named = ("--item", "photo", "--label", "said")
    assert run("score", fitted, "--gold", truth, *named, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["metrics"]["accuracy"]["value"] == pytest.approx(0.0)
