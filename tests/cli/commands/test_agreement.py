import json

import pandas as pd
import pytest


def test_the_coefficients_are_shown_with_their_intervals(run, export, columns, capsys):
    assert run("agreement", export, *columns, "--resamples", "0", "--by", "pair") == 0
    said = capsys.readouterr().out
    assert "from the published variance" in said  # without resamples
    line = next(line for line in said.splitlines() if "ann and bob" in line)
    assert "100.0%" in line
    assert line.rstrip().endswith("●")  # of a perfect pair, without an interval
    assert "36 answers to 12 items by 3 annotators; 2 labels" in said
    for name in ("Fleiss's kappa", "Gwet's AC1", "Krippendorff's alpha"):
        assert name in said
    assert "Not defined: Scott's pi (is for two annotators, here are 3" in said


def test_json_holds_all_that_was_found(run, export, columns, capsys):
    asked = ("--by", "label", "--by", "pair", "--prob", "0.8", "--json")
    assert run("agreement", export, *columns, *asked) == 0
    said = capsys.readouterr()
    output = json.loads(said.out)
    assert output["prob"] == 0.8
    rows = {row["coefficient"]: row for row in output["coefficients"]}
    # ann and bob agree always, each with cid on 6 of 12: the mean of three pairs.
    assert rows["percent"]["value"] == pytest.approx(2 / 3)
    assert rows["scott"]["value"] is None
    assert {row["label"] for row in output["labels"]} == {"cat", "dog"}
    assert len(output["pairs"]) == 3
    assert "Fleiss's kappa" in said.err


def test_tables_are_written_as_parquet(run, export, columns, capsys, tmp_path):
    options = ("agreement", export, *columns, "--by", "label", "--out", "tables")
    assert run(*options) == 0
    assert sorted(path.name for path in (tmp_path / "tables").iterdir()) == [
        "coefficients.parquet",
        "labels.parquet",
    ]
    kept = pd.read_parquet(tmp_path / "tables" / "coefficients.parquet")
    assert len(kept) == 8
    assert run(*options) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert run(*options, "--overwrite") == 0
