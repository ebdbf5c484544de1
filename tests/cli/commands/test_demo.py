import json
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path

import pytest

from consilience import demo
from consilience.cli import main
from consilience.reports import content

QUICK = ("--engine", "vb", "--seed", "0")


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """Return what the whole demonstration prints, and what came of it."""
    folder, outcomes, said = tmp_path_factory.mktemp("demo"), [], StringIO()
    real = demo.run
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said):
        patch.chdir(folder)
        patch.delenv("COLUMNS", raising=False)
        patch.setattr(
            demo, "run", lambda *a, **k: outcomes.append(real(*a, **k)) or outcomes[0]
        )
        main(["demo", *QUICK])
    return said.getvalue(), outcomes[0], folder


@pytest.fixture
def small(monkeypatch):
    """Let the demonstration be of few photos and one model, and draw no report."""
    real = demo.fit
    monkeypatch.setattr(
        demo,
        "fit",
        lambda responses, **how: real(responses, **how | {"model": "dawid_skene"}),
    )
    monkeypatch.setattr(content, "find_spec", lambda _: None)
    monkeypatch.setattr(demo, "study", partial(demo.study, num_photos=20))


def test_the_demonstration_shows_how_much_of_the_truth_it_found(shown):
    said, _, folder = shown
    assert "How much of the truth was recovered" in said
    assert "majority vote" in said
    assert (folder / "consilience-demo/run/run.toml").is_file()
    assert (folder / "consilience-demo/responses/responses.parquet").is_file()
    assert "report.html" in said
    panels = [line for line in said.splitlines() if line[:1] in {"╭", "│", "╰"}]
    assert {len(line) for line in panels} == {100}
    page = (folder / "consilience-demo/report.html").read_text(encoding="utf-8")
    assert "The built-in study" in page


@pytest.mark.usefixtures("small")
def test_without_what_draws_a_report_the_demonstration_says_so(run, capsys):
    assert run("demo") == 0
    assert 'pip install "consilience[report]"' in capsys.readouterr().out
    assert not Path("consilience-demo/report.html").exists()


@pytest.mark.usefixtures("small")
def test_the_usual_folder_is_replaced_and_a_named_one_is_not(run, capsys):
    assert run("demo") == 0
    assert run("demo") == 0
    assert run("demo", "--out", "mine") == 0
    capsys.readouterr()
    assert run("demo", "--out", "mine") == 2
    assert "mine: already exists" in capsys.readouterr().err


def test_the_demonstration_answers_in_json(shown, run, capsys, monkeypatch):
    monkeypatch.setattr(demo, "run", lambda *_, **__: shown[1])
    assert run("demo", *QUICK, "--json") == 0
    output = json.loads(capsys.readouterr().out)
    loss = {
        name: score["metrics"]["log_loss"] for name, score in output["scores"].items()
    }
    assert loss["auto"]["value"] < 0.7 * loss["majority"]["value"]
