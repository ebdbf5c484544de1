"""Lists are given in any of three ways, and no file is taken for a word."""

from pathlib import Path

import pytest

from consilience.cli import APP
from consilience.cli.options import expand_lists
from consilience.errors import OptionError


def given(*words):
    _, bound, _ = APP.parse_args(list(words), print_error=False, exit_on_error=False)
    return bound.arguments


@pytest.mark.parametrize(
    "words",
    [
        "--prior a=1 b=2 --out run",
        "--prior a=1,b=2 --out run",
        "--prior=a=1,b=2 --out run",
        "--prior a=1 --prior b=2 --out run",
    ],
)
def test_a_list_is_words_or_commas_or_the_option_again(words):
    assert given("fit", "answers.csv", *words.split())["prior"] == ("a=1", "b=2")


@pytest.mark.parametrize(
    "given",
    [
        ["fit", "--labels", "cat", "answers.csv"],
        ["fit", "--out", "run", "--labels", "labels.tsv", "answers.csv"],
        ["fit", "a.csv", "--labels", "a,b.csv"],
        ["fit", "a.csv", "--labels", "--out", "run"],
        ["fit", "a.csv", "--missing", ""],
        ["fit", "--", "--labels", "a,b"],
        ["models", "--labels", "3"],
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


def test_lists_in_the_environment_are_words_or_commas(monkeypatch):
    monkeypatch.setenv("CONSILIENCE_BENCHMARK_MODELS", "one,two three")
    monkeypatch.setenv("CONSILIENCE_BENCHMARK_AGAINST", "one,two")
    _, bound, _ = APP.parse_args(["benchmark", "crowd"])
    assert bound.arguments["models"] == ("one", "two", "three")
    assert bound.arguments["against"] == "one,two"
