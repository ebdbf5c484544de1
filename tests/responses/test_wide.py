import numpy as np
import pandas as pd
import pytest

from consilience.errors import BadCellError, MissingColumnError, NoResponsesError
from consilience.responses import read


def rows(responses):
    table = responses.table[["item", "annotator", "label"]].astype("str")
    return table.to_numpy().tolist()


def test_a_cleanlab_matrix_with_gaps_keeps_whole_labels():
    matrix = pd.DataFrame({"ann": [0, 1, np.nan], "bob": [1.0, np.nan, np.nan]})
    responses = read(matrix, format="wide")
    assert rows(responses) == [["0", "ann", "0"], ["0", "bob", "1"], ["1", "ann", "1"]]
    assert responses.num_items == 3
    assert responses.items["item"].tolist() == ["0", "1", "2"]
    assert "items without an answer: 1" in str(responses.cleaning)


def test_minus_one_is_not_asked_unless_labels_are_negative(written):
    path = written("a.csv", "item,x,y\n1,-1,0\n2,1,NA\n")
    assert rows(read(path, format="wide")) == [["1", "y", "0"], ["2", "x", "1"]]
    path = written("b.csv", "item,x,y\n1,-1,-2\n2,1,\n")
    assert rows(read(path, format="wide")) == [
        ["1", "x", "-1"],
        ["1", "y", "-2"],
        ["2", "x", "1"],
    ]


def test_a_matrix_without_names_is_read_with_blanks(written):
    path = written("answers.txt", "0 1 -1\n-1 1 0\n")
    responses = read(path, format="wide", header=False, separator=" ")
    assert rows(responses)[0] == ["0", "column 1", "0"]
    assert len(rows(responses)) == 4


def test_an_index_written_without_a_name_holds_the_items(tmp_path):
    path = tmp_path / "a.csv"
    pd.DataFrame({"x": ["p"], "y": ["q"]}, index=["007"]).to_csv(path)
    assert rows(read(path, format="wide")) == [["007", "x", "p"], ["007", "y", "q"]]


def test_a_matrix_without_annotators_or_answers_is_refused(written):
    with pytest.raises(MissingColumnError, match="expected annotators"):
        read(written("a.csv", "item\n1\n"), format="wide")
    with pytest.raises(NoResponsesError, match="no answer is left"):
        read(written("b.csv", "item,x\n1,-1\n"), format="wide")
    with pytest.raises(BadCellError, match=r"row 3: the item is empty"):
        read(written("c.csv", "item,x\n1,a\n,b\n"), format="wide")
