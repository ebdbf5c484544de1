"""`rate` and `judges` take a run, or answers that they fit first."""

import json
import re

import pandas as pd
import pytest


@pytest.fixture(scope="module")
def answers():
    rows = [
        (f"i{item}", who, "pass" if (item % 3 + (item % 7 == wrong)) % 2 else "fail")
        for item in range(24)
        for who, wrong in (("ann", 7), ("gpt", 1), ("claude", 2))
        if who != "ann" or item % 2
    ]
    return pd.DataFrame(rows, columns=["item", "annotator", "label"])


def test_answers_are_fitted_as_fit_would(answers, run, tmp_path, capsys):
    answers.to_csv(tmp_path / "answers.csv", index=False)
    assert run("fit", "answers.csv", "--out", "made") == 0
    capsys.readouterr()
    given = []
    for source in ("made", "answers.csv"):
        assert run("rate", source, "--reference", "ann", "--json") == 0
        given.append(json.loads(capsys.readouterr().out))
    fitted, read = ({k: v for k, v in each.items() if k != "trust"} for each in given)
    assert fitted == read


def test_what_was_read_is_said_and_how_to_keep_the_fit(answers, run, tmp_path, capsys):
    answers.to_csv(tmp_path / "answers.csv", index=False)
    assert run("judges", "answers.csv", "--reference", "ann") == 0
    shown = capsys.readouterr()
    assert "kept 60: 60 answers" in shown.out
    assert "next: consilience fit answers.csv --out run" in shown.err


def test_gold_labels_may_stand_for_people(answers, run, tmp_path, capsys):
    answers.to_csv(tmp_path / "answers.csv", index=False)
    gold = answers[answers["annotator"] == "ann"][["item", "label"]]
    gold.to_csv(tmp_path / "gold.csv", index=False)
    fit = ("--model", "dawid_skene", "--engine", "em", "--out", "made")
    assert run("fit", "answers.csv", *fit) == 0
    assert run("judges", "made", "--gold", "gold.csv") == 0
    shown = capsys.readouterr()
    assert "claude" in shown.out
    assert "next: consilience rate made --gold gold.csv" in shown.err
    assert run("judges", "made") == 2
    assert "give gold labels (`--gold`)" in capsys.readouterr().err


def test_what_is_neither_is_refused(run, capsys):
    assert run("rate", "nothing-here", "--reference", "ann") == 2
    assert "nothing-here" in capsys.readouterr().err


def test_items_that_people_have_to_judge_are_written(answers, run, tmp_path, capsys):
    answers.to_csv(tmp_path / "answers.csv", index=False)
    fit = ("--model", "dawid_skene", "--engine", "em", "--out", "made")
    assert run("fit", "answers.csv", *fit) == 0
    how = ("rate", "made", "--reference", "ann", "--ask", "next.csv")
    assert run(*how) == 2
    assert "give --width" in capsys.readouterr().err
    assert run(*how, "--width", "0.2") == 0
    asked = pd.read_csv(tmp_path / "next.csv")["item"]
    judged = answers.loc[answers["annotator"] == "ann", "item"]
    assert len(asked)
    assert not set(asked) & set(judged)


def test_what_groups_differ_by_is_shown_below_their_rates(
    answers, run, tmp_path, capsys
):
    answers.to_csv(tmp_path / "answers.csv", index=False)
    groups = pd.DataFrame({"item": answers["item"].unique()})
    groups["group"] = [*"AABB"] * 6
    groups.to_csv(tmp_path / "groups.csv", index=False)
    fit = ("--model", "dawid_skene", "--engine", "em", "--out", "made")
    assert run("fit", "answers.csv", *fit) == 0
    capsys.readouterr()
    how = ("rate", "made", "--reference", "ann", "--groups", "groups.csv")
    assert run(*how) == 0
    rates, _, differences = capsys.readouterr().out.partition("\nDifferences\n")
    assert re.search(r"^A +pass ", rates, re.MULTILINE)
    row = re.search(
        r"^A +B +pass +(\S+) +(\S+) +(\S+) to (\S+)", differences, re.MULTILINE
    )
    assert run(*how, "--json") == 0
    (expected,) = json.loads(capsys.readouterr().out)["differences"]
    names = ("difference", "p_greater", "lower", "upper")
    for text, name in zip(row.groups(), names, strict=True):
        assert float(text) == pytest.approx(expected[name], abs=0.0006)
