"""Nothing in the data steers the terminal that it is shown on."""

import json
import re
import sys
import warnings

import pandas as pd
import pytest
from cyclopts import App

from consilience import cli
from consilience.cli.terminal import print_json
from consilience.errors import ConsilienceError
from consilience.progress import Progress, bar
from consilience.visible import escape_json, visible

# Title of the window, a cleared screen, C1's own start of a sequence, a reversed
# direction, half of a character.
STEERING = ("\x1b]0;owned\x07", "\x1b[2J", "\x9b2J", "\u202eevil", "\u2066x", "\x7f")
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)


@pytest.fixture
def hostile(tmp_path):
    """Write answers whose items, annotators and labels would steer a terminal."""
    rows = [
        (f"item{word}{i}", f"who{word}", f"label{STEERING[i % 2]}")
        for i in range(6)
        for word in STEERING
    ]
    path = tmp_path / "answers.parquet"
    pd.DataFrame(rows, columns=["item", "annotator", "label"]).to_parquet(path)
    return path


def check(said):
    assert not FORBIDDEN.findall(said.out + said.err)


def test_characters_that_steer_become_symbols_and_others_stay():
    assert visible("\x1b[2J\x7f\x9b\u202e\udcff") == "␛[2J␡���"
    plain = "né 猫 👩‍👩‍👧 a\tb\nc"
    assert visible(plain) == plain
    assert visible(visible("\x1b")) == visible("\x1b")


@pytest.mark.parametrize(
    "command",
    [
        ("describe", "answers.parquet", "--json"),
        ("agreement", "answers.parquet", "--by", "label", "--resamples", "2"),
        ("read", "answers.parquet", "--out", "responses"),
        ("fit", "\x1b[2J.csv", "--out", "run"),
        ("fit", "answers.parquet", "--model", "\x9b2J", "--out", "run"),
        ("fit", "answers.parquet", "--model", "majority", "--out", "\x1b[2J"),
        ("models", "--\x1b[2J"),
    ],
)
def test_no_command_lets_the_data_steer_the_terminal(run, capsys, hostile, command):
    assert hostile.exists()
    run(*command)
    check(capsys.readouterr())


def test_json_holds_the_very_text_as_escapes(capsys):
    value = {"label": [*STEERING, "half \udcff", "né 猫"]}
    print_json(value)
    text = capsys.readouterr().out
    check(type("Said", (), {"out": text, "err": ""}))
    assert json.loads(text) == value
    assert "né 猫" in text
    assert escape_json('"\u202e"') == '"\\u202e"'


def test_errors_warnings_and_progress_show_symbols(capsys, monkeypatch, run):
    def noisy():
        sys.stderr.write(warnings.formatwarning("label \x1b[2J", UserWarning, "x", 1))
        with bar() as report:
            report(Progress("data \x1b[2J", 1, 1, "note \x9b2J"))
        msg = "defect \x1b[2J"
        raise RuntimeError(msg)

    app = App()
    app.command(noisy)
    monkeypatch.setattr(cli, "APP", app)
    assert run("noisy") == 1
    said = capsys.readouterr()
    check(said)
    for each in ("label", "data", "note", "defect"):
        assert each in said.err
    assert str(ConsilienceError("a\x1b[2Jb")) == "a␛[2Jb"


# What messages are translated by, and what rich would take for styles or emojis.
LIKE_OURS = ('`kind="objects"`', "[red]", "[/red]", ":smile:", "[1/3]")


@pytest.mark.parametrize("command", ["describe", "agreement", "fit"])
def test_labels_and_ids_that_look_like_messages_are_shown_as_they_are(
    run, capsys, tmp_path, command
):
    many = 1 if command == "fit" else 4
    rows = [
        (f"{word}{i}", f"{word}ann{who}", word)
        for word in LIKE_OURS
        for i in range(2)
        for who in range(many)
    ]
    path = tmp_path / "[red]answers.csv"
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    frame.to_csv(path, index=False)
    more = {
        "describe": (),
        "agreement": ("--by", "label", "--resamples", "0"),
        "fit": ("--model", "majority", "--out", "[red]run", "-v"),
    }[command]
    assert run(command, path.name, *more) == 0
    said = capsys.readouterr().out
    assert all(word in said for word in LIKE_OURS)
    assert "--kind" not in said
    assert command != "fit" or "written to [red]run" in said


def test_an_error_translates_its_advice_and_no_quoted_data(run, capsys, tmp_path):
    table = "item,annotator,label\n1,a,cat\n2,b,`kind=objects`\n"
    (tmp_path / "a.csv").write_text(table, encoding="utf-8")
    how = ("--offered", "cat", "dog", "--out", "r")
    assert run("read", "a.csv", *how) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "label '`kind=objects`' is not among" in said
    assert "--offered" in said
