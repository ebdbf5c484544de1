"""The folder of ImageNetV2: best labels, and the list that names their rows."""

import json

import numpy as np
import pytest

import consilience as cs
from consilience.errors import SourceError

IMAGES = [["x.JPEG", "n02"], ["y.JPEG", "n01"], ["z.JPEG", "n02"]]


@pytest.fixture
def folder(tmp_path):
    def write(images=IMAGES, **arrays):
        listing = tmp_path / "imagenet-validation-original.json"
        listing.write_text(json.dumps({"seed": "1", "image_filenames": images}))
        for name, array in arrays.items():
            np.save(tmp_path / f"{name}.npy", array)
        return tmp_path

    return write


def test_the_listing_names_rows_and_labels_are_ranks_of_synsets(folder):
    place = folder(one=[[1, 0], [0, 1], [0, 1]], other=[[0], [0], [1]])
    read = cs.images.read_predictions(place)
    table = read.table.set_index(["model", "item", "rank"])["label"]
    assert len(table) == 9
    assert table["one", "x.JPEG", 1] == "1"
    assert table["one", "z.JPEG", 2] == "1"
    assert table["other", "z.JPEG", 1] == "1"
    assert read.dataset_labels.to_numpy().tolist() == [
        ["x.JPEG", "1"],
        ["y.JPEG", "0"],
        ["z.JPEG", "1"],
    ]
    assert read.labels.to_numpy().tolist() == [["0", "n01"], ["1", "n02"]]
    assert read.num_labels == {"one": 2, "other": 2}
    assert read.families == {"one": "one", "other": "other"}
    # Only that listing names the labels of the data set.
    (place / "imagenet-validation-original.json").unlink()
    with pytest.raises(SourceError, match=r"holds no predictions\.toml"):
        cs.images.read_predictions(place)


def test_public_predictions_and_answers_have_the_same_items_and_labels(data_folder):
    predictions = cs.images.read_predictions(data_folder / "imagenetv2")
    assert len(predictions.table) == 12 * 50_000 * 5
    best = predictions.table.query("rank == 1 and model == 'resnet50'")
    own = predictions.dataset_labels.set_index("item")["label"]
    right = best["label"].astype(str) == best["item"].astype(str).map(own)
    assert right.mean() == pytest.approx(0.7613, abs=5e-5)  # as published
    folders = [data_folder / "imagenet-multilabel", data_folder / "imagenetv2"]
    objects = cs.read(folders)
    asked = objects.items[objects.items["asked"]].set_index("item")["dataset_label"]
    assert asked.equals(own[asked.index].rename("dataset_label"))
    assert set(objects.items["item"]) <= set(own.index)
    names = objects.labels.set_index("label")["wnid"]
    assert predictions.labels.set_index("label")["wnid"].equals(names)
    contains = cs.read([data_folder / "reassessed-imagenet", folders[1]])
    known = contains.items.set_index("item")["dataset_label"]
    assert known.equals(own[known.index].rename("dataset_label"))
    assert len(known) == contains.num_items == 24_889
    fit = cs.fit(objects, model="tsipras2020")
    evaluation = cs.evaluate(
        fit, best, dataset_labels=predictions.dataset_labels, resamples=2
    )
    found = evaluation.models.query("subset == 'all' and metric == 'dataset_accuracy'")
    assert found["items"].item() == 6_761
    assert found["value"].item() == pytest.approx(0.7289, abs=5e-5)
