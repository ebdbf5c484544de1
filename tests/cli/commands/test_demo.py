import json
from pathlib import Path

import pytest

from consilience.cli.pages.demo import picture
from consilience.demo import run as run_study
from consilience.demo import study
from consilience.report import installed

QUICK = ("--engine", "vb", "--seed", "0")


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo") / "demo"
    return run_study(study(0), out, engine="vb", seed=0)


def test_the_demonstration_shows_how_much_of_the_truth_it_found(run, capsys):
    assert run("demo", *QUICK) == 0
    said = capsys.readouterr().out
    assert "How much of the truth was recovered" in said
    assert "majority vote" in said
    assert Path("consilience-demo/run/run.toml").is_file()
    assert Path("consilience-demo/responses/responses.parquet").is_file()
    assert "report.html" in said
    page = Path("consilience-demo/report.html").read_text(encoding="utf-8")
    assert "The built-in study" in page


def test_without_what_draws_a_report_the_demonstration_says_so(
    run, capsys, monkeypatch
):
    monkeypatch.setattr(installed, "find_spec", lambda _: None)
    assert run("demo", *QUICK) == 0
    assert 'pip install "consilience[report]"' in capsys.readouterr().out
    assert not Path("consilience-demo/report.html").exists()


def test_the_usual_folder_is_replaced_and_a_named_one_is_not(run, capsys):
    assert run("demo", *QUICK) == 0
    assert run("demo", *QUICK) == 0
    assert run("demo", *QUICK, "--out", "mine") == 0
    capsys.readouterr()
    assert run("demo", *QUICK, "--out", "mine") == 2
    assert "mine: already exists" in capsys.readouterr().err


def test_the_demonstration_answers_in_json(run, capsys):
    assert run("demo", *QUICK, "--json") == 0
    output = json.loads(capsys.readouterr().out)
    loss = {
        name: score["metrics"]["log_loss"] for name, score in output["scores"].items()
    }
    assert loss["auto"]["value"] < 0.7 * loss["majority"]["value"]


def test_the_picture_is_the_page_as_svg(outcome, tmp_path):
    picture(outcome, tmp_path / "images" / "demo.svg")
    text = (tmp_path / "images" / "demo.svg").read_text(encoding="utf-8")
    assert text.startswith("<svg")
    assert "malamute" in text
