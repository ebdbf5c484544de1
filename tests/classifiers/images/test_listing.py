"""Images by folder, file, list and table, each under the name of its item."""

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from consilience.classifiers.images import list_images
from consilience.errors import SourceError


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "photos"
    (place / "deep").mkdir(parents=True)
    for name in ("b.png", "a.JPG", "deep/a.jpg", "notes.txt", ".hidden"):
        (place / name).write_bytes(name.encode())
    return place


def loaded(images, done=()):
    return {image.item: image.load() for image in images.besides(frozenset(done))}


def test_a_folder_gives_its_images_in_order_and_counts_the_rest(folder):
    images = list_images([folder])
    assert images.items == ("a.JPG", "b.png", "deep/a.jpg")
    assert images.left_aside == 2
    assert loaded(images)["deep/a.jpg"] == b"deep/a.jpg"
    assert set(loaded(images, {"b.png"})) == {"a.JPG", "deep/a.jpg"}


@pytest.mark.parametrize(
    ("naming", "names"), [("name", ("a.JPG", "b.png")), ("stem", ("a", "b"))]
)
def test_items_can_be_named_by_less_than_their_path(folder, naming, names):
    with pytest.raises(SourceError, match="2 images are named 'a'"):
        list_images([folder], naming="stem")
    (folder / "deep" / "a.jpg").unlink()
    assert list_images([folder], naming=naming).items == names


@pytest.mark.parametrize(
    ("name", "text", "items"),
    [
        ("list.txt", "photos/b.png\n\nphotos/a.JPG\n", None),
        ("list.csv", "item,path\nx,photos/b.png\ny,photos/a.JPG\n", ("x", "y")),
        ("list.tsv", "path\titem\nphotos/b.png\tx\nphotos/a.JPG\ty\n", ("x", "y")),
        ("list.csv", "path\nphotos/b.png\nphotos/a.JPG\n", None),
    ],
)
@pytest.mark.usefixtures("folder")
def test_lists_name_paths_from_where_they_are(tmp_path, name, text, items):
    (tmp_path / name).write_text(text)
    images = list_images([tmp_path / name])
    assert images.items == (items or ("photos/b.png", "photos/a.JPG"))
    assert list(loaded(images).values()) == [b"b.png", b"a.JPG"]


@pytest.mark.parametrize("shape", ["bytes", "struct", "paths"])
@pytest.mark.usefixtures("folder")
def test_parquet_holds_images_or_paths(tmp_path, shape):
    names, data = ["x", "y"], [b"one", b"two"]
    columns = {
        "bytes": {"item": names, "image": data},
        "struct": {
            "image": [{"bytes": d, "path": n} for d, n in zip(data, names, strict=True)]
        },
        "paths": {"item": names, "path": ["photos/b.png", "photos/a.JPG"]},
    }[shape]
    file = tmp_path / "images.parquet"
    parquet.write_table(pa.table(columns), file, row_group_size=1)
    images = list_images([file])
    assert images.items == ("x", "y")
    wanted = [b"b.png", b"a.JPG"] if shape == "paths" else data
    assert list(loaded(images).values()) == wanted
    assert list(loaded(images, {"x"}).values()) == wanted[1:]


def test_a_cell_without_an_image_is_an_error_of_that_image_alone(tmp_path):
    file = tmp_path / "images.parquet"
    pd.DataFrame({"item": ["x", "y"], "image": [None, b"two"]}).to_parquet(file)
    first, second = list_images([file]).besides(frozenset())
    with pytest.raises(OSError, match="no bytes"):
        first.load()
    assert second.load() == b"two"
