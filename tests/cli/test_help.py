import os
import re
import shlex
import subprocess
import sys

import pytest
from cyclopts import CycloptsError

from consilience.cli import APP
from consilience.cli.options import commands_in
from consilience.cli.terminal import examples

COMMANDS = dict(commands_in(APP))


def parse(line):
    program, *words = shlex.split(line)
    assert program == "consilience"
    return APP.parse_args(words, print_error=False, exit_on_error=False)[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_page_ends_with_examples_that_the_command_takes(name, run, capsys):
    assert run(*name.split(), "--help") == 0
    shown = capsys.readouterr().out.partition("\nExamples\n")[2].strip().splitlines()
    assert [line.strip() for line in shown] == examples(COMMANDS[name].default_command)
    assert shown
    for line in shown:
        assert parse(line) is COMMANDS[name].default_command


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_words(name):
    arguments = COMMANDS[name].assemble_argument_collection(parse_docstring=True)
    shown = [each for each in arguments if each.show and not each.children]
    assert shown
    assert [each.name for each in shown if not each.parameter.help] == []


def test_the_first_page_lists_few_commands(run, capsys):
    assert run("--help") == 0
    shown = re.findall(
        r"^│ ([a-z][a-z-]*) {2,}\S", capsys.readouterr().out, re.MULTILINE
    )
    assert {"read", "fit", "report"} <= set(shown)
    assert len(shown) <= 21


def test_an_example_with_an_option_that_is_not_there_would_be_seen():
    with pytest.raises(CycloptsError, match="--model-directory"):
        parse("consilience images classify photos --model-directory m --out p")


def test_the_options_of_reading_have_a_page_of_their_own(run, capsys):
    assert run("fit", "--help") == 0
    usual = capsys.readouterr().out
    assert run("fit", "--help-reading") == 0
    reading = capsys.readouterr().out
    assert "--gold-column" not in usual
    assert re.search(r"\d+ options say how files are read: --help-reading", usual)
    assert "--gold-column" in reading
    assert "--engine" not in reading
    assert run("models", "--help-reading") == 0
    assert "models reads no responses" in capsys.readouterr().out


def test_the_version_has_a_short_option(run, capsys):
    assert run("-V") == 0
    short = capsys.readouterr().out
    assert run("--version") == 0
    assert short == capsys.readouterr().out
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\n", short)


def test_completion_is_installed_for_a_shell(tmp_path):
    place = tmp_path / "completion"
    program = [sys.executable, "-m", "consilience", "--install-completion"]
    done = subprocess.run(
        [*program, "--shell", "bash", "--output", place],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    script = place.read_text(encoding="utf-8")
    assert "leading-question" in script
    assert "--model-dir" in script


def test_a_command_ends_with_the_one_that_usually_follows_but_for_programs(
    run, export, columns, capsys
):
    describe = ("describe", export, *columns)
    assert run(*describe) == 0
    assert f"next: consilience fit {export} --out run" in capsys.readouterr().err
    assert run(*describe, "--json") == 0
    assert "next:" not in capsys.readouterr().err


def test_errors_are_json_where_the_result_would_be(run, capsys):
    import json

    assert run("describe", "nowhere.csv", "--json") == 2
    printed = capsys.readouterr()
    error = json.loads(printed.out)["error"]
    assert error["type"] == "SourceError"
    assert error["exit_code"] == 2
    assert printed.err == f"consilience: {error['message']}\n"
    assert run("describe", "nowhere.csv") == 2
    assert capsys.readouterr().out == ""


def test_a_model_is_checked_before_anything_is_read(run, capsys):
    assert run("fit", "nowhere.csv", "--model", "dawid_sken", "--out", "run") == 2
    assert "did you mean 'dawid_skene'?" in capsys.readouterr().err


def test_verbose_reports_the_steps_and_nothing_is_logged_without(
    run, export, columns, capsys
):
    fit = ("fit", export, *columns, "--model", "dawid_skene", "--out")
    assert run(*fit, "quiet") == 0
    assert "consilience: dawid_skene" not in capsys.readouterr().err
    assert run(*fit, "loud", "--verbose") == 0
    assert "consilience: dawid_skene by em" in capsys.readouterr().err
