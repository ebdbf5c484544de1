"""The commands about a run of kind contains."""

import json

import pandas as pd
import pytest

import consilience as cs


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A run of yes, maybe and no about two labels of each item."""
    rows = [
        (f"i{item}", who, label, ["no", "maybe", "yes"][(item + place) % 3])
        for item in range(16)
        for place, who in enumerate("abcd")
        for label in ("cat", "lynx")
    ]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label", "answer"])
    place = tmp_path_factory.mktemp("asked") / "run"
    cs.fit(frame, model="majority").save(place)
    return place


def test_thresholds_are_told(run, asked, capsys):
    options = ("--threshold", "0.5", "--threshold", "0.9")
    assert run("contains", "filtering", asked, *options, "--json") == 0
    output = json.loads(capsys.readouterr().out)["thresholds"]
    expected = cs.contains.filtering(cs.load(asked), [0.5, 0.9])
    assert [row["kept"] for row in output] == expected["kept"].tolist()
    assert run("contains", "filtering", asked, *options) == 0
    assert "wrong_lower" in capsys.readouterr().out


def test_labels_are_called_for_f1(run, asked, tmp_path, capsys):
    out = tmp_path / "called.csv"
    assert run("contains", "decide", asked, "--loss", "f1", "--out", out, "--json") == 0
    output = json.loads(capsys.readouterr().out)
    expected = cs.contains.decide(cs.load(asked), loss="f1")
    assert output["threshold"] == expected.threshold
    assert output["present"] == expected.labels["present"].sum()
    written = pd.read_csv(out)
    assert written["present"].tolist() == expected.labels["present"].tolist()
    assert run("contains", "decide", asked, "--out", out) == 2
    assert "pass --overwrite" in capsys.readouterr().err
    assert run("contains", "decide", asked, "--out", out, "--overwrite") == 0
    capsys.readouterr()
    assert run("contains", "decide", asked) == 0
    assert "are called present" in capsys.readouterr().out
    assert run("contains", "decide", asked, "--out", tmp_path / "called.xls") == 2
    assert "fix the ending" in capsys.readouterr().err


def test_the_leading_question_is_that_of_the_fit(run, asked, capsys, monkeypatch):
    table = pd.DataFrame({"contrast": ["a similar label is there"], "odds_ratio": 1.5})
    monkeypatch.setattr("consilience.analysis.leading_question", lambda _: table)
    assert run("contains", "leading-question", asked) == 0
    assert "1.500" in capsys.readouterr().out
    assert run("contains", "leading-question", asked, "--json") == 0
    output = json.loads(capsys.readouterr().out)
    assert output["contrasts"] == table.to_dict("records")
