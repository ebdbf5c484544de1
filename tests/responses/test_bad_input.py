"""Bad input is a clear error with file and row, or a stated rule."""

import json
import subprocess
import sys

import pandas as pd
import pytest

from consilience.errors import (
    ColumnError,
    ConsilienceError,
    DataError,
    KindError,
    OptionError,
    SourceError,
)
from consilience.responses import read

HEADER = "item,annotator,label\n"


def test_a_header_alone_is_no_response(written):
    with pytest.raises(SourceError, match=r"a\.csv: there is a header but no row"):
        read(written("a.csv", HEADER))
    with pytest.raises(SourceError):
        read(pd.DataFrame({"item": [], "label": []}))
    with pytest.raises(SourceError):
        read(written("a.json", "[]"), format="long")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"nowhere\.csv"):
        read(tmp_path / "nowhere.csv")


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("x,y", r"'x', 'y'.*`item=\"x\"` `label=\"y\"`.*`format=\"wide\"`"),
        ("a,b,c", "`item=.a.` `annotator=.b.` `label=.c.`"),
        ("pic,w1,w2,w3", "one for each annotator.*`format=.wide.` `item=.pic.`"),
        ("photo_id,rater_1,rater_2", "one for each annotator"),
    ],
)
def test_a_table_with_other_names_is_answered_with_the_call_that_reads_it(
    written, header, said
):
    cells = ",".join("q" for _ in header.split(","))
    with pytest.raises(SourceError, match=said) as caught:
        read(written("a.csv", f"{header}\n{cells}\n"))
    assert len(str(caught.value)) < 400


def test_an_unknown_format_lists_those_that_are_known(written):
    with pytest.raises(SourceError, match=r"one of appen, .*long, "):
        read(written("a.csv", "x\n1\n"))
    with pytest.raises(SourceError, match="there is no format 'excel'"):
        read(written("a.csv", HEADER), format="excel")
    with pytest.raises(SourceError, match=r"\*\.xls "):
        read(written("a.xls", b"\xd0\xcf\x11\xe0\0"), format="long")
    with pytest.raises(SourceError, match="a header but no row"):
        read(written("folder/other.txt", "x").parent)


def test_two_columns_of_one_name_are_refused(written):
    with pytest.raises(ColumnError, match="columns 1 and 3 are both named 'item'"):
        read(written("a.csv", "item,label,item\n1,2,3\n"))


def test_a_row_of_another_length_is_named(written):
    rows = "".join(f"{i},x,y\n" for i in range(10_000))
    with pytest.raises(SourceError, match=r"a\.csv, row 10002: 2 cells .* 3"):
        read(written("a.csv", HEADER + rows + "1,2\n"))
    with pytest.raises(SourceError, match=r"row 2: 4 cells"):
        read(written("b.csv", HEADER + "1,2,3,4\n" + rows))


def test_bytes_that_are_no_text_are_found(written):
    rows = b"item,annotator,label\n" + b"1,2,3\n" * 30_000
    with pytest.raises(SourceError, match=r"a\.csv, row 30002: .*UTF-8"):
        read(written("a.csv", rows + b"1,2,\xff\n"))
    with pytest.raises(SourceError, match=r"b\.csv, row 1: "):
        read(written("b.csv", b"it\xe9m,label\n1,2\n"), format="long")
    with pytest.raises(SourceError, match=r"c\.jsonl, line 2"):
        read(written("c.jsonl", b'{"item":1,"label":2}\n{"item":1,"label":"\xff"}\n'))


def test_an_empty_item_is_refused_with_its_row(written):
    with pytest.raises(DataError, match=r"a\.csv, row 3: the item is empty"):
        read(written("a.csv", HEADER + "1,a,x\n,b,y\n"))


def test_empty_rows_are_dropped_and_counted(written):
    responses = read(written("a.csv", HEADER + "1,a,x\n,,\nNA,,NaN\n2,a,y\n"))
    assert responses.cleaning.kept == 2
    (dropped,) = responses.cleaning.dropped
    assert (dropped.reason, dropped.count) == ("the row is empty", 2)
    assert dropped.example.endswith("a.csv, row 3")


def test_missing_cells_are_anonymous_or_skipped_and_said(written):
    path = written("a.csv", HEADER + "1,,x\n2,a,NA\n3,b,y\n")
    responses = read(path)
    assert responses.table["annotator"].isna().tolist() == [True, False, False]
    assert responses.table["label"].isna().tolist() == [False, True, False]
    notes = str(responses.cleaning)
    assert "cells 'NA' of column 'label' were read as missing" in notes
    assert "answers without annotator (anonymous): 1" in notes
    assert "skipped questions (no label or answer): 1" in notes
    assert read(path, labels=["NA", "x", "y"]).table["label"].notna().all()


def test_words_named_as_missing_add_to_the_usual_ones(written):
    path = written("a.csv", HEADER + "1,a,x\n2,a,\n3,a,  \n4,a,NA\n5,a,unsure\n")
    responses = read(path, missing=["unsure"])
    assert responses.labels["label"].tolist() == ["x"]
    assert responses.table["label"].isna().sum() == 4


def test_a_list_of_labels_with_an_empty_one_is_refused(written):
    with pytest.raises(OptionError, match="has gaps"):
        read(written("a.csv", HEADER + "1,a,x\n2,a,x\n"), labels=["x", " "])


def test_words_for_skipped_are_no_labels_of_a_choice(written):
    path = written("a.csv", HEADER + "1,a,x\n2,a,Unsure\n3,a,y\n")
    responses = read(path, answers={"unsure": "skipped"})
    assert responses.labels["label"].tolist() == ["x", "y"]
    assert responses.table["label"].isna().tolist() == [False, True, False]


def test_words_for_yes_are_refused_where_answers_are_labels(written):
    path = written("a.csv", HEADER + "1,a,oui\n2,a,non\n")
    with pytest.raises(OptionError, match=r"'oui' was to mean 'yes'.*are labels"):
        read(path, kind="choice", answers={"oui": "yes"})


def test_one_annotator_and_one_label_are_said(written):
    notes = str(read(written("a.csv", HEADER + "1,a,x\n2,a,x\n")).cleaning)
    assert "all answers are by one annotator" in notes
    assert "all answers give one label" in notes


def test_a_file_in_which_all_was_skipped_is_said(written):
    responses = read(written("a.csv", HEADER + "1,a,\n2,b,\n"))
    assert responses.num_labels == 0
    assert "nothing was answered" in str(responses.cleaning)


def test_a_hundred_thousand_labels_are_read(written):
    rows = "".join(f"{i % 1000},a,label{i}\n" for i in range(100_000))
    responses = read(written("a.csv", HEADER + rows))
    assert responses.num_labels == 100_000


@pytest.mark.parametrize("keep", [4, 100, 0.5, 0.99])
def test_a_cut_off_parquet_is_refused(tmp_path, keep):
    path = tmp_path / "a.parquet"
    pd.DataFrame({"item": range(1000), "label": "x"}).to_parquet(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep if keep > 1 else keep * len(whole))])
    with pytest.raises(SourceError, match=r"a\.parquet: not a whole Parquet"):
        read(path, format="long")


def test_json_that_stops_in_the_middle_names_the_place(written):
    whole = '{"item":1,"label":"x"}\n'
    with pytest.raises(SourceError, match=r"a\.jsonl, line 3"):
        read(written("a.jsonl", whole * 2 + whole[:10]))
    with pytest.raises(SourceError, match=r"b\.json, line 2, column 1[0-9] .*stops"):
        read(
            written("b.json", '[{"item":1,"label":"x"},\n{"item":1,"la'), format="long"
        )
    with pytest.raises(SourceError, match=r"c\.json, line 1, column"):
        read(written("c.json", '[{"item":1 "label":"x"}]'), format="long")
    latin = written("d.json", "")
    latin.write_bytes(b'[{"item": 1,\n"label": "caf\xe9"}]')
    with pytest.raises(SourceError, match=r"d\.json, line 2, column 14 "):
        read(latin, format="long")
    with pytest.raises(SourceError, match="expected a JSON list of records"):
        read(written("d.json", '{"item":1}'), format="long")


@pytest.mark.parametrize(
    "format_", ["long", "mturk", "label_studio", "peerannot", "wide"]
)
@pytest.mark.parametrize(
    "content", ["", "\n", "\ufeff", "[", "{}", "null", "x", "a,b\n1", '"', "\x00"]
)
@pytest.mark.parametrize("suffix", ["csv", "json", "jsonl", "parquet"])
def test_nonsense_is_always_a_clear_error(written, format_, content, suffix):
    path = written(f"a.{suffix}", content)
    with pytest.raises(ConsilienceError, match=r"a\.|no answer|all answers|expected"):
        read(path, format=format_)


def test_a_label_that_was_not_offered_is_named_with_its_row(written):
    path = written("a.csv", HEADER + "1,a,x\n1,b,z\n")
    with pytest.raises(DataError, match=r"a\.csv, row 3: label 'z' .* 2 that"):
        read(path, offered=["x", "y"])
    with pytest.raises(DataError, match="row 3"):
        read(path, labels=["x", "y"])
    offered = pd.DataFrame({"item": ["1", "2", "2"], "label": ["x", "x", "z"]})
    with pytest.raises(DataError, match=r"row 3: .* not offered for item '1'"):
        read(path, offered=offered)


def test_the_same_annotator_twice_is_a_stated_rule(written):
    path = written("a.csv", HEADER + "1,a,x\n1,b,x\n1,a,y\n")
    kept = read(path)
    assert kept.num_responses == 3
    assert "row 4, annotator 'a' on item '1'" in kept.assumptions[-1]
    assert read(path, repeats="first").table["label"].tolist() == ["x", "x"]
    assert read(path, repeats="last").table["label"].tolist() == ["x", "y"]
    assert read(path, repeats="drop").table["annotator"].tolist() == ["b"]
    with pytest.raises(DataError, match=r"row 4: annotator 'a' on item '1'"):
        read(path, repeats="error")


def test_a_quote_that_is_never_closed_swallows_nothing(written):
    rows = "1,a,x\n" * 3
    with pytest.raises(SourceError, match=r"row 4: a quote is opened and never"):
        read(written("a.csv", HEADER + "1,a,x\n1,b,x\n" + '1,c,"x\n' + rows))
    stray = read(written("b.csv", HEADER + '1,a,5" nail\n' + rows))
    assert stray.table["label"].astype("str").tolist()[0] == '5" nail'


def test_a_table_that_names_its_kind_is_believed(written):
    header = "item,kind,label,answer,object,main\n"
    responses = read(written("a.csv", header + "1,choice,x,,,\n2,choice,y,,,\n"))
    assert responses.kind == "choice"
    with pytest.raises(KindError, match=r"column 'kind' names choice, objects"):
        read(written("b.csv", header + "1,choice,x,,,\n2,objects,y,,,\n"))


def test_columns_that_are_no_text_are_refused():
    with pytest.raises(DataError, match=r"column 'item' \(bytes that are not UTF-8"):
        read(pd.DataFrame({"item": [b"\xff", 1], "label": [1, 2]}))
    with pytest.raises(DataError, match="column 'item' holds lists"):
        read(pd.DataFrame({"item": [[1], [2]], "label": [1, 2]}))


def test_numbers_beyond_the_machines_stay_as_they_are(written):
    assert read(pd.DataFrame({"item": [10**30], "label": [1]})).table[
        "item"
    ].tolist() == [str(10**30)]
    path = written("a.jsonl", '{"item":' + "9" * 30 + ',"label":true}\n')
    responses = read(path)
    assert responses.table["item"].tolist() == ["9" * 30]
    assert responses.labels["label"].tolist() == ["True"]


def test_an_item_that_is_half_a_utf16_file_is_refused(written):
    whole = (HEADER + "1,é,x\n").encode("utf-16")
    with pytest.raises(SourceError, match="UTF-16"):
        read(written("a.csv", whole[:-1]))


@pytest.mark.parametrize("kind", ["object", "category"])
def test_cells_of_several_numpy_types_do_not_end_the_process(kind):
    program = (
        "import numpy as np, pandas as pd\n"
        "from consilience.responses import read\n"
        "cells = [np.datetime64('2024'), np.int8(3), np.True_]\n"
        f"item = pd.Series(cells, dtype=object).astype({kind!r})\n"
        "frame = pd.DataFrame({'item': item, 'annotator': 1, 'label': list('xyx')})\n"
        "print(read(frame).table['item'].tolist())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "['2024', '3', 'True']", done.stderr


def test_a_meaning_of_words_is_refused_where_answers_are_decisions(written):
    tasks = [
        {"text": f"t{k}", "_input_hash": k, "_annotator_id": "a", "label": "x"}
        | {"answer": ["accept", "reject"][k % 2]}
        for k in range(4)
    ]
    path = written("a.jsonl", "\n".join(map(json.dumps, tasks)))
    assert read(path, label="label").kind == "contains"
    with pytest.raises(OptionError, match=r"`answers=`.*decisions.*leave it out"):
        read(path, label="label", answers={"ja": "yes"})


def test_a_meaning_of_words_is_refused_where_answers_are_counts(written):
    path = written("a.csv", "image,label,n_yes,n_shown\n1,x,2,3\n2,x,1,3\n")
    assert read(path).kind == "contains"
    with pytest.raises(OptionError, match=r"counts, not words"):
        read(path, answers={"ja": "yes"})
