import pandas as pd
import pytest

from consilience.errors import DataError, OptionError
from consilience.responses import read

CHOICES = pd.DataFrame(
    {"item": ["1", "2"], "annotator": ["a", "b"], "label": ["x", "y"]}
)


def test_a_list_of_labels_sets_their_order_and_ends_the_assumption(written):
    responses = read(CHOICES, offered=["z", "y", "x"])
    assert responses.labels["label"].tolist() == ["z", "y", "x"]
    assert responses.table["label"].cat.codes.tolist() == [2, 1]
    assert responses.assumptions == ()
    table = written("labels.csv", "label,name,parent\ny,Why,\nx,Ex,letters\n")
    named = read(CHOICES, labels=table)
    assert named.labels["name"].tolist() == ["Why", "Ex"]
    assert named.labels["parent"].isna().tolist() == [True, False]


def test_a_table_of_the_offer_is_kept_and_held_against_the_answers(written):
    path = written("offered.csv", "item,label\n1,x\n1,y\n2,y\n2,z\n")
    responses = read(CHOICES, offered=path)
    assert responses.offer == "listed"
    assert len(responses.offered) == 4
    assert responses.labels["label"].tolist() == ["x", "y", "z"]
    with pytest.raises(DataError, match="'x' was not offered for item '1'"):
        read(CHOICES, offered=pd.DataFrame({"item": ["1", "2"], "label": ["y", "x"]}))


def test_an_offer_by_annotator_or_response_is_held_too():
    offered = pd.DataFrame({"annotator": ["a", "b", "b"], "label": ["x", "x", "y"]})
    assert read(CHOICES, offered=offered).offer == "listed"
    with pytest.raises(DataError, match="'y'"):
        read(CHOICES, offered=offered.iloc[:2])
    by_response = pd.DataFrame({"response_id": ["r", "r"], "label": ["x", "y"]})
    with pytest.raises(OptionError, match="'response_id', but the answers have none"):
        read(CHOICES, offered=by_response)


def test_gold_must_be_among_the_labels():
    gold = pd.DataFrame({"item": ["1"], "label": ["q"]})
    assert read(CHOICES, gold=gold).labels["label"].tolist() == ["q", "x", "y"]
    with pytest.raises(DataError, match="gold of item '1': label 'q'"):
        read(CHOICES, gold=gold, labels=["x", "y"])
