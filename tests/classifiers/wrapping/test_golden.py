"""A golden picture shows that a folder answers as it did when it was made."""

import numpy as np
import pytest
import skimage
from models.exporting.photographs import photograph

from consilience.classifiers import check_golden, read_manifest
from consilience.errors import SourceError

from ..conftest import change_manifest, graph, write_classifier
from .conftest import colours

LABELS = ("red", "green", "blue")


def test_the_golden_photographs_of_the_kept_networks_are_compared(
    kept_folder, tmp_path
):
    assert check_golden(kept_folder, photographs=skimage.data_dir) < 0.1
    with pytest.raises(SourceError, match=r"coffee is missing.*photographs="):
        check_golden(kept_folder)
    folder = write_classifier(tmp_path / "tiny", graph().SerializeToString())
    assert np.isnan(check_golden(folder))  # it has no golden picture


@pytest.mark.parametrize(
    "change",
    [
        ('mode = "crop"', 'mode = "squash"'),
        ("resize = 9", "resize = 20"),
        None,  # another picture
    ],
)
def test_another_preprocessing_or_picture_is_noticed(made, tmp_path, change):
    made(colours(), LABELS, scale=1)
    folder = tmp_path / "made"
    assert check_golden(folder) < 1e-3
    if change is None:
        (folder / "golden.png").write_bytes(photograph("coffee"))
    else:
        change_manifest(folder, *change)
    with pytest.raises(SourceError, match=r"golden picture golden\.png differs"):
        check_golden(folder)
    both = '[[golden]]\nphotograph = "cat"'
    change_manifest(folder, "[[golden]]", both)
    with pytest.raises(SourceError, match="name one of the two"):
        read_manifest(folder)
