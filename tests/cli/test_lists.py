"""Lists are given in any of three ways, and no file is taken for a word."""

from pathlib import Path

import pytest
from cyclopts import CycloptsError

from consilience.cli import APP


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


@pytest.mark.parametrize("word", ["", ",", "a,b.csv"])
def test_empty_words_and_names_of_files_stay_whole(word):
    reading = given("fit", "a.csv", "--out", "run", "--missing", word)["reading"]
    assert reading.missing == (word,)


def test_options_of_one_value_keep_their_commas():
    assert given("fit", "a.csv", "--out", "run", "--model", "a,b")["model"] == "a,b"


def test_a_list_has_a_word_and_stands_after_the_files():
    for words in (["a.csv", "--labels"], ["--labels", "cat", "a.csv"]):
        with pytest.raises(CycloptsError, match="requires"):
            given("fit", *words, "--out", "run")


def test_a_file_after_a_list_is_not_taken_for_a_word(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("more.csv").touch()
    words = ["a.csv", "--out", "run", "--labels", "cat", "more.csv"]
    with pytest.raises(CycloptsError, match="name files before all options"):
        given("fit", *words)
    report = given("report", "run", "--out", "a.html", "--evaluation", "x", "more.csv")
    assert report["evaluation"] == (Path("x"), Path("more.csv"))


def test_lists_of_choices_and_of_numbers_are_lists_as_well():
    assert given("agreement", "a.csv", "--by", "label,pair")["by"] == ("label", "pair")
    words = ["run", "--threshold", "0.5", "0.7"]
    assert given("contains", "filtering", *words)["threshold"] == (0.5, 0.7)
