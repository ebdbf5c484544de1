import numpy as np
import pandas as pd
import pytest

from consilience import read
from consilience.analysis import agreement

TABLE = [["x", "x", "y"], ["y", "y", "y"], ["x", "y", "y"], ["x", "x", "x"]]


def long(rows):
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    return read(frame, repeats="all")


def rows(table):
    return [
        (str(i), f"a{j:02d}", label)
        for i, row in enumerate(table)
        for j, label in enumerate(row)
    ]


@pytest.mark.parametrize("distance", ["nominal", "ordinal", "interval"])
def test_an_answer_given_twice_counts_once(distance):
    table = [[{"x": 1, "y": 2}[label] for label in row] for row in TABLE]
    once = agreement(long(rows(table)), distance=distance)
    again = [*rows(table), rows(table)[0], rows(table)[5]]
    twice = agreement(long(again), distance=distance)
    pd.testing.assert_frame_equal(once.coefficients, twice.coefficients)
    assert "2 times an annotator answered" in twice.notes[0]


@pytest.mark.parametrize("distance", ["nominal", "ordinal", "interval"])
def test_two_different_answers_of_one_annotator_are_half_a_vote_each(distance):
    # a says 1 and 2, b says 1: they agree by half; a is not compared with himself.
    answers = [("1", "a", 1), ("1", "a", 2), ("1", "b", 1), ("2", "a", 1)]
    result = agreement(long([*answers, ("2", "b", 2)]), distance=distance, resamples=0)
    assert result["percent"] == pytest.approx(1 / 4)
    # a says 1 in 3/4, b in 1/2: by chance they agree in 3/8 + 1/8.
    assert result["cohen"] == pytest.approx((1 / 4 - 1 / 2) / (1 - 1 / 2))
    assert result["conger"] == pytest.approx(result["cohen"])


def test_counts_without_ids_are_as_many_annotators():
    table = pd.DataFrame(
        {
            "item": ["1", "1", "2", "2", "3"],
            "label": ["x", "y", "x", "y", "y"],
            "n": [3, 1, 2, 2, 4],
        }
    )
    result = agreement(read(table), resamples=0)
    assert result.answers == 12
    agreed = [(3 * 2) / 12, (2 + 2) / 12, 1]
    assert result["percent"] == pytest.approx(np.mean(agreed))
    assert result["fleiss"] == pytest.approx(
        (np.mean(agreed) - (25 + 49) / 144) / (1 - (25 + 49) / 144)
    )


def test_ids_and_names_change_nothing(rated):
    first = agreement(rated(TABLE)).coefficients
    renamed = agreement(
        rated([[{"x": "p", "y": "q"}[label] for label in row[::-1]] for row in TABLE])
    ).coefficients
    pd.testing.assert_frame_equal(first, renamed)
