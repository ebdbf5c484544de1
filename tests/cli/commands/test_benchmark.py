import json

import pandas as pd
import pytest

QUICK = ("--models", "smoothed_shares,majority", "--resamples", "50")


@pytest.fixture
def crowd(tmp_path, export, truth):
    folder = tmp_path / "crowd" / "pets"
    folder.mkdir(parents=True)
    names = {"photo": "task", "who": "worker", "said": "label"}
    for file, name in ((export, "labels.csv"), (truth, "truth.csv")):
        table = pd.read_csv(file).rename(columns=names)
        table.to_csv(folder / name, index=False)
    return tmp_path / "crowd"


def test_methods_are_compared_and_a_second_call_runs_nothing(
    run, crowd, tmp_path, capsys
):
    assert run("benchmark", crowd, *QUICK, "--out", "out") == 0
    said = capsys.readouterr()
    assert "smoothed_shares" in said.out
    assert "1.0000" in said.out
    assert "[2/2] pets majority" in said.err
    results = pd.read_parquet(tmp_path / "out" / "results.parquet")
    mean = results[(results["set"] == "mean") & (results["metric"] == "accuracy")]
    assert mean["value"].tolist() == [1.0, 1.0]
    assert run("benchmark", crowd, *QUICK, "--out", "out", "--json") == 0
    again = capsys.readouterr()
    assert again.err.count("(kept)") == 2
    output = json.loads(again.out)
    assert {row["method"] for row in output["means"]} == {"smoothed_shares", "majority"}
    assert output["failures"] == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--models", "nonsense"), "no method 'nonsense'"),
        (("--seed", "-1"), "seed is -1"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_runs(
    arguments, sentence, run, crowd, capsys
):
    assert run("benchmark", crowd, *arguments) == 2
    assert sentence in capsys.readouterr().err
