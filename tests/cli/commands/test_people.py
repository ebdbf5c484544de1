"""The commands that say whom to talk to, and how items are rated."""

import json

import numpy as np
import pandas as pd
import pytest

import consilience as cs


@pytest.fixture(scope="module")
def ratings(tmp_path_factory):
    """Write ratings by eight raters, one of whom always says 5; fit them."""
    folder = tmp_path_factory.mktemp("ratings")
    generator = np.random.default_rng(0)
    truth = generator.integers(1, 6, 80)
    said = truth[:, None] + generator.normal(0, 0.6, (80, 8))
    said[:, 0] = 5
    rows = {
        "item": np.arange(80).repeat(8),
        "annotator": [f"r{rater}" for _ in range(80) for rater in range(8)],
        "label": np.clip(np.rint(said), 1, 5).astype(int).ravel(),
    }
    table = pd.DataFrame(rows)
    table.to_csv(folder / "ratings.csv", index=False)
    groups = {"item": np.arange(80), "group": np.where(truth > 2, "good", "bad")}
    pd.DataFrame(groups).to_csv(folder / "groups.csv", index=False)
    fitted = cs.fit(table, model="ordinal_dawid_skene", ordered=True)
    fitted.save(folder / "run")
    return folder


@pytest.fixture
def rated(run, ratings, monkeypatch):
    """Stand where the ratings and their run are."""
    assert run
    monkeypatch.chdir(ratings)
    return "run"


def test_who_always_says_the_same_is_named_first(run, rated, tmp_path, capsys):
    assert run("annotators", rated) == 0
    said = capsys.readouterr().out
    assert said.startswith("1 of 8 annotators stand out\nr0: answers by habit")
    assert "5 is 100% of 80 answers" in said
    assert "bias" in said
    out = tmp_path / "people.csv"
    assert run("annotators", rated, "--json", "--out", out) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["annotators"][0]["flag"] == "answers by habit"
    assert pd.read_csv(out)["annotator"][0] == "r0"


def test_with_responses_drift_is_looked_for(run, rated, capsys):
    assert run("annotators", rated, "--responses", "ratings.csv", "--json") == 0
    result = json.loads(capsys.readouterr().out)["annotators"]
    assert [row["flag"] for row in result].count("drifts") == 0
    assert run("annotators", rated, "--responses", "groups.csv") == 2


def test_ratings_have_means_of_groups_and_what_they_differ_by(
    run, rated, tmp_path, capsys
):
    grouped, out = ("--groups", "groups.csv"), tmp_path / "items.csv"
    assert run("ratings", rated, *grouped, "--out", out) == 0
    said = capsys.readouterr().out
    heads = ("Mean rating of all items", "Mean rating of each group", "Differences")
    places = [said.index(head) for head in heads]
    assert places == sorted(places)
    assert len(pd.read_csv(out)) == 80
    assert run("ratings", rated, *grouped, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    (apart,) = result["differences"]
    assert abs(apart["difference"]) > 1.5
    assert (apart["p_greater"] > 0.99) == (apart["group"] == "good")


def test_without_ids_there_is_nobody_to_talk_to(run, tmp_path, capsys):
    (tmp_path / "a.csv").write_text("item,label\n1,x\n1,y\n1,x\n2,y\n2,y\n")
    assert run("fit", "a.csv", "--out", "run", "-q") == 0
    assert run("annotators", "run") == 0
    assert "no annotator has an id" in capsys.readouterr().out
