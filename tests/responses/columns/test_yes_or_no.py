import pandas as pd
import pytest

from consilience.errors import SourceError
from consilience.responses import read


def asked(answer, label="query", **more):
    return pd.DataFrame(
        {
            "image_id": ["a", "a", "b", "b"],
            "worker_id": ["x", "y", "x", "y"],
            label: ["cat", "cat", "dog", "dog"],
            answer: ["Y", "N", "unsure", "Y"],
            **more,
        }
    )


def test_yes_and_no_of_unclear_meaning_are_refused_with_both_ways_out():
    with pytest.raises(SourceError) as caught:
        read(asked("verdict", "label"))
    first, second = str(caught.value).partition(" or `")[::2]
    assert '`label="label"`' in first
    assert '`label="label"`' in second
    assert ("`answer=" in first) != ("`answer=" in second)
    assert read(asked("verdict", "label"), answer="verdict").kind == "contains"
    responses = read(asked("verdict", "label"), kind="choice")
    assert responses.kind == "choice"
    assert responses.cleaning.unused == {"verdict": "yes/no words"}


def test_columns_of_state_are_no_answers_and_are_told():
    frame = asked("approved", "label").assign(approved=["yes", "no", "yes", "yes"])
    responses = read(frame)
    assert responses.kind == "choice"
    assert responses.cleaning.unused == {"approved": "yes/no words"}
    assert "'approved' holds yes-or-no words" in responses.cleaning.warnings[0]


@pytest.mark.parametrize("word", ["unsure", "?", "don't know", "n/a", "Not sure"])
def test_words_of_doubt_are_skipped_by_a_rule_that_is_printed(word):
    frame = asked("contains_it").assign(contains_it=["yes", "no", word, "yes"])
    responses = read(frame)
    assert responses.table["answer"].isna().sum() == 1
    assert "as skipped" in str(responses.cleaning)
    frame = asked("contains_it").assign(contains_it=["yes", "no", word, "yes"])
    mapped = read(frame, answers={word: "maybe"})
    assert (mapped.table["answer"] == "maybe").sum() == 1
