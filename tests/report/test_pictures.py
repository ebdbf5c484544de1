import io

import pandas as pd
import pytest
from PIL import Image

from consilience.errors import SourceNotFoundError
from consilience.report.pictures import SIDE, make_pictures


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "images"
    (place / "dogs").mkdir(parents=True)
    for name, size in (("a.png", (600, 400)), ("dogs/b.jpg", (50, 400))):
        Image.new("RGB", size, "teal").save(place / name)
    Image.new("RGB", (9, 9)).save(tmp_path / "secret.png")
    (place / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    (place / "notes.txt").write_text("a")
    return place


def test_a_picture_is_found_by_its_name_with_or_without_suffix_and_folder(folder):
    names = ["a", "a.png", "dogs/b.jpg", "dogs/b", "b"]
    assert set(make_pictures(folder, names)) == set(names)


def test_a_picture_becomes_small_and_keeps_its_shape(folder):
    small = Image.open(io.BytesIO(make_pictures(folder, ["a"])["a"]))
    assert small.format == "JPEG"
    assert small.size == (SIDE, SIDE * 2 // 3)


def test_an_id_that_is_a_path_out_of_the_folder_opens_nothing(folder):
    outside = ["../secret", "../secret.png", str(folder.parent / "secret.png")]
    assert dict(make_pictures(folder, outside)) == {}


def test_what_is_no_picture_is_left_out(folder):
    assert dict(make_pictures(folder, ["broken", "notes", "c"])) == {}


def test_a_name_of_two_pictures_names_neither(folder):
    (folder / "cats").mkdir()
    Image.new("RGB", (9, 9)).save(folder / "cats" / "b.png")
    assert set(make_pictures(folder, ["b", "dogs/b", "cats/b"])) == {"dogs/b", "cats/b"}


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SourceNotFoundError, match="no such folder"):
        make_pictures(tmp_path / "none", ["a"])


def test_lists_and_tables_that_classify_takes_name_their_items(tmp_path):
    (tmp_path / "deep").mkdir()
    picture = tmp_path / "deep" / "one.png"
    Image.new("RGB", (600, 400), "red").save(picture)
    (tmp_path / "list.csv").write_text("item,path\nfirst,deep/one.png\nno,gone.png\n")
    result = make_pictures(tmp_path / "list.csv", ["first", "no", "other"])
    assert list(result) == ["first"]
    assert Image.open(io.BytesIO(result["first"])).size == (320, 213)
    (tmp_path / "paths.txt").write_text("deep/one.png\n")
    assert list(make_pictures(tmp_path / "paths.txt", ["one"])) == ["one"]
    table = pd.DataFrame({"item": ["x", "bad"], "image": [picture.read_bytes(), b"?"]})
    table.to_parquet(tmp_path / "images.parquet")
    assert list(make_pictures(tmp_path / "images.parquet", ["x", "bad"])) == ["x"]
    with pytest.raises(SourceNotFoundError, match="check the path"):
        make_pictures(tmp_path / "none.csv", ["x"])
