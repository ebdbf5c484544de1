"""Lists are given in any of three ways, and no file is taken for a word."""

from pathlib import Path

import pytest

from consilience.cli import APP
from consilience.cli.options import commands_in, expand_lists, list_options
from consilience.errors import OptionError

BOTH = ["fit", "answers.csv", "--labels", "cat", "--labels", "dog", "--out", "run"]


@pytest.mark.parametrize(
    "given",
    [
        "--labels cat dog --out run",
        "--labels cat,dog --out run",
        "--labels=cat,dog --out run",
        "--labels cat --labels dog --out run",
    ],
)
def test_a_list_is_words_or_commas_or_the_option_again(given):
    assert expand_lists(["fit", "answers.csv", *given.split()], APP) == BOTH


@pytest.mark.parametrize(
    "given",
    [
        ["fit", "--labels", "cat", "answers.csv"],
        ["fit", "--out", "run", "--labels", "labels.tsv", "answers.csv"],
        ["fit", "a.csv", "--labels", "a,b.csv"],
        ["fit", "a.csv", "--labels", "--out", "run"],
        ["fit", "a.csv", "--missing", ""],
        ["fit", "a.csv", "--missing", ","],
        ["fit", "--", "--labels", "a,b"],
        ["models", "--labels", "3"],
        ["fit", "a.csv", "--model", "a,b"],
        ["--help"],
        [],
    ],
)
def test_what_is_no_list_stays_as_it_is(given):
    assert expand_lists(given, APP) == given


def test_a_file_after_a_list_is_not_taken_for_a_word(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("more.csv").touch()
    with pytest.raises(OptionError, match="name files before all options"):
        expand_lists(["fit", "a.csv", "--labels", "cat", "more.csv"], APP)
    given = ["report", "run", "--evaluation", "x", "more.csv"]
    words = ["--evaluation", "x", "--evaluation", "more.csv"]
    assert expand_lists(given, APP)[2:] == words


def test_a_command_without_files_takes_several_words(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("own=2").touch()
    both = ["simulate", "--prior", "a=1", "--prior", "own=2", "--seed", "1"]
    for words in (["a=1", "own=2"], ["a=1,own=2"]):
        given = ["simulate", "--prior", *words, "--seed", "1"]
        assert expand_lists(given, APP) == both


def test_lists_in_the_environment_are_words_or_commas(monkeypatch):
    monkeypatch.setenv("CONSILIENCE_BENCHMARK_MODELS", "one,two three")
    monkeypatch.setenv("CONSILIENCE_BENCHMARK_AGAINST", "one,two")
    _, bound, _ = APP.parse_args(["benchmark", "crowd"])
    assert bound.arguments["models"] == ("one", "two", "three")
    assert bound.arguments["against"] == "one,two"


def test_every_command_says_which_options_are_lists():
    lists = {name: set(list_options(each)[0]) for name, each in commands_in(APP)}
    assert {"--labels", "--offered", "--missing", "--prior"} < lists["fit"]
    assert lists["export"] == {"--what"}
    assert "--models" in lists["benchmark"]
    assert "--model-dir" in lists["images classify"]
    assert not lists["models"]
