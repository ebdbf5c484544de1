import warnings

import numpy as np
import pandas as pd
import pytest

from consilience.errors import ColumnError, ConsilienceWarning, SourceError
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


def with_others(**more):
    return pd.DataFrame(
        {
            "item": list("abcdef"),
            "w1": ["cat", "dog", "cat", "dog", "cat", None],
            "w2": ["cat", "dog", "dog", "dog", "cat", "cat"],
            **more,
        }
    )


OTHERS = {
    "Link": [f"https://x.org/{k}.jpg" for k in range(6)],
    "Notes": ["", "blurry", "", "", "blurry", ""],
    "when": [f"2024-05-0{k + 1} 10:00:0{k}" for k in range(6)],
    "sure": [0.9, 0.5, 0.9, 0.7, 0.8, 0.5],
    "took": [12, 14, 12, 90, 33, 12],
    "empty": [None] * 6,
    "key": [f"k{k}" for k in range(6)],
    "story": ["a long story about what is to be seen in this picture, again"] * 6,
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_annotator_is_left_out_and_told(name):
    frame = with_others(**{name: OTHERS[name]})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        responses = read(frame, format="wide")
    assert responses.table["annotator"].cat.categories.tolist() == ["w1", "w2"]
    assert responses.labels["label"].tolist() == ["cat", "dog"]
    shows = [n for n, role in responses.cleaning.columns.items() if role == "text"]
    assert [*responses.cleaning.unused, *shows] == [name]
    assert [repr(name) in str(each.message) for each in caught] == [True] * (
        name != "empty"
    )


def raters_and_models(labels, *, models_answer=True):
    generator = np.random.default_rng(0)
    truth = generator.choice(labels, 40)

    def answers(seed, gaps):
        wrong = np.random.default_rng(seed).random(40) < 0.3
        said = np.where(wrong, generator.choice(labels, 40), truth).astype(object)
        said[generator.random(40) < gaps] = None
        return said

    models = {
        name: answers(20 + k, 0.0) if models_answer else generator.choice(labels, 40)
        for k, name in enumerate(["gpt-x", "llama"])
    }
    raters = {f"rater_{k}": answers(k, 0.5) for k in range(12)}
    return pd.DataFrame({"image": [f"i{k}" for k in range(40)], **raters, **models})


@pytest.mark.parametrize("labels", [["cat", "dog", "fox"], [1, 2, 3, 4]], ids=str)
def test_columns_with_other_names_that_agree_with_the_raters_are_annotators(labels):
    with pytest.warns(ConsilienceWarning, match="'gpt-x', 'llama' are named unlike"):
        responses = read(raters_and_models(labels))
    assert responses.num_annotators == 14


def test_columns_with_other_names_that_do_not_agree_are_never_left_out():
    frame = raters_and_models(["cat", "dog", "fox"], models_answer=False)
    with pytest.raises(SourceError, match="'gpt-x', 'llama' hold labels of"):
        read(frame)
    with pytest.raises(SourceError, match="'llama' hold labels of"):
        read(raters_and_models(["cat", "dog"]).drop(columns="gpt-x"), format="wide")
    assert read(frame, exclude=["gpt-x", "llama"]).num_annotators == 12
    assert read(frame, annotator_columns=list(frame)[1:]).num_annotators == 14


def test_the_caller_decides_who_is_an_annotator():
    frame = with_others(note=["odd"] * 6, w3=["x", "y", "x", "y", "x", "y"])
    responses = read(frame, annotator_columns=["w1", "w3"])
    assert responses.table["annotator"].cat.categories.tolist() == ["w1", "w3"]
    assert set(responses.cleaning.unused) == {"w2", "note"}
    responses = read(frame.drop(columns="w3"), format="wide", exclude=["w2", "note"])
    assert responses.table["annotator"].cat.categories.tolist() == ["w1"]
    with pytest.raises(ColumnError, match="no column 'w9'"):
        read(frame, annotator_columns=["w9"])


@pytest.mark.parametrize(
    "columns",
    [
        {"a": ["1", "2"], "b": ["2", "3"]},
        {"a": [0, 1, 2, 0, 1, 2], "b": [2, 1, 0, 0, None, 2]},
        {"a": list("uvwxyz"), "b": list("zyxwvu")},
        {"a": ["cat", "1"], "b": ["1", "1"]},
        {"a": ["yes", "no", "yes"], "b": ["no", "no", "yes"]},
        {"a": ["cat"], "b": ["dog"]},
    ],
)
def test_plain_matrices_keep_every_annotator(columns):
    responses = read(pd.DataFrame(columns), format="wide")
    assert responses.num_annotators == len(columns)
    assert responses.cleaning.unused == {}


def test_the_index_that_a_filter_leaves_is_no_item():
    frame = pd.DataFrame(
        {"task": ["p", "q", "r"], "w1": list("xyx"), "w2": list("yyx")}
    )
    responses = read(frame[frame["task"] != "p"], format="wide")
    assert sorted(responses.table["item"].unique()) == ["q", "r"]
    assert sorted(responses.table["annotator"].unique()) == ["w1", "w2"]
    levels = read(frame.set_index(["task", "w1"]), format="wide")
    assert sorted(levels.table["annotator"].unique()) == ["w1", "w2"]
