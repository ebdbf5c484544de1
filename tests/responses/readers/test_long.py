import pandas as pd
import pytest

from consilience.errors import ColumnError, ConsilienceError, DataError, SourceError
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


def test_quotes_may_hold_separators_quotes_and_line_ends(written):
    text = 'item,annotator,label\n"a,b",x,"say ""hi"""\n"c\nd",x,e\n'
    responses = read(written("a.csv", text))
    assert cells(responses, "item") == ["a,b", "c\nd"]
    assert cells(responses, "label") == ['say "hi"', "e"]


def test_any_names_of_columns_are_read_when_named(written):
    path = written("a.csv", "foo,bar,baz\n1,2,3\n")
    responses = read(path, item="foo", annotator="bar", label="baz")
    assert cells(responses, "annotator") == ["2"]
    with pytest.raises(ColumnError, match=r"no column 'qux' for item; found 'foo'"):
        read(path, format="long", item="qux", label="baz")
    with pytest.raises(SourceError, match="which column is which does not show"):
        read(path, format="long", label="baz")


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


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(
            {"task": pd.Categorical(["a", "b"]), "label": pd.Categorical([1, 2])}
        ),
        pd.DataFrame({"task": ["a", "b"], "label": pd.array([1, 2], dtype="Int64")}),
        pd.DataFrame({"task": ["a", "b"], "label": [1, 2]}).convert_dtypes(),
        pd.DataFrame({"task": ["a", "b"], "label": [1, 2]}, index=[5, 5]),
    ],
)
def test_every_pandas_type_gives_the_same(frame):
    responses = read(frame)
    assert cells(responses, "item") == ["a", "b"]
    assert cells(responses, "label") == ["1", "2"]


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


def test_answers_of_other_words_are_refused_until_they_are_mapped(written):
    path = written("a.csv", "item,label,answer\n1,dog,evet\n1,cat,yok\n")
    with pytest.raises(DataError, match=r"a.csv, row 2: 'evet' .* 'yok'"):
        read(path)
    responses = read(path, answers={"Evet": "yes", "yok": "no"})
    assert responses.table["answer"].tolist() == ["yes", "no"]


def test_several_rows_of_one_response_are_objects_when_asked(written):
    path = written(
        "a.csv", "item,response,label,main\ni,r1,dog,1\ni,r1,cat,0\ni,r2,dog,true\n"
    )
    responses = read(path, response_id="response")
    assert responses.kind == "objects"
    assert responses.table["main"].tolist() == [True, False, True]
    assert responses.offer == "unknown"
    with pytest.raises(ColumnError, match="response_id=NAME"):
        read(path, kind="objects", answer="response")


def test_lists_of_labels_are_objects_where_somebody_names_them(written):
    text = '{"task":1,"label":["x","y"]}\n{"task":1,"label":[]}\n'
    with pytest.raises(ConsilienceError, match='`kind="objects"`'):
        read(written("b.jsonl", text))
    path = written(
        "a.jsonl",
        '{"task":1,"worker":"a","label":["x","y"]}\n{"task":1,"worker":"b","label":[]}\n',
    )
    responses = read(path)
    assert responses.kind == "objects"
    assert responses.table["label"].astype(object).where(
        responses.table["label"].notna(), None
    ).tolist() == ["x", "y", None]
    assert responses.cleaning.kept == 2


def test_counts_in_a_column_must_be_whole(written):
    good = read(written("a.csv", "item,label,n\n1,a,3\n1,b,2\n"))
    assert good.num_responses == 5
    for bad in ("0", "-1", "1.5", "x", "", "inf", "nan"):
        with pytest.raises(DataError, match=r"row 3: the count is"):
            read(written("b.csv", f"item,label,n\n1,a,3\n1,b,{bad}\n"))


def test_gold_in_a_column_is_taken_along(written):
    path = written("a.csv", "item,label,gold\n1,a,b\n1,b,b\n2,a,\n")
    gold = read(path).gold
    assert gold.astype("str").to_numpy().tolist() == [["1", "b"]]


def test_extra_columns_come_along(written):
    path = written("a.csv", "item,label,lead_time,page\n1,a,3.5,9\n")
    responses = read(path, extras=["page"])
    assert list(responses.table.columns[-2:]) == ["lead_time", "page"]


def test_several_files_are_one_table(written):
    first = written("a.csv", "item,annotator,label\n1,x,a\n")
    second = written("b.jsonl", '{"item":"1","annotator":"y","label":"b"}\n')
    responses = read([first, second])
    assert cells(responses, "annotator") == ["x", "y"]
    assert len(responses.sources) == 2


def test_a_column_of_comments_is_no_item_where_another_column_can_be():
    frame = pd.DataFrame(
        {"question": [1, 2], "worker": ["a", "a"], "label": ["x", "y"]}
    ).assign(comment="well")
    assert read(frame).table["item"].tolist() == ["1", "2"]


def test_labels_in_json_lists_are_said_to_be_such(written):
    path = written("a.csv", 'item,annotator,label\n1,a,"[""x""]"\n2,a,"[""y""]"\n')
    responses = read(path)
    assert responses.table["label"].tolist() == ["x", "y"]
    assert "'label' were read as several labels (JSON lists)" in str(responses.cleaning)
