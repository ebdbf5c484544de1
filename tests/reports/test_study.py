"""A study as a folder and as a page: files, and what a person does by keyboard."""

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.cli import main
from consilience.errors import FolderExistsError, OptionError
from consilience.reports import gather, write_study
from consilience.reports.columns import heat

TESTS = Path(__file__).parent.parent


def _world():
    """Load what the tests of the figures are made of."""
    spec = importlib.util.spec_from_file_location(
        "study_world", TESTS / "figures" / "conftest.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def parts():
    return _world().make_parts()


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
        {"rule": parts["fit"]}, responses=parts["responses"], study=study, bootstrap=0
    )


@pytest.fixture(scope="module")
def folder(contents, tmp_path_factory):
    out = tmp_path_factory.mktemp("study") / "study"
    page = write_study(contents, out)
    assert page == out / "index.html"
    return out


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
    assert names["label_a_name"].str.startswith("name of ").all()


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
    before = (folder / "index.html").read_bytes()
    write_study(contents, folder, overwrite=True)
    assert (folder / "index.html").read_bytes() == before


def test_if_writing_fails_nothing_is_left(contents, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("consilience.reports.written.write", fail)
    with pytest.raises(KeyboardInterrupt):
        write_study(contents, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_report_without_a_study_is_refused(report, tmp_path):
    with pytest.raises(OptionError, match="the report has no study"):
        write_study(report, tmp_path / "out")


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
def page(browser_page, folder):
    browser_page.scheme("light")
    browser_page.size(1280, 900)
    browser_page.open(folder / "index.html")
    return browser_page


def focus(page, selector):
    page.run(f"document.querySelector({json.dumps(selector)}).focus()")


def text(page, selector):
    return page.run(f"document.querySelector({json.dumps(selector)}).textContent")


def test_findings_lead_and_lead_to_their_figures(page, contents):
    sections = page.run(
        "[...document.querySelectorAll('main > section')].map((s) => s.id)"
    )
    assert sections[:3] == ["findings", "figures", "heat"]
    shown = text(page, "#findings")
    for figure in contents.study.figures.values():
        assert figure.finding in shown
    anchors = page.run(
        "[...document.querySelectorAll('.findings a')].every((link) =>"
        " document.querySelector(link.getAttribute('href')))"
    )
    assert anchors is True


def test_arrows_read_the_marks_of_a_chart(page):
    focus(page, "#figure-main-label .chart")
    read_out = "#figure-main-label .read-out"
    assert text(page, read_out) == ""
    page.press("ArrowRight")
    first = text(page, read_out)
    page.press("ArrowRight")
    second = text(page, read_out)
    page.press("Home")
    assert text(page, read_out) == first != second
    assert first.split(":")[0] in {"weak", "middling", "strong"}
    page.press("Escape")
    assert text(page, read_out) == ""


def test_the_slider_chooses_a_threshold(page):
    focus(page, "#figure-valid-labels input")
    output = "#figure-valid-labels output"
    frames = (
        "[...document.querySelectorAll('#figure-valid-labels .frame:not([hidden])')]"
        ".map((frame) => frame.dataset.caption)"
    )
    assert text(page, output) == "0.5"
    assert page.run(frames) == ["0.5"]
    page.press("ArrowRight", "ArrowRight")
    assert text(page, output) == "0.7"
    assert page.run(frames) == ["0.7"]


def test_one_model_is_shown_in_all_figures(page):
    focus(page, ".models button")
    page.press("Enter")
    faint = (
        "[...document.querySelectorAll('.faint')]"
        ".map((mark) => mark.getAttribute('aria-label').split(':')[0])"
    )
    assert set(page.run(faint)) == {"middling", "strong"}
    figures = page.run(
        "new Set([...document.querySelectorAll('.faint')]"
        ".map((mark) => mark.closest('.drawing').id)).size"
    )
    assert figures >= 7
    page.press("Enter")
    assert page.run(faint) == []


def test_matrices_of_people_and_models_zoom_in_and_lead_to_the_items(page):
    focus(page, "#heat-tables [tabindex='0']")
    read = text(page, "#heat-cell")
    assert read.startswith("people: =animals called =animals: ")
    assert "; strong: =animals called =animals: " in read
    page.press("ArrowRight")
    assert "called tools" in text(page, "#heat-cell")
    page.press("ArrowLeft", "Enter")
    assert "name of class0 called name of class0" in text(page, "#heat-cell")
    assert text(page, "#heat-place") == "all → =animals called =animals"
    page.press("Escape")
    assert text(page, "#heat-place") == "all"
    page.press("Enter", "ArrowDown", "Enter")
    page.wait("location.hash.startsWith('#items?')")
    address = page.run(
        "Object.fromEntries(new URLSearchParams(location.hash.slice(7)))"
    )
    expected = {"class": "name of class1", "as": "dataset", "pair": "name of class0"}
    assert address.items() >= expected.items()


def test_the_rows_of_a_figure_lead_to_their_items(page):
    page.run("document.querySelector('#figure-confused-labels details').open = true")
    focus(page, "#figure-confused-labels td a")
    page.press("Enter")
    page.wait("location.hash.startsWith('#items?')")
    count = "parseInt(document.querySelector('#items-count').textContent)"
    page.wait(f"{count} < 60")
    assert page.run(count) > 0


def test_the_first_column_stays_where_a_table_is_wide(page):
    page.size(400, 900)
    table = "#figure-accuracy-by-objects"
    page.run(f"document.querySelector('{table} details').open = true")
    place = f"document.querySelector('{table} tbody th').getBoundingClientRect().left"
    before = page.run(place)
    box = f"document.querySelector('{table} .table')"
    assert page.run(f"({box}.scrollLeft = 200, {box}.scrollLeft)") == 200
    assert page.run(place) == before
    assert page.run("document.documentElement.scrollWidth") == 400


def test_on_paper_no_column_is_lost(page):
    page.send("Emulation.setEmulatedMedia", media="print")
    page.size(720, 1000)  # about the width of a page of A4
    page.run("dispatchEvent(new Event('beforeprint'))")
    lost = page.run(
        "[...document.querySelectorAll('.table th, .table td')].filter((cell) => {"
        " const box = cell.getBoundingClientRect();"
        " return box.width && (box.right > 721 || cell.scrollWidth > box.width + 1);"
        "}).length"
    )
    page.send("Emulation.setEmulatedMedia", media="")
    assert lost == 0


def test_the_command_writes_a_study(parts, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cs.write(parts["responses"], "responses")
    parts["fit"].save("run")
    parts["contains"].save("alone")
    parts["predictions"].to_csv("predictions.csv", index=False)
    options = ["--predictions", "predictions.csv", "--contains", "alone"]
    options += ["--resamples", "20", "--out", "study"]
    main(["study", "run", "--responses", "responses", *options])
    out = capsys.readouterr().out
    assert "show several objects" in out
    assert "not drawn" not in out
    assert "open study/index.html in a browser" in " ".join(out.split())
    main(["report", "run", "--responses", "responses", *options[:-1], "one.html"])
    assert 'id="findings"' in Path("one.html").read_text()
    with pytest.raises(SystemExit):
        main(["study", "run", "--responses", "responses", *options])
    assert "already exists" in capsys.readouterr().err
