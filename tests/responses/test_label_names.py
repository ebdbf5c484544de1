"""Labels told by name, for people; codes stay codes, for programs."""

import json

import pandas as pd
import pytest

from consilience.responses.label_names import label_names, read_names, with_names

LABELS = pd.DataFrame(
    {
        "label": ["n1", "n2", "n3", "n4", "n5"],
        "name": ["tabby cat", "crane", "crane", None, "n4"],
    }
)


def test_a_label_is_called_by_its_name_and_one_without_by_its_code():
    names = label_names(LABELS)
    assert names["n1"] == "tabby cat"
    assert names["n4"] == "n4"


def test_labels_of_one_name_stay_apart():
    names = label_names(LABELS)
    assert (names["n2"], names["n3"]) == ("crane (n2)", "crane (n3)")
    # A name that is another label's code is told with its own.
    assert names["n5"] == "n4 (n5)"
    assert len(set(names.values())) == len(LABELS)


def test_every_column_of_labels_is_told_in_names_and_no_other():
    table = pd.DataFrame(
        {
            "label": ["n1", None],
            "true_label": pd.Categorical(["n2", "n1"]),
            "item": ["n1", "n2"],
            "share": [0.5, 0.25],
        }
    )
    named = with_names(table, LABELS)
    assert named["label"].tolist()[0] == "tabby cat"
    assert named["label"].isna().tolist() == [False, True]
    assert named["true_label"].tolist() == ["crane (n2)", "tabby cat"]
    assert named["item"].tolist() == ["n1", "n2"]
    assert table["label"].tolist()[0] == "n1"


@pytest.mark.parametrize("form", ["csv", "json", "records"])
def test_names_are_read_from_a_table_or_an_object(tmp_path, form):
    names = {"n1": "tabby cat", "n2": "<b>bold</b>, or not"}
    frame = pd.DataFrame({"label": list(names), "name": list(names.values())})
    path = tmp_path / f"names.{'csv' if form == 'csv' else 'json'}"
    if form == "csv":
        frame.to_csv(path, index=False)
    elif form == "json":
        path.write_text(json.dumps(names), encoding="utf-8")
    else:
        frame.to_json(path, orient="records")
    assert label_names(read_names(path)) == names
