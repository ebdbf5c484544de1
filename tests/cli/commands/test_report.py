import json
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image


def test_a_run_becomes_one_file_that_is_replaced_only_when_asked(run, fitted, capsys):
    assert run("report", fitted, "--out", "report.html") == 0
    said = capsys.readouterr().out
    assert "written to report.html" in said
    text = Path("report.html").read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "Report of run" in text
    assert [path.name for path in Path().iterdir()] == ["report.html"]
    assert run("report", fitted, "--out", "report.html") == 2
    assert "pass --overwrite" in capsys.readouterr().err
    assert run("report", fitted, "--out", "report.html", "--overwrite") == 0


def test_responses_add_what_was_read_and_kept(run, fitted, export, columns, capsys):
    options = ("--responses", export, *columns)
    assert run("report", fitted, *options, "--out", "report.html", "--json") == 0
    output = json.loads(capsys.readouterr().out)
    assert output["items"] == 12
    assert output["bytes"] == Path("report.html").stat().st_size
    assert "Read 36 rows, kept 36: 36 answers" in Path("report.html").read_text()


def test_tables_of_models_and_pictures_are_shown(run, fitted, capsys):
    Path("images").mkdir()
    Image.new("RGB", (40, 30), "teal").save("images/001.png")
    scores = pd.DataFrame({"model": ["resnet"], "accuracy": [0.75]})
    scores.to_csv("by_model.csv", index=False)
    options = ("--evaluation", "by_model.csv", "--images", "images", "--title", "Cats")
    assert run("report", fitted, *options, "--out", "report.html") == 0
    assert "11 items have no picture in images" in capsys.readouterr().out
    text = Path("report.html").read_text()
    assert "<title>Cats</title>" in text
    assert "resnet" in text


def test_pictures_are_linked_and_of_the_size_that_is_asked(run, fitted, capsys):
    Path("images").mkdir()
    Image.new("RGB", (400, 300), "teal").save("images/001.png")
    options = ("--images", "images", "--pictures", "linked", "--out", "report.html")
    assert run("report", fitted, *options, "--picture-size", "100") == 0
    (picture,) = Path("report_files").glob("*.jpg")
    with Image.open(picture) as shown:
        assert shown.size == (100, 75)
    assert "report_files" in capsys.readouterr().out
    assert run("report", fitted, *options, "--picture-size", "9", "--overwrite") == 2
    assert "--picture-size 9: give the pixels" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("none",), "none: not found"),
        (("RUN", "--images", "none"), "no such folder of images"),
        (("RUN", "--responses", "none.csv"), "none.csv: there is no such file"),
    ],
)
def test_what_is_not_there_is_named_and_nothing_is_written(
    run, fitted, capsys, arguments, why
):
    given = [fitted if each == "RUN" else each for each in arguments]
    assert run("report", *given, "--out", "report.html") == 2
    assert why in capsys.readouterr().err
    assert not list(Path().iterdir())


@pytest.mark.parametrize("command", ["report", "study"])
def test_images_that_are_not_there_are_refused_before_any_work(run, capsys, command):
    # The run and the responses are not even looked for.
    given = ("nowhere", "--responses", "nowhere", "--images", "no/images")
    assert run(command, *given, "--out", "out.html") == 2
    assert "no/images: there is no such folder" in capsys.readouterr().err
