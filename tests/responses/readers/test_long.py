import pandas as pd
import pytest

from consilience.errors import DataError
from consilience.responses import read

LINES = """{"task":"007","worker":"1e5","label":"cat"}
{"task":"007","worker":1.0,"label":"dog"}
{"task":1,"worker":1e5,"label":"cat"}"""
CSV = "task,worker,label\n007,1e5,cat\n007,1.0,dog\n1,1e5,cat\n"


def cells(responses, column):
    return responses.table[column].astype("str").tolist()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", CSV),
        ("a.csv", "\ufeff" + CSV),
        ("a.csv", CSV.replace("\n", "\r\n")),
        ("a.csv", CSV.replace(",", ";")),
        ("a.csv", "sep=;\n" + CSV.replace(",", ";")),
        ("a.csv", "\n\n" + CSV.replace("\n", "\n\n")),
        ("a.tsv", CSV.replace(",", "\t")),
        ("a.txt", CSV.replace(",", "|")),
        ("a.csv", CSV.replace("cat", '"cat"')),
        ("a.csv", CSV.encode("utf-16")),
        ("a.jsonl", LINES.replace("}", "}\n", 1)),
        ("a.json", "[" + LINES.replace("}\n", "},") + "]"),
    ],
)
def test_ids_that_look_like_numbers_stay_as_they_are(written, name, content):
    responses = read(written(name, content))
    assert cells(responses, "item") == ["007", "007", "1"]
    assert cells(responses, "annotator") == ["1e5", "1.0", "1e5"]
    assert cells(responses, "label") == ["cat", "dog", "cat"]
    assert responses.kind == "choice"
    assert responses.cleaning.read == responses.cleaning.kept == 3


def test_a_named_column_plays_no_other_role(written):
    path = written("a.csv", "task,image,label,count\n1,a,x,b\n2,b,y,b\n")
    responses = read(path, item="image", label="count")
    assert cells(responses, "item") == ["a", "b"]
    assert cells(responses, "label") == ["b", "b"]
    assert responses.table["n"].tolist() == [1, 1]


def test_a_data_frame_is_read_like_a_file():
    frame = pd.DataFrame(
        {"task": [10, 9, 9], "worker": [1.0, None, 2.0], "label": ["b", "a", None]}
    )
    responses = read(frame)
    assert cells(responses, "item") == ["10", "9", "9"]
    assert responses.table["item"].cat.categories.tolist() == ["9", "10"]
    assert responses.table["annotator"].isna().tolist() == [False, True, False]
    assert responses.table["annotator"].cat.categories.tolist() == ["1", "2"]
    assert responses.table["label"].isna().tolist() == [False, False, True]
    assert responses.anonymous
    assert any("written without the point" in n for n in responses.cleaning.notes)


def test_a_column_of_mixed_types_becomes_text():
    frame = pd.DataFrame(
        {
            "task": ["1", 1, 2.5, True, b"x"],
            "label": [1, "1", None, float("nan"), pd.NA],
        },
        dtype=object,
    )
    responses = read(frame)
    assert cells(responses, "item") == ["1", "1", "2.5", "True", "x"]
    assert responses.table["label"].isna().tolist() == [False, False, True, True, True]


def test_answers_beside_labels_are_contains(written):
    text = "image,label,worker,answer\n" + "".join(
        f"i,l,{k},{word}\n"
        for k, word in enumerate(
            ["Yes", "no", "MAYBE", "true", "False", "1", "0", "", "skip"]
        )
    )
    responses = read(written("a.csv", text))
    assert responses.kind == "contains"
    answers = responses.table["answer"]
    assert answers.cat.codes.tolist() == [2, 0, 1, 2, 0, 2, 0, -1, -1]
    assert answers.cat.ordered
    assert responses.offer == "listed"
    assert responses.offered.to_numpy().tolist() == [["i", "l"]]


def test_counts_in_a_column_must_be_whole(written):
    good = read(written("a.csv", "item,label,n\n1,a,3\n1,b,2\n"))
    assert good.num_responses == 5
    for bad in ("0", "-1", "1.5", "x", "", "inf", "nan"):
        with pytest.raises(DataError, match=r"row 3: the count is"):
            read(written("b.csv", f"item,label,n\n1,a,3\n1,b,{bad}\n"))
