"""Task files: what they hold, what they never hold, and in which order."""

import csv
import json
from itertools import chain
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.stats import chisquare

import consilience as cs
from consilience.classifiers.predictions import from_table
from consilience.errors import OptionError, SourceError

PREFIX = "https://example.org/images/"
FORMULA = tuple("=+-@\t\r\n'")
HOSTILE = [
    "=HYPERLINK(1)",
    "+1",
    "-1",
    "@sum",
    "'a",
    "<script>alert(1)</script>",
    '" onerror="alert(1)',
    "${image_url}",
    "../../secret",
    "/etc/passwd",
    "lists/000001.txt",
]


@pytest.fixture
def candidates():
    rows = [(item, label) for item in HOSTILE for label in HOSTILE[:4]]
    return pd.DataFrame(rows, columns=["item", "label"])


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.png", "deep/b c.png", "other.png"):
        Image.new("RGB", (2, 2)).save(folder / name)
    return folder


def cells(file):
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.reader(opened))


def test_no_cell_is_a_formula_markup_or_variable(candidates, tmp_path):
    listed = cs.images.write_tasks(
        candidates, tmp_path / "m", tool="mturk", image_prefix=PREFIX
    )
    for cell in chain(*cells(listed / "input.csv")[1:]):
        assert not cell.startswith(FORMULA)
        assert not set(cell) & set("<>\"'$")
        assert cell.isascii()
    page = (listed / "question.html").read_text("utf-8")
    assert not any(text in page for text in HOSTILE if text != "${image_url}")
    subjects = cs.images.write_tasks(
        candidates, tmp_path / "z", tool="zooniverse", image_prefix=PREFIX
    )
    for image, list_, record in cells(subjects / "manifest.csv")[1:]:
        assert image.startswith(PREFIX)
        assert list_.startswith("lists/0")
        assert record.startswith("{")
        # The uploader takes a cell for a file where there is one of this name.
        assert not (subjects / record[:99]).exists()


def test_a_question_is_text_in_every_file(candidates, tmp_path):
    question = '</script><b>5 & 6</b> "$x"?'
    options = {"question": question, "image_prefix": PREFIX, "kind": "objects"}
    place = cs.images.write_tasks(
        candidates, tmp_path / "l", tool="label-studio", **options
    )
    root = ET.parse(place / "config.xml").getroot()  # noqa: S314 (our own)
    assert root.find("Header").get("value") == question
    choices = {tag.get("name"): dict(tag.attrib) for tag in root.iter("Choices")}
    assert choices["labels"]["choice"] == "multiple"
    assert choices["main"]["choice"] == "single"
    assert choices["labels"]["value"] == "$options"
    assert {tag.get("toName") for tag in root.iter("Choices")} == {"image"}
    place = cs.images.write_tasks(candidates, tmp_path / "m", tool="mturk", **options)
    page = (place / "question.html").read_text("utf-8")
    assert page.count("</script>") == 2
    assert "<b>" not in page
    place = cs.images.write_tasks(
        candidates, tmp_path / "z", tool="zooniverse", **options
    )
    tasks = json.loads((place / "workflow.json").read_text("utf-8"))["tasks"]
    assert tasks["T0"]["question"] == question
    assert [each["type"] for each in tasks.values()] == ["multiple", "single"]
    answers = [answer["label"] for answer in tasks["T0"]["answers"]]
    assert answers == ["1", "2", "3", "4", "none of these"]


def order(folder):
    offered = pd.read_parquet(folder / "offered.parquet")
    return offered.set_index(["item", "label"])["position"].unstack("label")  # noqa: PD010


def test_every_place_on_the_screen_is_as_likely_for_every_label(tmp_path):
    labels = ["a", "b", "c", "d"]
    items = [f"i{number}" for number in range(600)]
    frame = pd.DataFrame(
        [(item, label) for item in items for label in labels], columns=["item", "label"]
    )
    options = {"tool": "mturk", "image_prefix": PREFIX}
    first = order(cs.images.write_tasks(frame, tmp_path / "0", **options))
    for label in labels:
        counts = np.bincount(first[label], minlength=5)[1:]
        assert chisquare(counts).pvalue > 0.001
    assert (first["none of these"] == 5).all()
    # The order as it was given favours places, and the test sees it.
    given = np.bincount([1] * 600, minlength=5)[1:]
    assert chisquare(given).pvalue < 0.001
    # It hangs on the item and the seed, not on the other items.
    some = order(cs.images.write_tasks(frame.tail(400), tmp_path / "1", **options))
    assert some.equals(first.loc[some.index])
    other = order(cs.images.write_tasks(frame, tmp_path / "2", seed=1, **options))
    assert 0.5 < (other["a"] != first["a"]).mean() < 0.95
    readme = (tmp_path / "0" / "README.txt").read_text("utf-8")
    assert "drawn at random for each item (seed 0)" in readme


def test_images_go_by_path_name_or_stem(images, tmp_path):
    for number, names in enumerate(
        (["a.png", "deep/b c.png"], ["a.png", "b c.png"], ["a", "b c"])
    ):
        frame = pd.DataFrame({"item": names, "label": "x"})
        place = cs.images.write_tasks(
            frame, tmp_path / f"z{number}", tool="zooniverse", images=images
        )
        rows = cells(place / "manifest.csv")[1:]
        assert [row[0] for row in rows] == [
            "./../images/a.png",
            "./../images/deep/b c.png",
        ]
        assert all((place / row[0]).is_file() for row in rows)
        place = cs.images.write_tasks(
            frame, tmp_path / f"l{number}", tool="label-studio", images=images
        )
        tasks = json.loads((place / "tasks.json").read_text("utf-8"))
        assert [task["data"]["image"] for task in tasks] == [
            "/data/local-files/?d=a.png",
            "/data/local-files/?d=deep/b%20c.png",
        ]


def test_a_folder_of_candidates_gives_the_names_of_codes(tmp_path):
    ranks = pd.DataFrame({"item": "a", "label": ["134", "517", "3"], "rank": [1, 2, 3]})
    predictions = from_table(ranks, "net", "a list")
    names = pd.DataFrame(
        {"label": ["134", "517", "3"], "name": ["crane", "crane", "<shark>"]}
    )
    predictions = type(predictions)(
        table=predictions.table,
        images=predictions.images,
        labels=names,
        families=predictions.families,
        num_labels=predictions.num_labels,
    )
    pooled = cs.images.candidates([predictions])
    pooled.save(tmp_path / "candidates")
    options = {"tool": "label-studio", "image_prefix": PREFIX, "none": False}
    for number, given in enumerate((pooled, tmp_path / "candidates")):
        place = cs.images.write_tasks(given, tmp_path / f"{number}", top=2, **options)
        (task,) = json.loads((place / "tasks.json").read_text("utf-8"))
        shown = {each["alias"]: each["value"] for each in task["data"]["options"]}
        assert shown == {"134": "crane (134)", "517": "crane (517)"}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"top": 0}, OptionError, "top 0"),
        ({"image_prefix": None}, OptionError, "by their addresses"),
        ({"image_prefix": "javascript:alert(1)//"}, OptionError, "addresses start"),
        ({"tool": "zooniverse", "image_prefix": None}, OptionError, "folder"),
        ({"images": "nowhere"}, SourceError, "no folder of images"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path, change, error, message):
    frame = pd.DataFrame({"item": ["a"], "label": ["x"]})
    options = {"tool": "mturk", "image_prefix": PREFIX} | change
    with pytest.raises(error, match=message):
        cs.images.write_tasks(frame, tmp_path / "tasks", **options)
    assert not (tmp_path / "tasks").exists()
