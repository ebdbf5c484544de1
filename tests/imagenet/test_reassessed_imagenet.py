import json

import numpy as np
import pytest

from consilience.errors import SourceError
from consilience.responses import describe, read

PAIRS = np.array([["a.JPEG", "1"], ["a.JPEG", "2"], ["b.JPEG", "1"]])


def cube(answers):
    """Return answers (None: not asked) of raters by pairs as the study stores them."""
    out = np.zeros((len(answers), len(answers[0]), 3))
    for r, row in enumerate(answers):
        for p, answer in enumerate(row):
            if answer is not None:
                out[r, p, ["no", "maybe", "yes"].index(answer)] = 1
    return out


@pytest.fixture
def study(tmp_path):
    main = cube([["no", "yes", None], [None, "maybe", "yes"]])
    np.savez_compressed(tmp_path / "raters.npz", tensor=main, info=PAIRS, ids=[7, 9])
    golden = cube([["yes"], ["no"]])
    np.savez_compressed(
        tmp_path / "raters_golden.npz", tensor=golden, info=PAIRS[1:2], ids=[9, 11]
    )
    experts = cube([["yes"], ["no"], ["yes"]])
    np.savez_compressed(
        tmp_path / "golden.npz", tensor=experts, info=PAIRS[1:2], ids=[1, 2, 3]
    )
    return tmp_path


def rows(responses):
    table = responses.table[["item", "annotator", "label", "answer"]].astype("str")
    return sorted(table.to_numpy().tolist())


def test_each_part_holds_its_answers_and_the_experts_majority(study):
    main = read(study)
    assert rows(main) == [
        ["a.JPEG", "7", "1", "no"],
        ["a.JPEG", "7", "2", "yes"],
        ["a.JPEG", "9", "2", "maybe"],
        ["b.JPEG", "9", "1", "yes"],
    ]
    assert main.gold.astype("str").to_numpy().tolist() == [["a.JPEG", "2", "yes", "2"]]
    golden = read(study, format="reassessed_imagenet_golden")
    assert rows(golden) == [["a.JPEG", "11", "2", "no"], ["a.JPEG", "9", "2", "yes"]]


def test_the_first_round_needs_no_golden_files(study):
    (study / "golden.npz").unlink()
    (study / "raters_golden.npz").unlink()
    assert read(study).gold is None
    with pytest.raises(SourceError, match=r"raters_golden\.npz: the file is miss"):
        read(study, format="reassessed_imagenet_golden")


def test_the_study_has_its_published_counts(data_folder):
    responses = read(data_folder / "reassessed-imagenet")
    design = describe(responses)
    assert design.answers == 924_810
    assert (design.questions, design.items, design.annotators) == (184_962, 24_889, 85)
    assert design.frequencies == {"no": 729_424, "maybe": 78_942, "yes": 116_444}
    assert design.answers_per_question.min == design.answers_per_question.max == 5


def test_the_folder_of_imagenetv2_names_the_classes(study, tmp_path):
    other = tmp_path / "imagenetv2"
    other.mkdir()
    images = [["c.JPEG", "n1"], ["b.JPEG", "n2"], ["a.JPEG", "n1"]]
    listing = json.dumps({"image_filenames": images})
    (other / "imagenet-validation-original.json").write_text(listing)
    responses = read([study, other])
    assert rows(responses) == rows(read(study))
    named = responses.items.sort_values("item").to_numpy().tolist()
    assert named == [["a.JPEG", "0"], ["b.JPEG", "1"]]
    assert responses.num_items == 2
    assert read(study).items is None
