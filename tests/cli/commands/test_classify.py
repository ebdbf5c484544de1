"""From photographs to a fit with candidates, through the command line."""

import json
from pathlib import Path

import pandas as pd
import pytest
from models.exporting.photographs import photograph

from consilience.classifiers.pieces import Pieces

LITE0 = Path(__file__).parents[3] / "models" / "efficientnet_lite0"


@pytest.fixture
def photographs(tmp_path):
    folder = tmp_path / "photographs"
    folder.mkdir()
    for name in ("coffee", "chelsea"):
        (folder / f"{name}.png").write_bytes(photograph(name))
    (folder / "broken.png").write_bytes(b"no image")
    (folder / "notes.txt").write_text("not an image")
    return folder


def classify(run, photographs, *more):
    return run(
        "images", "classify", photographs, "--model-dir", LITE0, "--out", "p", *more
    )


def test_photographs_become_candidates_by_name(run, photographs, capsys, tmp_path):
    assert classify(run, photographs, "--naming", "stem", "--json") == 0
    said = capsys.readouterr()
    output = json.loads(said.out)
    assert (output["classified"], output["unusable"]) == (3, 1)
    assert "skipped, because their names are not those of images: 1" in said.err
    assert "ran on the" in said.err
    assert "1 could not be used" in said.err
    assert run("images", "candidates", "p", "--label-column", "name", "--out", "c") == 0
    assert "2 candidates of" not in capsys.readouterr().out
    table = pd.read_parquet(tmp_path / "c" / "candidates.parquet")
    coffee = list(table.loc[table["item"] == "coffee", "label"])
    assert coffee[:2] == ["espresso", "cup"]
    assert len(coffee) == 5


def test_earlier_predictions_stay_until_the_new_ones_are_complete(
    run, photographs, tmp_path, monkeypatch, capsys
):
    def files():
        return {
            path.relative_to(tmp_path): path.read_bytes()
            for path in (tmp_path / "p").rglob("*")
            if path.is_file()
        }

    assert classify(run, photographs) == 0
    capsys.readouterr()
    assert classify(run, photographs) == 0
    assert "0 images; 3 were done before" in capsys.readouterr().out
    before = files()
    of_photographs = ("images", "classify", photographs, "--out", "p")
    mistyped = (*of_photographs, "--model-dir", "modles")
    assert run(*mistyped, "--overwrite") == 2
    assert files() == before

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Pieces, "add", stop)
        assert classify(run, photographs, "--overwrite", "--keep", "3") == 130
    assert files() == before
    assert {path.name for path in tmp_path.iterdir()} == {"p", "photographs"}
    assert classify(run, photographs, "--overwrite", "--keep", "3") == 0
    assert files() != before
    assert {path.name for path in tmp_path.iterdir()} == {"p", "photographs"}


def test_a_folder_that_is_something_else_is_left_alone(run, photographs, tmp_path):
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "mine.txt").write_text("precious")
    assert classify(run, photographs) == 2
    assert classify(run, photographs, "--overwrite") == 2
    assert (tmp_path / "p" / "mine.txt").read_text() == "precious"


@pytest.mark.parametrize(
    "arguments",
    [
        ("images", "classify", "nowhere", "--model-dir", LITE0, "--out", "p"),
        ("images", "classify", ".", "--out", "p"),
        ("images", "candidates", "nowhere", "--out", "c"),
        ("images", "candidates", "top5.npy", "--out", "c"),
    ],
)
def test_a_mistake_is_answered_with_one_sentence(run, capsys, tmp_path, arguments):
    assert run(*arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("consilience: ")
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_photographs_become_labels_without_a_file_made_by_hand(
    run, photographs, capsys, tmp_path
):
    Path("answers.csv").write_text(
        "item,annotator,label\ncoffee,a,espresso\ncoffee,b,hippopotamus\n"
        "chelsea,a,tabby\nchelsea,b,tabby\n",
        encoding="utf-8",
    )
    assert classify(run, photographs, "--naming", "stem") == 0
    assert run("images", "candidates", "p", "--out", "c") == 0
    how = ("--model", "dawid_skene", "--engine", "em")
    given = ("answers.csv", "--candidates", "c")
    assert run("fit", *given, *how, "--out", "run", "-v") == 0
    assert "labels of candidates are called by their column 'name'" in " ".join(
        capsys.readouterr().out.split()
    )
    beside = ("--responses", "answers.csv", "--images", photographs)
    assert run("report", "run", *beside, "--out", "report.html") == 0
    assert "data:image" in (tmp_path / "report.html").read_text("utf-8")
    labels = pd.read_parquet(tmp_path / "run" / "tables" / "labels.parquet")
    coffee = set(labels.loc[labels["item"] == "coffee", "label"].astype(str))
    assert {"espresso", "hippopotamus", "cup"} < coffee
