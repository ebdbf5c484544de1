import pytest

from consilience.errors import OptionError
from consilience.responses import read


def test_a_folder_of_labels_and_truth_is_read_as_it_is(written):
    folder = written("study/labels.csv", "task,worker,label\n1,a,0\n2,a,1\n").parent
    written("study/truth.csv", "task,label\n1,0\n2,2\n9,1\n")
    responses = read(folder)
    assert responses.gold.astype("str").to_numpy().tolist() == [
        ["1", "0"],
        ["2", "2"],
        ["9", "1"],
    ]
    assert responses.labels["label"].tolist() == ["0", "1", "2"]
    assert "gold rows of items that nobody was asked: 1" in str(responses.cleaning)
    assert [name.rpartition("/")[2] for name in responses.sources] == [
        "labels.csv",
        "truth.csv",
    ]


@pytest.mark.parametrize("truth", [None, "", "task,label\n"])
def test_a_folder_without_truth_has_no_gold(written, truth):
    folder = written("study/labels.csv", "task,worker,label\n1,a,0\n").parent
    if truth is not None:
        written("study/truth.csv", truth)
    assert read(folder).gold is None
    with pytest.raises(OptionError, match="reads one folder"):
        read([folder, folder])


def test_the_public_sets_are_read_with_the_published_counts(data_folder):
    rte = read(data_folder / "crowd" / "rte")
    assert (rte.num_responses, rte.num_items, rte.num_annotators) == (8000, 800, 164)
    assert len(rte.gold) == 800
    repeated = read(data_folder / "crowd" / "cf_amt")
    assert "5 answers repeat an earlier one" in repeated.assumptions[-1]
    assert read(data_folder / "crowd" / "anesthesia").gold is None
