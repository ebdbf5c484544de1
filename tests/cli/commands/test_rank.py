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
    for title in ("Scores of", "Ranks of", "How judges", "10 comparisons, 0 skipped"):
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


def test_the_page_that_is_proposed_is_written_and_shows_the_ranking_alone(
    run, tmp_path, capsys, recwarn
):
    (tmp_path / "votes.csv").write_text(ROWS, "utf-8")
    assert run("rank", "votes.csv", "--out", "ranking") == 0
    proposed = capsys.readouterr().err.strip().removeprefix("next: consilience ")
    assert proposed == "report ranking --out ranking.html"
    assert run(*proposed.split()) == 0
    shown = capsys.readouterr()
    assert "checks: 1 passed" in shown.out
    assert shown.err == ""
    assert not [each for each in recwarn if each.category is RuntimeWarning]
    assert "y" in (tmp_path / "ranking.html").read_text("utf-8")
    assert run(*proposed.split()) == 2
    assert run(*proposed.split(), "--overwrite", "--title", "Three") == 0
    assert "<title>Three<" in (tmp_path / "ranking.html").read_text("utf-8")
    assert run(*proposed.split(), "--overwrite", "--responses", "votes.csv") == 2
    assert "shows it alone" in capsys.readouterr().err
