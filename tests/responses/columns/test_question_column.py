import pandas as pd
import pytest

from consilience.errors import ColumnError
from consilience.responses import read

TABLE = pd.DataFrame(
    [
        ("a", "ann", "animal", "cat"),
        ("a", "ann", "mood", "calm"),
        ("b", "bob", "animal", "dog"),
    ],
    columns=["item", "annotator", "question", "label"],
)


def test_the_questions_of_a_long_table_are_listed_and_one_is_read():
    found = r"several questions; found 'animal' \(2 rows\), 'mood' \(1 rows\); choose"
    with pytest.raises(ColumnError, match=found):
        read(TABLE)
    responses = read(TABLE, question="animal")
    assert responses.table["label"].tolist() == ["cat", "dog"]
    assert responses.types == read(TABLE.drop(columns="question")).types
    with pytest.raises(ColumnError, match="no question 'size'"):
        read(TABLE, question="size")


def test_the_place_of_a_row_is_that_in_the_whole_table():
    table = TABLE.assign(item=["a", "a", ""])
    with pytest.raises(Exception, match="row 3"):
        read(table, question="animal")


def test_one_question_needs_no_choice_and_a_column_with_a_role_is_none():
    one = TABLE[TABLE["question"] == "animal"]
    assert read(one).num_responses == 2
    assert read(TABLE, label="question").num_responses == 3
    assert read(TABLE.drop(columns="item")).num_items == 2  # the question is the item
    with pytest.raises(ColumnError, match="no column names the question"):
        read(TABLE.drop(columns="question"), question="animal")
