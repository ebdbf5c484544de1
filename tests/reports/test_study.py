"""A study as a folder and as a page: files, and what a person does by keyboard."""

import contextlib
import runpy
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.cli import main
from consilience.errors import FolderExistsError
from consilience.reports import gather, write_study
from consilience.reports.columns import heat

STUDY = ["study", "run", "--responses", "responses"]


@pytest.fixture(scope="module")
def parts():
    """What the tests of the figures are made of."""
    world = Path(__file__).parent.parent / "figures" / "conftest.py"
    return runpy.run_path(str(world))["make_parts"]()


@pytest.fixture(scope="module")
def contents(parts):
    study = cs.study(
        parts["fit"],
        parts["responses"],
        predictions=parts["predictions"],
        contains=parts["contains"],
        resamples=50,
    )
    return gather(
        {"rule": parts["fit"]}, responses=parts["responses"], study=study, resamples=0
    )


@pytest.fixture(scope="module")
def command(parts, tmp_path_factory):
    """Write the study by its command; give the folder, and what was shown."""
    folder, shown = tmp_path_factory.mktemp("study"), StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(shown):
        cs.write(parts["responses"], "responses")
        parts["fit"].save("run")
        parts["contains"].save("alone")
        parts["predictions"].to_csv("predictions.csv", index=False)
        options = ["--predictions", "predictions.csv", "--contains", "alone"]
        main([*STUDY, *options, "--resamples", "50", "--out", "study"])
    return folder, shown.getvalue()


@pytest.fixture(scope="module")
def folder(command):
    return command[0] / "study"


def test_every_figure_is_a_table_and_a_picture(folder, contents):
    for name, figure in contents.study.figures.items():
        table = pd.read_parquet(folder / "tables" / f"{name}.parquet")
        written = pd.read_csv(folder / "tables" / f"{name}.csv")
        assert list(written) == list(table)
        assert len(written) == len(table) == len(figure.table)
        assert set(figure.table) <= set(table)
        for ending in ("svg", "png"):
            assert (folder / "figures" / f"{name}.{ending}").stat().st_size > 1000
    names = pd.read_csv(folder / "tables" / "confused_labels.csv")
    assert names["label_name"].str.startswith("name of ").all()


def test_text_in_csv_is_no_formula(folder):
    table = (folder / "tables" / "superclass_confusion.csv").read_text()
    assert '"\'=animals"' in table
    assert '"=animals"' not in table


def test_a_folder_of_something_else_is_not_replaced(contents, folder, tmp_path):
    with pytest.raises(FolderExistsError, match="already exists"):
        write_study(contents, folder)
    other = tmp_path / "other"
    other.mkdir()
    (other / "precious.txt").write_text("kept")
    with pytest.raises(FolderExistsError):
        write_study(contents, other, overwrite=True)
    assert (other / "precious.txt").read_text() == "kept"
    write_study(contents, tmp_path / "study")
    before = (tmp_path / "study" / "index.html").read_bytes()
    write_study(contents, tmp_path / "study", overwrite=True)
    assert (tmp_path / "study" / "index.html").read_bytes() == before


def test_if_writing_fails_nothing_is_left(contents, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("consilience.reports.written.write", fail)
    with pytest.raises(KeyboardInterrupt):
        write_study(contents, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_confusion_has_as_many_levels_as_the_hierarchy(parts):
    labels = parts["responses"].labels
    above = labels.assign(parent=["cats", "cats", "dogs", *["tools"] * 3])
    rows = [("cats", "animals"), ("dogs", "animals"), ("tools", "things")]
    more = pd.DataFrame(rows, columns=["label", "parent"]).assign(name=None)
    responses = replace(parts["responses"], labels=pd.concat([above, more]))
    study = cs.study(
        parts["fit"], responses, predictions=parts["predictions"], resamples=20
    )
    assert study.depth == 2
    levels = heat(study)["levels"]
    assert [level["true"] for level in levels[1:]] == [
        ["cats", "dogs", "tools"],
        ["animals", "things"],
    ]
    assert len(levels[0]["true"]) == 6
    assert [level["up"] for level in levels] == [[0, 0, 1, 2, 2, 2], [0, 0, 1], []]
    for level in levels:
        parties = np.repeat(np.arange(4), np.diff(level["start"]))
        rows = pd.Series(level["p"]).groupby([parties, level["t"]]).sum()
        if level is not levels[0]:  # of classes, seldom ones are left out
            assert rows.to_numpy() == pytest.approx(10_000, abs=3)


@pytest.fixture
def page(show, folder):
    return show("study", file=folder / "index.html")


def test_findings_lead_and_lead_to_their_figures(page, contents):
    first = page.every("main > section", "id")[:4]
    assert first == ["summary", "findings", "figures", "heat"]
    shown = page.of("#findings")
    made = contents.study.figures.values()
    largest = sorted((each for each in made if each.size), key=lambda each: -each.size)
    places = [shown.index(figure.finding) for figure in largest]
    assert places == sorted(places)
    assert len(places) < len(made)  # what was not found is none of them
    anchors = page.every(".findings a", "hash.slice(1)")
    assert set(anchors) <= set(page.every("[id]", "id"))


def test_the_slider_chooses_a_threshold(page):
    page.focus("#figure-valid-labels input")
    for threshold in ("0.5", "0.7"):
        assert page.of("#figure-valid-labels output") == threshold
        frames = "#figure-valid-labels .frame:not([hidden])"
        assert page.every(frames, "dataset.caption") == [threshold]
        page.press("ArrowRight", "ArrowRight")


def test_one_model_is_shown_in_all_figures(page):
    page.focus(".models button")
    page.press("Enter")
    faint = page.every(".faint", "getAttribute('aria-label')")
    assert {text.split(":")[0] for text in faint} == {"middling", "strong"}
    assert len(set(page.every(".faint", "closest('.drawing').id"))) >= 7
    page.press("Enter")
    assert page.every(".faint") == []


def test_matrices_of_people_and_models_zoom_in_and_lead_to_the_items(page):
    page.focus("#heat-tables [tabindex='0']")
    read = page.of("#heat-cell")
    assert read.startswith("people: =animals called =animals: ")
    assert "; strong: =animals called =animals: " in read
    page.press("ArrowRight")
    assert "called tools" in page.of("#heat-cell")
    page.press("ArrowLeft", "Enter")
    assert "name of class0 called name of class0" in page.of("#heat-cell")
    assert page.of("#heat-place") == "all → =animals called =animals"
    page.press("Escape")
    assert page.of("#heat-place") == "all"
    page.press("Enter", "ArrowDown", "Enter")
    page.wait("location.hash.startsWith('#items?')")
    address = page.run(
        "Object.fromEntries(new URLSearchParams(location.hash.slice(7)))"
    )
    expected = {"class": "name of class1", "as": "dataset", "pair": "name of class0"}
    assert address.items() >= expected.items()


def test_the_command_says_what_was_found(command, capsys, monkeypatch):
    folder, out = command
    assert out.startswith("Where people see something else than the data set's label")
    assert "not drawn" not in out
    assert "open study/index.html in a browser" in " ".join(out.split())
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit):
        main([*STUDY, "--out", "study"])
    assert "already exists" in capsys.readouterr().err


def test_a_report_of_a_run_and_its_responses_leads_with_findings(command, monkeypatch):
    monkeypatch.chdir(command[0])
    main(["report", *STUDY[1:], "--out", "one.html"])
    assert 'id="findings"' in Path("one.html").read_text()
