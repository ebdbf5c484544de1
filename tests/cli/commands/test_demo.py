import json
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

import consilience as cs
from consilience import demo
from consilience.cli import main
from consilience.errors import FolderExistsError
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


def test_a_folder_of_somebody_elses_is_not_replaced(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(FolderExistsError):
        demo.run(demo.study(0), tmp_path, engine="vb", seed=0, overwrite=True)
    assert (tmp_path / "letter.txt").read_text() == "dear"


def test_the_models_probabilities_are_nearer_the_truth_than_votes(
    shown, run, capsys, monkeypatch
):
    monkeypatch.setattr(demo, "run", lambda *_, **__: shown[1])
    assert run("demo", *QUICK, "--json") == 0
    scores = json.loads(capsys.readouterr().out)["scores"]
    ours, counted = (scores[name]["metrics"] for name in ("auto", "majority"))
    for metric in ("log_loss", "brier"):
        assert ours[metric]["value"] < 0.7 * counted[metric]["value"]
    # Two labels are much alike, and the best of them varies with the draws: of 200
    # items, two standard errors of an accuracy are .05.
    assert ours["accuracy"]["value"] > counted["accuracy"]["value"] - 0.05


def test_intervals_that_hold_are_counted_and_who_does_not_look_is_found(shown):
    _, outcome, _ = shown
    table = outcome.accuracy
    covered = (table["lower"] <= table["truth"]) & (table["truth"] <= table["upper"])
    assert outcome.covered == covered.sum()
    assert outcome.covered > len(table) / 2
    assert table.sort_values("accuracy")["annotator"].iloc[0] == "Sven"


def test_every_step_leaves_its_files(shown):
    _, outcome, folder = shown
    place = folder / outcome.folder
    assert demo.is_demo(place)
    assert list(outcome.responses.sources) == [str(outcome.folder / "answers.csv")]
    read = cs.read(place / "responses")
    assert read.num_responses == outcome.responses.num_responses
    kept = cs.load(place / "run")
    pd.testing.assert_frame_equal(kept.items(), outcome.fit.items())
    assert (place / "tables" / "soft_labels.csv").is_file()
