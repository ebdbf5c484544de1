"""Bad input is a clear error with file and row, or a stated rule."""

import subprocess
import sys

import pandas as pd
import pytest

from consilience.errors import (
    ColumnError,
    ConsilienceError,
    DataError,
    OptionError,
    SourceError,
)
from consilience.responses import read

HEADER = "item,annotator,label\n"


MANY = "".join(f"{i},x,y\n" for i in range(10_000))
RECORD = '{"item":1,"label":"x"}\n'
BAD = {
    "a header alone": ("a.csv", HEADER, SourceError, "there is a header but no row"),
    "no record": ("a.json", "[]", SourceError, "there is no record"),
    "two columns of one name": (
        "a.csv",
        "item,label,item\n1,2,3\n",
        ColumnError,
        "columns 1 and 3 are both named 'item'",
    ),
    "names of two cases": (
        "a.csv",
        "item,label,Label\n1,x,y\n2,y,x\n",
        ColumnError,
        "'label', 'Label' may both be",
    ),
    "a short row": ("a.csv", f"{HEADER}{MANY}1,2\n", SourceError, "row 10002: 2 cell"),
    "a long row": ("a.csv", f"{HEADER}1,2,3,4\n{MANY}", SourceError, "row 2: 4 cells"),
    "an empty item": ("a.csv", f"{HEADER}1,a,x\n,b,y\n", DataError, "row 3: the item"),
    "an item below blank lines": (
        "a.csv",
        f"{HEADER}1,a,x\n\n\n,b,y\n",
        DataError,
        "row 5: the item is empty",
    ),
    "bytes of no text": (
        "a.csv",
        (HEADER + MANY).encode() + b"1,2,\xff\n",
        SourceError,
        "row 10002: .*UTF-8",
    ),
    "half of a UTF-16 file": (
        "a.csv",
        f"{HEADER}1,é,x\n".encode("utf-16")[:-1],
        SourceError,
        "UTF-16",
    ),
    "a quote that is never closed": (
        "a.csv",
        f'{HEADER}1,a,x\n1,b,x\n1,c,"x\n1,a,x\n',
        SourceError,
        "row 4: a quote is opened and never",
    ),
    "rows between two stray quotes": (
        "a.csv",
        f'{HEADER}1,a,"cat\n2,a,dog\n3,a,dog"\n4,a,cat\n',
        SourceError,
        "row 2: .*look like rows",
    ),
    "text behind a closing quote": (
        "a.csv",
        f'{HEADER}1,a,x\n"i"8",b,y\n',
        SourceError,
        "row 3: a cell in quotes goes on",
    ),
    "lines that stop": ("a.jsonl", RECORD * 2 + RECORD[:10], SourceError, "line 3"),
    "JSON that stops": (
        "a.json",
        '[{"item":1,"label":"x"},\n{"item":1,"la',
        SourceError,
        "line 2, column 1[0-9] .*stops",
    ),
    "JSON without a comma": (
        "a.json",
        '[{"item":1 "label":"x"}]',
        SourceError,
        "line 1, column",
    ),
    "JSON of another encoding": (
        "a.json",
        b'[{"item": 1,\n"label": "caf\xe9"}]',
        SourceError,
        "line 2, column 14 ",
    ),
    "one record": ("a.json", '{"item":1}', SourceError, "expected a JSON list of rec"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_named_with_its_file_and_place(written, name):
    file, content, error, message = BAD[name]
    with pytest.raises(error, match=rf"{file}.*{message}"):
        read(written(file, content), format="long" if file == "a.json" else None)


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


@pytest.mark.parametrize(
    "format_", ["long", "mturk", "label_studio", "peerannot", "wide"]
)
@pytest.mark.parametrize("content", ["", "\ufeff", "[", "null", "a,b\n1", '"', "\x00"])
@pytest.mark.parametrize("suffix", ["csv", "json", "parquet"])
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


def test_numbers_beyond_the_machines_stay_as_they_are(written):
    assert read(pd.DataFrame({"item": [10**30], "label": [1]})).table[
        "item"
    ].tolist() == [str(10**30)]
    path = written("a.jsonl", '{"item":' + "9" * 30 + ',"label":true}\n')
    responses = read(path)
    assert responses.table["item"].tolist() == ["9" * 30]
    assert responses.labels["label"].tolist() == ["True"]


def test_cells_of_several_numpy_types_do_not_end_the_process():
    program = (
        "import numpy as np, pandas as pd\n"
        "from consilience.responses import read\n"
        "cells = [np.datetime64('2024'), np.int8(3), np.True_]\n"
        "frame = pd.DataFrame({'item': cells, 'annotator': 1, 'label': list('xyx')})\n"
        "for kind in ('object', 'category'):\n"
        "    print(read(frame.astype({'item': kind})).table['item'].tolist())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == ["['2024', '3', 'True']"] * 2, done.stderr


def test_a_meaning_of_words_is_refused_where_answers_are_counts(written):
    path = written("a.csv", "image,label,n_yes,n_shown\n1,x,2,3\n2,x,1,3\n")
    assert read(path).kind == "contains"
    with pytest.raises(OptionError, match=r"counts, not words"):
        read(path, answers={"ja": "yes"})
