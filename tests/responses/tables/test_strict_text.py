"""Quotes, line breaks, keys and names: what is unclear is an error, never a guess."""

import json

import pandas as pd
import pytest

from consilience.errors import DataError, SourceError
from consilience.responses import read

HEADER = "item,annotator,label\n"
MTURK = "HITId,AssignmentId,WorkerId,AssignmentStatus,Input.image,Answer.q\n"


@pytest.mark.parametrize("closed_later", [False, True])
def test_an_unclosed_quote_far_above_the_end_names_its_row(written, closed_later):
    rows = [f"{i},b,dog\n" for i in range(20_000)]  # more than 131,072 characters
    rows[3] = '3,b,"dog\n'
    if closed_later:
        rows[15_000] = '15000,b,"dog\n'
    what = "goes on after its closing" if closed_later else "opened and never closed"
    with pytest.raises(SourceError, match=f"a.csv, row 5: .*{what}"):
        read(written("a.csv", HEADER + "".join(rows)))


def test_a_text_with_line_breaks_is_read_and_reported(written):
    responses = read(written("a.csv", HEADER + '"one,\ntwo",a,x\n2,a,y\n'))
    assert "one,\ntwo" in responses.table["item"].tolist()
    assert "line breaks in 1 texts of item (first: " in str(responses.cleaning)
    frame = pd.DataFrame({"item": ["1", "2"], "label": ["x", "y\nz"]})
    assert "line breaks in 1 texts of label" in str(read(frame).cleaning)


@pytest.mark.parametrize("column", ["item", "annotator", "label"])
def test_a_nul_character_is_refused_with_its_row(written, column):
    row = {"item": "1", "annotator": "a", "label": "x"}
    frame = pd.DataFrame([row, row | {column: "a\0b"}])
    with pytest.raises(DataError, match=f"row 2: the {column} .* NUL"):
        read(frame)
    lines = "\n".join(json.dumps(r) for r in frame.to_dict("records"))
    with pytest.raises(DataError, match=f"line 2: the {column} .* NUL"):
        read(written("a.jsonl", lines))
    frame.to_csv(written("a.csv", ""), index=False)
    with pytest.raises(DataError, match=f"row 3: the {column} .* NUL"):
        read(written("a.csv", frame.to_csv(index=False)))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", '{"item":1,"label":"x"}\n{"item":1,"label":"x","label":"y"}'),
        ("a.json", '[{"item":1,"label":"x", "label" :"y"}]'),
        ("a.json", '{"0":{"1":0,"1":1}}'),
        (
            "a.json",
            '[{"id":1,"data":{"image":"a"},"data":{"image":"b"},"annotations":[]}]',
        ),
    ],
)
def test_a_key_that_stands_twice_is_refused(written, name, text):
    with pytest.raises(SourceError, match="stands twice in one JSON object"):
        read(written(name, text))


def test_a_text_like_a_key_is_no_key(written):
    texts = ['"label":', '{"a": 1, "a": 2}']
    records = [{"item": text, "label": "x"} for text in texts]
    responses = read(written("a.json", json.dumps(records)), format="long")
    assert responses.table["item"].tolist() == texts


def test_a_tab_may_be_written_as_on_a_command_line(written):
    path = written("a.csv", HEADER.replace(",", "\t") + "1\ta\tx,y\n")
    assert read(path, separator=r"\t").labels["label"].tolist() == ["x,y"]


def test_cells_of_any_length_are_read(written):
    long = "x" * 200_000
    responses = read(written("a.csv", HEADER + f'1,a,"{long}"\n'))
    assert responses.labels["label"].tolist() == [long]
    header = MTURK.rstrip("\n") + f",Input.{long}\n"
    batch = header + f"h,1,w,Approved,a.jpg,{long},\n"
    responses = read(written("b.csv", batch), item="Input.image")
    assert responses.labels["label"].tolist() == [long]
    more = "".join(f"1,a,{i}\n" for i in range(3)) + f"2,a,{'y' * 9_000_000}\n"
    assert read(written("c.csv", HEADER + more)).num_responses == 4


@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_nan_and_infinity_in_json_are_missing(suffix, written):
    lines = [
        '{"item": 1, "worker": "a", "label": "say: NaN", "score": -Infinity}',
        '{"item": 2, "worker": "b", "label": NaN, "score": 1e5}',
    ]
    text = "\n".join(lines) if suffix == "jsonl" else f"[{', '.join(lines)}]"
    responses = read(written(f"a.{suffix}", text), extras=["score"])
    labels = responses.table["label"].astype(object)
    assert labels.where(labels.notna(), None).tolist() == ["say: NaN", None]
    assert responses.table["score"].isna().tolist() == [True, False]
    with pytest.raises(SourceError):
        read(written(f"b.{suffix}", text.replace("NaN,", "NaNN,")))


def test_json_nested_without_end_is_an_error(written):
    deep = "[" * 200_000 + "]" * 200_000
    for name, text in (
        ("a.json", deep),
        ("b.json", '{"item": 1, "label": ' + deep + "}"),
        ("c.jsonl", '{"item": 1, "label": ' + deep + "}"),
    ):
        with pytest.raises(SourceError, match="nested too deeply"):
            read(written(name, text), format="long")
    batch = MTURK.replace("Answer.q", "Answer.taskAnswers") + "h,1,w,Approved,a,{}\n"
    with pytest.raises(SourceError, match=r"row 2.*nested too deeply"):
        read(written("d.csv", batch.format(deep)))


@pytest.mark.parametrize("n", [100_000_000, 9_000_000_000])
def test_a_pattern_of_too_many_items_is_refused(written, n):
    path = written("a.csv", f"r1,r2,n\n1,2,{n}\n")
    with pytest.raises(DataError, match=r"a\.csv, row 2: .* at most 10,000,000"):
        read(path, format="counts")
