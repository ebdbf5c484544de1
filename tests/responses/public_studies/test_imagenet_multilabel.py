import pytest

from consilience.errors import UnreadableFileError
from consilience.responses import describe, read


def test_the_study_has_its_published_counts(data_folder):
    responses = read(data_folder / "imagenet-multilabel")
    design = describe(responses)
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
    assert tuple(first) == ("ILSVRC2012_val_00047683.JPEG", "325")
    assert any("not released" in sentence for sentence in responses.assumptions)


def test_a_missing_file_of_the_study_is_named(written):
    folder = written("study/annotations_classify_task.pkl", b"").parent
    with pytest.raises(
        UnreadableFileError, match=r"image_info\.pkl: the file is missing"
    ):
        read(folder)
