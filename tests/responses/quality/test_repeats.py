import numpy as np
import pandas as pd
import pytest

from consilience.errors import RepeatedAnswerError
from consilience.responses import describe, read
from consilience.responses.quality.repeats import any_twice

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


def test_another_label_is_another_question():
    assert "1 answers repeat" in str(read(CONTAINS).cleaning)
    first = read(CONTAINS, repeats="first")
    assert first.table["answer"].tolist() == ["yes", "no", "yes"]
    assert first.cleaning.dropped[0].count == 1
    assert (first.cleaning.read, first.cleaning.kept) == (4, 3)


def test_the_objects_of_one_response_are_no_repeats():
    once = OBJECTS[OBJECTS["response_id"] != "r2"]
    assert "repeat" not in str(read(once).cleaning)
    responses = read(OBJECTS)
    assert "1 answers repeat" in str(responses.cleaning)
    assert describe(responses).repeated == 1
    assert read(OBJECTS, repeats="first").table["response_id"].tolist() == [
        "r1",
        "r1",
        "r3",
        "r3",
    ]
    assert read(OBJECTS, repeats="last").table["response_id"].tolist() == [
        "r2",
        "r3",
        "r3",
    ]
    assert read(OBJECTS, repeats="drop").table["response_id"].tolist() == ["r3", "r3"]
    with pytest.raises(RepeatedAnswerError):
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


def test_distinct_counts_an_answer_given_twice_once_and_keeps_a_change_of_mind():
    frame = pd.DataFrame(
        {
            "item": ["1"] * 4,
            "annotator": ["a", "a", "a", "b"],
            "label": ["x", "x", "y", "x"],
        }
    )
    responses = read(frame, repeats="distinct")
    assert responses.table["label"].tolist() == ["x", "y", "x"]
    assert "`repeats='distinct'`" in str(responses.cleaning)


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
