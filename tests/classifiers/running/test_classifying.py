"""Classifying: complete, in order, resumable after any kill, flat in memory."""

import os

import msgspec
import numpy as np
import pytest
from PIL import Image

from consilience.classifiers import classify, classifying, read_predictions
from consilience.classifiers.manifest import Pixels, Preprocessing
from consilience.classifiers.pieces import Pieces
from consilience.classifiers.predictions import read_account
from consilience.errors import DataError

from ..conftest import as_bytes, change_manifest

BY_FOUR = {"device": "cpu", "batch": 4, "readers": 2, "threads": 1}


def run(images, folders, out, **how):
    return classify([images], folders, out, **BY_FOUR, **how)


@pytest.fixture
def finished(tiny, pictures, tmp_path, monkeypatch):
    """Classify thirty images in small pieces."""
    monkeypatch.setattr(classifying, "PIECE", 8)
    images, folder, out = pictures(30), tiny(), tmp_path / "out"
    run(images, [folder], out)
    return images, folder, out


def pieces(out):
    """Return every file of the predictions and its bytes."""
    files = sorted(out.glob("*/part-*.parquet"))
    return {file.relative_to(out).as_posix(): file.read_bytes() for file in files}


def test_every_image_has_the_best_labels_of_every_classifier(tiny, pictures, tmp_path):
    images, out = pictures(10), tmp_path / "out"
    one, two = tiny("one"), tiny("two", outputs=30, labels=tuple(map(str, range(30))))
    result = run(images, [one, two], out, keep=20)
    assert (result.classified, result.before, result.unusable) == (10, 0, 0)
    table = read_predictions(out).table
    number = table.groupby(["model", "item"], observed=True).size()
    assert (number["one"] == 3).all()
    assert (number["two"] == 20).all()
    assert list(table["item"].unique()) == [f"{i:04d}.png" for i in range(10)]
    best = table[table["model"] == "one"]
    sums = best.groupby("item", observed=True)["probability"].sum()
    assert np.allclose(sums, 1)
    assert (best.groupby("item", observed=True)["logit"].diff().dropna() <= 0).all()


def test_answers_are_those_of_the_network_for_each_image(tiny, pictures, tmp_path):
    images, out = pictures(9), tmp_path / "out"
    run(images, [tiny()], out)
    table = read_predictions(out).table
    weights = (np.random.default_rng(0).normal(size=(3, 3)) / 20).astype(np.float32)
    for item, rows in table.groupby("item", observed=True):
        colour = np.asarray(Image.open(images / item))[0, 0].astype(np.float32)
        logits = dict(zip("abc", colour @ weights, strict=True))
        assert list(rows["label"]) == sorted(logits, key=logits.get, reverse=True)
        assert np.allclose(rows["logit"], sorted(logits.values())[::-1], atol=1e-3)


def test_odd_images_are_recorded_with_their_reason_and_the_rest_goes_on(
    tiny, pictures, tmp_path
):
    images, out = pictures(7), tmp_path / "out"
    (images / "0001.png").write_bytes(b"")
    (images / "0003.png").write_bytes(b"text")
    (images / "0004.png").write_bytes(as_bytes(Image.new("RGB", (1, 1))))
    (images / "0005.png").unlink()
    (images / "0005.png").symlink_to(images / "nowhere")
    (images / "0006.png").chmod(0)
    listed = "".join(f"images/{i:04d}.png\n" for i in range(7))
    (tmp_path / "list.txt").write_text(listed)
    result = run(tmp_path / "list.txt", [tiny()], out)
    assert (result.classified, result.unusable) == (7, 4 + (os.geteuid() > 0))
    predictions = read_predictions(out)
    reason = predictions.images.set_index("item")["reason"]
    assert "empty" in reason["images/0001.png"]
    assert "not an image" in reason["images/0003.png"]
    assert "only 1 x 1" in reason["images/0004.png"]
    assert "No such file" in reason["images/0005.png"]
    assert os.geteuid() == 0 or "denied" in reason["images/0006.png"]  # root reads all
    assert reason[["images/0000.png", "images/0002.png"]].isna().all()
    assert {"images/0000.png", "images/0002.png"} <= set(predictions.table["item"])
    assert not {"images/0001.png", "images/0003.png"} & set(predictions.table["item"])


def test_answers_that_are_not_finite_are_recorded_and_others_kept(
    tiny, pictures, tmp_path
):
    images, out = pictures(3), tmp_path / "out"
    (images / "0001.png").write_bytes(as_bytes(Image.new("RGB", (9, 9))))  # black
    result = run(images, [tiny("sound"), tiny("frail", not_on_black=True)], out)
    assert result.unusable == 1
    predictions = read_predictions(out)
    assert (
        "frail returns numbers that are not finite" in predictions.images["reason"][1]
    )
    models = predictions.table.groupby("item", observed=True)["model"].unique()
    assert list(models["0001.png"]) == ["sound"]
    assert sorted(models["0000.png"]) == ["frail", "sound"]


def test_taken_up_again_nothing_is_done_twice_and_all_is_as_if_uninterrupted(
    finished, tmp_path, monkeypatch
):
    images, folder, whole = finished
    read = []

    class StoppedError(Exception):
        pass

    def stop_after(number):
        def report(progress):
            if progress.done >= number:
                raise StoppedError

        return report

    original = classifying.prepare_image

    def counted(image, how):
        read.append(image.item)
        return original(image, how)

    monkeypatch.setattr(classifying, "prepare_image", counted)
    out = tmp_path / "broken"
    for number in (9, 20):
        with pytest.raises(StoppedError):
            run(images, [folder], out, report=stop_after(number))
        read.clear()
    before = pieces(out)
    result = run(images, [folder], out)
    assert result.before == 16  # two pieces were whole
    assert result.classified == 14
    assert sorted(read) == [f"{i:04d}.png" for i in range(16, 30)]
    assert pieces(out) == pieces(whole)
    assert {name: pieces(out)[name] for name in before} == before
    assert run(images, [folder], out).classified == 0


def test_what_a_kill_leaves_is_removed_and_images_that_came_later_are_added(finished):
    images, folder, out = finished
    whole = pieces(out)
    broken = out / "predictions" / "part-00001.parquet"
    broken.write_bytes(broken.read_bytes()[:100])
    for part in ("predictions", "images"):
        (out / part / ".part-00000.parquet.0123abcd.partial").mkdir()
    assert run(images, [folder], out).before == 8
    assert pieces(out) == whole
    assert not list(out.glob("**/*.partial"))
    (images / "0000a.png").write_bytes(as_bytes(Image.new("RGB", (9, 9), "red")))
    result = run(images, [folder], out)
    assert (result.before, result.classified) == (30, 1)
    assert read_predictions(out).table["item"].nunique() == 31


@pytest.mark.parametrize(
    ("of_one", "of_all", "said"),
    [
        ({"network": "0" * 64}, {}, "another network named tiny"),
        ({"preprocessing": Preprocessing(size=9)}, {}, "another preprocessing"),
        ({"pixels": Pixels(mean=(0,) * 3, scale=(1,) * 3)}, {}, "another preproc"),
        ({"family": "other"}, {}, "other labels or another family"),
        ({"name": "two"}, {}, "of tiny, not of two"),
        ({}, {"keep": 2}, "keep 20 labels, not 2"),
    ],
)
def test_what_others_began_is_not_taken_up(finished, of_one, of_all, said):
    *_, out = finished
    before, account = pieces(out), read_account(out)
    other = msgspec.structs.replace(account.classifiers[0], **of_one)
    now = msgspec.structs.replace(account, classifiers=(other,), **of_all)
    with pytest.raises(DataError, match=said):
        Pieces(out, now, [])
    assert Pieces(out, account, []).number == 4
    assert pieces(out) == before


def test_no_more_images_are_held_than_the_batches_ahead_need(
    tiny, pictures, tmp_path, monkeypatch
):
    held = {"now": 0, "most": 0, "read": 0}
    original, classify_batch = classifying.prepare_image, classifying.classify_batch

    def prepare(image, how):
        held["now"] += 1
        held["read"] += 1
        held["most"] = max(held["most"], held["now"])
        return original(image, how)

    def answer(batch, *rest):
        held["now"] -= len(batch)
        return classify_batch(batch, *rest)

    monkeypatch.setattr(classifying, "prepare_image", prepare)
    monkeypatch.setattr(classifying, "classify_batch", answer)
    run(pictures(150), [tiny()], tmp_path / "out")
    assert held["read"] == 150
    assert held["most"] <= (classifying.AHEAD + 2) * BY_FOUR["batch"]


@pytest.mark.parametrize(("mode", "resampled"), [("squash", 1), ("crop", 2)])
def test_an_image_is_decoded_once_for_all_networks_and_resampled_for_each_preprocessing(
    tiny, pictures, tmp_path, monkeypatch, mode, resampled
):
    images, one, two = pictures(7), tiny("one"), tiny("two", mode="squash")
    if mode == "crop":
        change_manifest(two, 'mode = "squash"', 'mode = "crop"\nresize = 9')
    calls = {"decode": 0, "prepare": 0}

    def counted(name):
        original = getattr(classifying, name)

        def call(*arguments):
            calls[name] += 1
            return original(*arguments)

        monkeypatch.setattr(classifying, name, call)

    counted("decode")
    counted("prepare")
    run(images, [one, two], tmp_path / "out")
    assert calls == {"decode": 7, "prepare": 7 * resampled}
    # One pass gives what two runs give.
    both = read_predictions(tmp_path / "out").table
    for folder in (one, two):
        run(images, [folder], tmp_path / folder.name)
        alone = read_predictions(tmp_path / folder.name).table
        same = both[both["model"] == folder.name].reset_index(drop=True)
        names = {"item": str, "label": str}
        one, other = (table.astype(names)[[*names, "logit"]] for table in (same, alone))
        assert one.equals(other)
