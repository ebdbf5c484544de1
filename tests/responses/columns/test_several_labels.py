import pandas as pd
import pytest

from consilience.errors import ConsilienceWarning, DataError
from consilience.responses import read


def answers(*labels):
    number = len(labels)
    return pd.DataFrame(
        {
            "item": [f"i{k // 2}" for k in range(number)],
            "annotator": [f"a{k % 2}" for k in range(number)],
            "label": labels,
        }
    )


@pytest.mark.parametrize("separator", [", ", "|", "; ", " | ", "\n"])
@pytest.mark.parametrize("kind", [None, "objects"])
def test_several_labels_in_a_cell_are_refused_with_the_way_to_split(separator, kind):
    frame = answers("cat", f"cat{separator}dog", f"dog{separator}fox", "fox", "dog")
    with pytest.raises(DataError, match=r'split=.*kind="choice"'):
        read(frame, kind=kind)
    responses = read(frame, split=separator.strip(" "))
    assert responses.kind == "objects"
    assert responses.labels["label"].tolist() == ["cat", "dog", "fox"]
    assert len(responses.table) == 7


def test_a_choice_that_is_insisted_on_is_read_with_a_warning():
    frame = answers("cat", "cat|dog", "dog|fox", "fox", "dog", "dog")
    with pytest.warns(ConsilienceWarning, match="several labels"):
        responses = read(frame, kind="choice")
    assert responses.num_labels == 5


def test_a_list_of_labels_settles_what_is_one_label():
    labels = ["black, small", "black, large", "white, small", "white, large"]
    responses = read(answers(*labels), labels=labels)
    assert responses.num_labels == 4


def test_commas_inside_names_are_no_separators():
    names = ["tench, Tinca tinca", "goldfish, Carassius auratus", "cat", "cat", "cat"]
    assert read(answers(*names)).num_labels == 3


def test_anonymous_rows_of_several_labels_are_one_response_each():
    frame = answers("cat|dog", "dog", "cat|fox").drop(columns="annotator")
    responses = read(frame, split="|")
    assert responses.table["response_id"].nunique() == 3


def test_a_row_that_names_a_label_twice_names_it_once():
    responses = read(answers("cat|cat|", "dog"), split="|")
    assert responses.table["label"].tolist() == ["cat", "dog"]


def test_json_lists_of_texts_are_several_labels():
    frame = answers('["cat", "dog"]', '["dog"]', "[]", '["cat"]')
    responses = read(frame)
    assert responses.kind == "objects"
    assert responses.labels["label"].tolist() == ["cat", "dog"]
    assert responses.table["label"].isna().sum() == 1


def test_brackets_alone_are_text():
    labels = ["[laughs]", "[laughs", "{x}", "[cat]"]
    assert sorted(read(answers(*labels)).labels["label"]) == sorted(labels)
