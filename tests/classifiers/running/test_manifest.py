"""A folder is what its manifest says, or is refused."""

import pytest

from consilience.classifiers.manifest import parse_labels, read_manifest
from consilience.errors import SourceError

from ..conftest import change_manifest


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"model.onnx"', '"../other/model.onnx"', "network.file"),
        ('"model.onnx"', '"/etc/passwd"', "network.file"),
        ("schema = 1", "schema = 2", "schema"),
        ("schema = 1", 'schema = 1\ncolour = "red"', "colour"),
        ("size = 8", "size = 0", "size"),
        ('mode = "squash"', 'mode = "stretch"', "mode"),
        ('mode = "squash"', 'mode = "crop"', "shorter side"),
        ("schema = 1", "schema =", "manifest.toml"),
    ],
)
def test_a_manifest_that_is_not_as_it_must_be_is_refused(tiny, old, new, said):
    folder = tiny()
    change_manifest(folder, old, new)
    with pytest.raises(SourceError, match=said):
        read_manifest(folder)
    (folder / "manifest.toml").unlink()
    with pytest.raises(SourceError, match=r"holds no manifest\.toml"):
        read_manifest(folder)


def test_the_thousand_classes_have_a_name_each_and_ids_in_order(lite0_folder):
    labels = parse_labels((lite0_folder / "labels.tsv").read_bytes(), "here")
    assert labels.label == tuple(map(str, range(1000)))
    assert list(labels.columns["wnid"]) == sorted(set(labels.columns["wnid"]))
    assert len({name.lower() for name in labels.columns["name"]}) == 1000
    first = [text.split(", ")[0] for text in labels.columns["synonyms"]]
    assert len(set(first)) == 998  # two pairs share their first name
