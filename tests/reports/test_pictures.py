import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from consilience.errors import OptionError, SourceError
from consilience.reports import pictures as module
from consilience.reports.pictures import SIDE, make_pictures


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


def test_ids_out_of_the_folder_or_of_no_picture_open_nothing(folder):
    outside = ["../secret", "../secret.png", str(folder.parent / "secret.png")]
    assert dict(make_pictures(folder, [*outside, "broken", "notes", "c"])) == {}


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
    for absent in ("none", "none.csv"):
        with pytest.raises(SourceError, match=r"no such folder.*check the path"):
            make_pictures(tmp_path / absent, ["x"])


def opened(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


def test_pictures_are_turned_and_converted_as_classify_does(tmp_path):
    half = Image.new("RGB", (40, 20), "red")
    half.paste("blue", (20, 0, 40, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    half.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    Image.new("RGBA", (9, 9), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    Image.new("CMYK", (9, 9), (0, 0, 0, 0)).save(tmp_path / "print.jpg")
    deep = np.full((9, 9), 32896, np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    kept = make_pictures(tmp_path, ["turned", "clear", "print", "deep"])
    turned = opened(kept["turned"])
    assert turned.shape == (40, 20, 3)
    assert turned[:15, :, 0].min() > 200
    assert turned[25:, :, 0].max() < 50
    assert opened(kept["clear"]).min() > 250
    assert opened(kept["print"]).min() > 250
    assert abs(opened(kept["deep"]) - 128).max() <= 2


def test_nothing_goes_with_a_picture_that_a_camera_wrote(tmp_path):
    exif = Image.Exif()
    exif[0x010E] = "at home"  # ImageDescription
    whole = Image.new("RGB", (40, 20), "red")
    more = {"comment": b"by me", "icc_profile": b"a profile"}
    whole.save(tmp_path / "a.jpg", exif=exif, **more)
    content = (tmp_path / "a.jpg").read_bytes()
    assert all(each in content for each in (b"at home", b"by me", b"a profile"))
    kept = make_pictures(tmp_path, ["a"])["a"]
    for each in (b"at home", b"by me", b"a profile", b"Exif"):
        assert each not in kept


def test_few_pictures_are_in_memory_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "cpu_count", lambda: 2)
    waiting, most = 0, 0

    def images():
        """Count how many images have been asked for ahead."""
        nonlocal waiting, most
        for number in range(500):
            waiting += 1
            most = max(most, waiting)
            yield module.Image(str(number), bytes)

    monkeypatch.setattr(module, "_find", lambda *_: (500, images()))
    monkeypatch.setattr(module, "_picture", lambda *_: b"x" * 1000)

    def taken(_):
        nonlocal waiting
        waiting -= 1

    kept = make_pictures(tmp_path, [], report=taken)
    assert len(kept) == 500
    assert 2 < most <= 2 * module._AHEAD + 1


def test_a_size_is_in_pixels_and_within_bounds(folder):
    # A picture keeps its shape, and none is enlarged.
    expected = {SIDE: (320, 213), 100: (100, 67), 1000: (600, 400)}
    for size, shape in expected.items():
        kept = Image.open(io.BytesIO(make_pictures(folder, ["a"], size=size)["a"]))
        assert (kept.format, kept.size) == ("JPEG", shape)
    for size in (0, 31, 5000):
        with pytest.raises(OptionError, match="from 32 to 4096"):
            make_pictures(folder, ["a"], size=size)
