import numpy as np
import pandas as pd
import pytest

from consilience.errors import DataError
from consilience.responses import describe, read
from consilience.responses.assemble import any_twice

CONTAINS = pd.DataFrame(
    {
        "item": ["1"] * 4,
        "annotator": ["a", "a", "a", None],
        "label": ["x", "y", "x", "x"],
        "answer": ["yes", "no", "no", "yes"],
    }
)
OBJECTS = pd.DataFrame(
    {
        "item": ["1"] * 5,
        "annotator": ["a", "a", "a", "b", "b"],
        "response_id": ["r1", "r1", "r2", "r3", "r3"],
        "label": ["x", "y", "x", "x", "y"],
        "main": [True, False, True, True, False],
    }
)


EQUAL = pd.DataFrame(
    {
        "item": ["1", "1", "1", "2", "2", "2"],
        "annotator": ["a", "a", "b", "a", None, None],
        "label": ["x", "x", "x", "y", "y", "y"],
        "when": ["1", "1", "1", "1", "1", "1"],
    }
)


def test_rows_that_are_equal_in_every_column_count_once_and_are_said_once():
    responses = read(EQUAL)
    (dropped,) = responses.cleaning.dropped
    assert (dropped.count, dropped.example) == (1, "the data frame, row 2")
    assert responses.num_responses == 5  # the anonymous are different people
    assert "read 6 rows, kept 5: 5 answers" in str(responses.cleaning)
    assert "repeat an earlier one" not in str(responses.assumptions)
    assert read(EQUAL, repeats="all").num_responses == 6


def test_rows_that_differ_in_a_column_are_left_to_the_rule_for_repeats():
    later = EQUAL.assign(when=range(6))
    kept = read(later)
    assert kept.num_responses == 6
    assert "1 answers repeat" in kept.assumptions[-1]
    assert "repeat" not in str(kept.cleaning)  # said once
    assert read(later, repeats="distinct").num_responses == 5


def test_rows_without_annotators_or_with_counts_add_up():
    assert read(EQUAL[["item", "label"]]).num_responses == 6
    assert read(EQUAL.assign(n=2)).num_responses == 12


def test_equal_rows_of_a_wide_table_and_equal_lists_of_objects_count_once():
    wide = pd.DataFrame({"item": ["1", "2", "2"], "r1": list("xyy"), "r2": list("yyy")})
    assert read(wide, format="wide").num_responses == 4
    lists = EQUAL.iloc[:3].assign(label=[["x", "y"]] * 3)
    assert read(lists, kind="objects").num_responses == 4


def test_another_label_is_another_question():
    assert "1 answers repeat" in read(CONTAINS).assumptions[-1]
    first = read(CONTAINS, repeats="first")
    assert first.table["answer"].tolist() == ["yes", "no", "yes"]
    assert first.cleaning.dropped[0].count == 1
    assert (first.cleaning.read, first.cleaning.kept) == (4, 3)


def test_the_objects_of_one_response_are_no_repeats():
    once = OBJECTS[OBJECTS["response_id"] != "r2"]
    assert "repeat" not in str(read(once).assumptions)
    responses = read(OBJECTS)
    assert "1 answers repeat" in responses.assumptions[-1]
    assert describe(responses).repeated == 1
    for rule, left in (
        ("first", "r1 r1 r3 r3"),
        ("last", "r2 r3 r3"),
        ("drop", "r3 r3"),
    ):
        table = read(OBJECTS, repeats=rule).table
        assert table["response_id"].tolist() == left.split()
    with pytest.raises(DataError):
        read(OBJECTS, repeats="error")


def test_the_anonymous_and_the_skipped_repeat_nothing():
    frame = pd.DataFrame(
        {
            "item": ["1"] * 4,
            "annotator": [None, None, "a", "a"],
            "label": ["x", "x", None, "x"],
        }
    )
    assert read(frame, repeats="error").num_responses == 4


@pytest.mark.parametrize("wide", [1, 2**31 - 2])
@pytest.mark.parametrize("columns", [2, 3])
def test_repeats_are_seen_however_large_the_codes_are(columns, wide):
    names = ["item", "annotator", "label"][:columns]
    rows = np.stack(np.meshgrid(*[[-1, 0, 1, 2]] * columns), -1).reshape(-1, columns)
    codes = pd.DataFrame(
        np.where(rows == 2, wide + 1, rows).astype(np.int64), columns=names
    )
    assert not any_twice(codes)
    for row in range(len(codes)):
        assert any_twice(pd.concat([codes, codes.iloc[[row]]]))
