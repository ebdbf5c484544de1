import json

import pandas as pd

ROWS = "worker,left,right,label\n" + "\n".join(
    f"{who},{one},{two},{won}"
    for who in ("ann", "bob")
    for one, two, won in ("xyx", "yxx", "yzy", "zxx", ("z", "y", "tie"))
)


def test_systems_are_ranked_and_tables_written(run, tmp_path, capsys):
    (tmp_path / "votes.csv").write_text(ROWS, "utf-8")
    assert run("rank", "votes.csv", "--out", "ranking") == 0
    shown = capsys.readouterr().out
    for title in ("Scores", "Ranks", "Judges", "10 comparisons, 0 skipped"):
        assert title in shown
    scores = pd.read_csv(tmp_path / "ranking" / "scores.csv")
    assert scores["system"][0] == "x"
    assert run("rank", "votes.csv", "--out", "ranking") == 2
    assert run("rank", "votes.csv", "--out", "ranking", "--overwrite") == 0


def test_json_holds_the_tables(run, tmp_path, capsys):
    (tmp_path / "votes.csv").write_text(ROWS, "utf-8")
    assert run("rank", "votes.csv", "--prob", "0.8", "--json") == 0
    output = json.loads(capsys.readouterr().out)
    assert output["scores"][0]["system"] == "x"
    assert {row["judge"] for row in output["judges"]} == {"ann", "bob"}
