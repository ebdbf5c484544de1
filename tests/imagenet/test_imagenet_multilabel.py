import pytest

from consilience.errors import SourceError
from consilience.responses import describe, read, write


def test_the_study_has_its_published_counts(multilabel):
    responses, design = multilabel, describe(multilabel)
    assert design.kind == "objects"
    assert (design.responses, design.items, design.annotators) == (59_580, 6_761, 0)
    assert responses.offer == "unknown"
    assert responses.anonymous
    assert len(responses.labels) == 1000
    assert list(responses.labels.columns) == ["label", "name", "parent", "wnid"]
    assert (responses.labels["parent"] == "Dogs").sum() == 130
    sizes = responses.table.groupby("response_id", observed=True).size()
    assert sizes.value_counts().to_dict() == {
        1: 37_774, 2: 15_189, 3: 4_879, 4: 1_303, 5: 319, 6: 115, 7: 1,
    }  # fmt: skip
    assert responses.table["main"].sum() == 59_580
    first = responses.items.iloc[0]
    assert tuple(first) == ("ILSVRC2012_val_00047683.JPEG", "325", "fu", True)
    assert any("not released" in sentence for sentence in responses.assumptions)


def test_images_that_nobody_was_asked_about_are_items_without_answers(
    data_folder, multilabel, tmp_path
):
    alone = multilabel
    counts = alone.items["group"].value_counts().to_dict()
    assert counts == {"fu": 6_761, "easy": 2_923, "amb": 166, "mis": 150}
    assert alone.items["asked"].equals(alone.items["group"] == "fu")
    assert alone.items["dataset_label"].notna().equals(alone.items["asked"])
    assert "the class of 3,239 others" in str(alone.cleaning)
    both = read([data_folder / "imagenet-multilabel", data_folder / "imagenetv2"])
    assert both.items["dataset_label"].value_counts().unique().tolist() == [10]
    assert "the class of" not in str(both.cleaning)
    assert both.table.equals(alone.table)
    assert both.num_items == describe(both).items == 6_761
    write(both, tmp_path / "study")
    again = read(tmp_path / "study")
    assert again.items.equals(both.items)
    assert again.num_items == 6_761


def test_a_missing_file_of_the_study_is_named(written):
    folder = written("study/annotations_classify_task.pkl", b"").parent
    with pytest.raises(SourceError, match=r"image_info\.pkl: the file is missing"):
        read(folder)
